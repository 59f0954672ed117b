-- What was ingested about a symbol: the newest version of each record whose report day lies in the period.
-- Order: report day, trade day, record id.
SELECT newest.run_id AS ingestion_run_id,
    run.completed_at AS ingested_at,
    newest.available_at,
    newest.record_id,
    newest.politician,
    newest.insider,
    newest.transaction_type,
    newest.transaction_date,
    newest.disclosed_on
FROM (
    SELECT t.run_id, t.available_at, t.record_id, t.politician_name AS politician, NULL AS insider,
        t.transaction_type, t.transaction_date, t.disclosed_on
    FROM congress_trades t
    WHERE t.symbol = %(symbol)s
        AND t.disclosed_on BETWEEN %(first_day)s AND %(last_day)s
        AND NOT EXISTS (
            SELECT 1 FROM congress_trades later
            WHERE later.record_id = t.record_id AND later.version > t.version
        )
    UNION ALL
    SELECT t.run_id, t.available_at, t.record_id, NULL, t.insider_name,
        t.transaction_type, t.transaction_date, t.disclosed_on
    FROM insider_trades t
    WHERE t.symbol = %(symbol)s
        AND t.disclosed_on BETWEEN %(first_day)s AND %(last_day)s
        AND NOT EXISTS (
            SELECT 1 FROM insider_trades later
            WHERE later.record_id = t.record_id AND later.version > t.version
        )
) AS newest
LEFT JOIN data_ingestion_runs run ON run.run_id = newest.run_id
ORDER BY newest.disclosed_on, newest.transaction_date NULLS LAST, newest.record_id
