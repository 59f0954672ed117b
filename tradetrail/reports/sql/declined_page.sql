-- One page of declined signals, each with the numbers behind it.
-- Order: newest first, then decision id, both descending. A page begins after the row that the cursor names.
SELECT decision_id,
    declined_at,
    symbol,
    strategy,
    strategy_version,
    reason,
    reason_text,
    side,
    trim_scale(signal_strength) AS signal_strength,
    trim_scale(confidence_score) AS confidence_score,
    rules,
    records_used,
    names,
    ingestion_run_ids,
    view_through,
    topic,
    partition,
    "offset",
    available_at AS appended_at,
    configuration_hash
FROM declined_decisions_explained
WHERE (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    AND (%(strategy)s::text IS NULL OR strategy = %(strategy)s)
    AND (%(reason)s::text IS NULL OR reason = %(reason)s)
    AND (%(since)s::timestamptz IS NULL OR declined_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR declined_at < %(until)s)
    AND (%(after_at)s::timestamptz IS NULL OR (declined_at, decision_id) < (%(after_at)s, %(after_id)s))
ORDER BY declined_at DESC, decision_id DESC
LIMIT %(rows_max)s
