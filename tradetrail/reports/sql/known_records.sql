-- Every version of a disclosure that a decision could see, used or not.
-- Order: as they stand in the log. A page begins after the row that the cursor names.
SELECT standing,
    used,
    record_id,
    version,
    record_type AS kind,
    person,
    transaction_type,
    direction,
    transaction_date,
    disclosed_on,
    trim_scale(amount_usd_min) AS amount_usd_min,
    trim_scale(amount_usd_max) AS amount_usd_max,
    trim_scale(shares) AS shares,
    trim_scale(price_usd) AS price_usd,
    flags,
    in_window,
    superseded_by_version,
    withdrawn_at,
    moved_to_symbol,
    run_id AS ingestion_run_id,
    recorded_at,
    available_at AS appended_at,
    topic,
    partition,
    "offset",
    event_id
FROM known_at_decision
WHERE decision_id = %(decision_id)s
    AND "offset" > coalesce(%(after_offset)s::bigint, -1)
ORDER BY "offset"
LIMIT %(rows_max)s
