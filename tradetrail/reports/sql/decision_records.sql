-- The record versions that a decision used, as its rationale names them, and what each says. One that is not in the database
-- has only what the rationale says of it.
-- Order: as the rationale names them.
SELECT source.record_id,
    source.version,
    record.kind,
    coalesce(record.person, source.person) AS person,
    coalesce(record.direction, source.direction) AS direction,
    record.transaction_type,
    coalesce(record.transaction_date, source.transacted_on) AS transaction_date,
    coalesce(record.disclosed_on, source.reported_on) AS disclosed_on,
    trim_scale(record.amount_usd_min) AS amount_usd_min,
    trim_scale(record.amount_usd_max) AS amount_usd_max,
    trim_scale(record.shares) AS shares,
    trim_scale(record.price_usd) AS price_usd,
    coalesce(record.flags, '{}') AS flags,
    source.run_id AS ingestion_run_id,
    record.api_call_id,
    record.recorded_at,
    record.available_at AS appended_at,
    source.topic,
    source.partition,
    source."offset",
    source.event_id
FROM (
    SELECT decision_rationale FROM trade_decisions WHERE decision_id = %(decision_id)s
    UNION ALL
    SELECT decision_rationale FROM declined_decisions WHERE decision_id = %(decision_id)s
) AS answer
CROSS JOIN ROWS FROM (
    jsonb_to_recordset(answer.decision_rationale #> '{source_data,records}')
        AS (record_id text, version integer, topic text, partition integer, "offset" bigint, event_id text,
            run_id text, person text, direction text, transacted_on date, reported_on date)
) WITH ORDINALITY AS source (record_id, version, topic, partition, "offset", event_id, run_id, person, direction,
    transacted_on, reported_on, place)
LEFT JOIN (
    SELECT record_id, version, 'congress' AS kind, politician_name AS person, direction, transaction_type,
        transaction_date, disclosed_on, amount_usd_min, amount_usd_max, NULL::numeric AS shares,
        NULL::numeric AS price_usd, flags, api_call_id, recorded_at, available_at
    FROM congress_trades
    UNION ALL
    SELECT record_id, version, 'insider', insider_name, direction, transaction_type, transaction_date, disclosed_on,
        NULL, NULL, shares, price_usd, flags, api_call_id, recorded_at, available_at
    FROM insider_trades
) AS record ON record.record_id = source.record_id AND record.version = source.version
ORDER BY source.place
