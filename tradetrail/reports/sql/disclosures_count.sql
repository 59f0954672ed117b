-- How many rows disclosures.sql has, whatever the page: all of the period, less those that a later version took the place of.
-- Few are changed, and which ones an index knows; of the others no row is looked at.
SELECT sum(part.counted)::bigint AS data_ingested
FROM (
    SELECT count(*) AS counted
    FROM congress_trades
    WHERE symbol = %(symbol)s AND {day} BETWEEN %(first_day)s AND %(last_day)s
    UNION ALL
    SELECT count(*)
    FROM insider_trades
    WHERE symbol = %(symbol)s AND {day} BETWEEN %(first_day)s AND %(last_day)s
    UNION ALL
    SELECT -count(*)
    FROM congress_trades t
    WHERE t.symbol = %(symbol)s
        AND t.{day} BETWEEN %(first_day)s AND %(last_day)s
        AND EXISTS (
            SELECT FROM congress_trades later
            WHERE later.record_id = t.record_id AND later.version > t.version AND later.version > 1
                AND (later.symbol = t.symbol OR NOT EXISTS (
                    SELECT FROM disclosure_withdrawals w
                    WHERE w.record_id = t.record_id AND w.version > t.version AND w.symbol = t.symbol
                ))
        )
    UNION ALL
    SELECT -count(*)
    FROM insider_trades t
    WHERE t.symbol = %(symbol)s
        AND t.{day} BETWEEN %(first_day)s AND %(last_day)s
        AND EXISTS (
            SELECT FROM insider_trades later
            WHERE later.record_id = t.record_id AND later.version > t.version AND later.version > 1
                AND (later.symbol = t.symbol OR NOT EXISTS (
                    SELECT FROM disclosure_withdrawals w
                    WHERE w.record_id = t.record_id AND w.version > t.version AND w.symbol = t.symbol
                ))
        )
) AS part
