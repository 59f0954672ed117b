-- How many rows disclosures_by_traded.sql has, whatever the page.
SELECT count(*) AS data_ingested
FROM (
    SELECT FROM congress_trades t
    LEFT JOIN disclosure_withdrawals w
        ON w.record_id = t.record_id AND w.version > t.version AND w.symbol = t.symbol
    WHERE t.symbol = %(symbol)s
        AND t.transaction_date BETWEEN %(first_day)s AND %(last_day)s
        AND NOT EXISTS (
            SELECT FROM congress_trades later
            WHERE later.record_id = t.record_id AND later.version > t.version AND later.version > 1
                AND (later.symbol = t.symbol OR w.record_id IS NULL)
        )
    UNION ALL
    SELECT FROM insider_trades t
    LEFT JOIN disclosure_withdrawals w
        ON w.record_id = t.record_id AND w.version > t.version AND w.symbol = t.symbol
    WHERE t.symbol = %(symbol)s
        AND t.transaction_date BETWEEN %(first_day)s AND %(last_day)s
        AND NOT EXISTS (
            SELECT FROM insider_trades later
            WHERE later.record_id = t.record_id AND later.version > t.version AND later.version > 1
                AND (later.symbol = t.symbol OR w.record_id IS NULL)
        )
) AS newest
