-- What was ingested about a symbol: the newest version of each record of which {day}, the day reported or traded, lies in the
-- period. A record that a correction moved to another symbol stays, with when it was withdrawn from this one.
-- Order: {day}, {other_day}, record id. A page begins after the row that the cursor names.
SELECT newest.run_id AS ingestion_run_id,
    run.completed_at AS ingested_at,
    newest.available_at,
    newest.record_id,
    newest.politician,
    newest.insider,
    newest.transaction_type,
    newest.transaction_date,
    newest.disclosed_on,
    newest.withdrawn_at,
    newest.moved_to_symbol
FROM (
    (
        SELECT t.run_id, t.available_at, t.record_id, t.politician_name AS politician, NULL AS insider,
            t.transaction_type, t.transaction_date, t.disclosed_on, w.withdrawn_at, w.moved_to_symbol
        FROM congress_trades t
        LEFT JOIN disclosure_withdrawals w
            ON w.record_id = t.record_id AND w.version > t.version AND w.symbol = t.symbol
        WHERE t.symbol = %(symbol)s
            AND t.{day} BETWEEN coalesce(%(after_day)s::date, %(first_day)s) AND %(last_day)s
            AND (%(after_id)s::text IS NULL
                OR (t.{day}, coalesce(t.{other_day}, 'infinity'), t.record_id)
                    > (%(after_day)s, coalesce(%(after_other)s::date, 'infinity'), %(after_id)s))
            AND NOT EXISTS (
                SELECT FROM congress_trades later
                WHERE later.record_id = t.record_id AND later.version > t.version AND later.version > 1
                    AND (later.symbol = t.symbol OR w.record_id IS NULL)
            )
        ORDER BY t.{day}, t.{other_day} NULLS LAST, t.record_id
        LIMIT %(rows_max)s
    )
    UNION ALL
    (
        SELECT t.run_id, t.available_at, t.record_id, NULL, t.insider_name,
            t.transaction_type, t.transaction_date, t.disclosed_on, w.withdrawn_at, w.moved_to_symbol
        FROM insider_trades t
        LEFT JOIN disclosure_withdrawals w
            ON w.record_id = t.record_id AND w.version > t.version AND w.symbol = t.symbol
        WHERE t.symbol = %(symbol)s
            AND t.{day} BETWEEN coalesce(%(after_day)s::date, %(first_day)s) AND %(last_day)s
            AND (%(after_id)s::text IS NULL
                OR (t.{day}, coalesce(t.{other_day}, 'infinity'), t.record_id)
                    > (%(after_day)s, coalesce(%(after_other)s::date, 'infinity'), %(after_id)s))
            AND NOT EXISTS (
                SELECT FROM insider_trades later
                WHERE later.record_id = t.record_id AND later.version > t.version AND later.version > 1
                    AND (later.symbol = t.symbol OR w.record_id IS NULL)
            )
        ORDER BY t.{day}, t.{other_day} NULLS LAST, t.record_id
        LIMIT %(rows_max)s
    )
) AS newest
LEFT JOIN data_ingestion_runs run ON run.run_id = newest.run_id
ORDER BY newest.{day}, newest.{other_day} NULLS LAST, newest.record_id
LIMIT %(rows_max)s
