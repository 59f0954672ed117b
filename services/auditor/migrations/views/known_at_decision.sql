CREATE VIEW known_at_decision AS
SELECT known.decision_id,
    known.record_id,
    known.version,
    known.record_type,
    known.person,
    known.transaction_type,
    known.direction,
    known.transaction_date,
    known.disclosed_on,
    known.amount_usd_min,
    known.amount_usd_max,
    known.shares,
    known.price_usd,
    known.flags,
    CASE
        WHEN known.used THEN 'used'
        WHEN gone.withdrawn_at IS NOT NULL THEN 'withdrawn'
        WHEN known.newest > known.version THEN 'superseded'
        WHEN known.recorded_at < known.view_from THEN 'outside_window'
        ELSE 'seen'
    END AS standing,
    known.used,
    nullif(known.newest, known.version) AS superseded_by_version,
    gone.withdrawn_at,
    gone.moved_to_symbol,
    coalesce(known.recorded_at >= known.view_from, true) AS in_window,
    known.run_id,
    known.recorded_at,
    known.event_id,
    known.topic,
    known.partition,
    known."offset",
    known.available_at
FROM (
    SELECT a.decision_id,
        a.view_through,
        a.view_from,
        record.*,
        concat_ws('/', record.topic, record.partition, record."offset", record.record_id, record.version)
            = ANY(a.sources) AS used,
        max(record.version) OVER (PARTITION BY a.decision_id, record.record_id) AS newest
    FROM (
        -- Distinct, although it is anyway: so the rationale is read once a decision and not once a record.
        SELECT DISTINCT ON (answer.decision_id)
            answer.decision_id, answer.symbol, answer.topic, answer.partition, answer.view_through, answer.view_from,
            ARRAY(
                SELECT concat_ws('/', topic, partition, "offset", record_id, version)
                FROM jsonb_to_recordset(answer.decision_rationale #> '{source_data,records}')
                    AS source (record_id text, version integer, topic text, partition integer, "offset" bigint)
            ) AS sources
        FROM decider_answers answer
    ) AS a
    JOIN (
        SELECT record_id, version, symbol, 'congress' AS record_type, politician_name AS person, transaction_type,
            direction, transaction_date, disclosed_on, amount_usd_min, amount_usd_max, NULL::numeric AS shares,
            NULL::numeric AS price_usd, flags, run_id, recorded_at, event_id, topic, partition, "offset", available_at
        FROM congress_trades
        UNION ALL
        SELECT record_id, version, symbol, 'insider', insider_name, transaction_type,
            direction, transaction_date, disclosed_on, NULL, NULL, shares,
            price_usd, flags, run_id, recorded_at, event_id, topic, partition, "offset", available_at
        FROM insider_trades
    ) AS record
        ON record.symbol = a.symbol AND record.topic = a.topic AND record.partition = a.partition
        AND record."offset" <= a.view_through
) AS known
LEFT JOIN LATERAL (
    SELECT w.withdrawn_at, w.moved_to_symbol
    FROM disclosure_withdrawals w
    WHERE w.record_id = known.record_id AND w.version > known.version AND w.symbol = known.symbol
        AND w.topic = known.topic AND w.partition = known.partition AND w."offset" <= known.view_through
    ORDER BY w.version
    LIMIT 1
) AS gone ON true;
COMMENT ON VIEW known_at_decision IS 'Every version of a disclosure that a decision, made or declined, could see: recorded about its symbol at or before view_through; nothing later. Always ask for one decision_id.';
COMMENT ON COLUMN known_at_decision.decision_id IS 'The decision, made or declined; see decider_answers.';
COMMENT ON COLUMN known_at_decision.record_id IS 'Stable id of the record.';
COMMENT ON COLUMN known_at_decision.version IS 'From 1; a changed record is a new version.';
COMMENT ON COLUMN known_at_decision.record_type IS 'congress or insider.';
COMMENT ON COLUMN known_at_decision.person IS 'Politician or insider.';
COMMENT ON COLUMN known_at_decision.transaction_type IS 'The vendor''s word or code.';
COMMENT ON COLUMN known_at_decision.direction IS 'What that means.';
COMMENT ON COLUMN known_at_decision.transaction_date IS 'Day of the trade.';
COMMENT ON COLUMN known_at_decision.disclosed_on IS 'Day of the report.';
COMMENT ON COLUMN known_at_decision.amount_usd_min IS 'Lower bound of a politician''s amount, USD.';
COMMENT ON COLUMN known_at_decision.amount_usd_max IS 'Upper bound, USD; empty when open.';
COMMENT ON COLUMN known_at_decision.shares IS 'Shares, of an insider.';
COMMENT ON COLUMN known_at_decision.price_usd IS 'Price, of an insider, USD a share.';
COMMENT ON COLUMN known_at_decision.flags IS 'What is odd about the row.';
COMMENT ON COLUMN known_at_decision.standing IS 'used; or, of those not used, the first that holds: withdrawn, superseded, outside_window, seen.';
COMMENT ON COLUMN known_at_decision.used IS 'Whether the rationale names exactly this version at this position.';
COMMENT ON COLUMN known_at_decision.superseded_by_version IS 'Newest version of the record that was known then; empty when this is it.';
COMMENT ON COLUMN known_at_decision.withdrawn_at IS 'When a correction known then took it away from the symbol, by the ingestor''s clock, UTC.';
COMMENT ON COLUMN known_at_decision.moved_to_symbol IS 'Symbol it stands under since.';
COMMENT ON COLUMN known_at_decision.in_window IS 'Whether it was recorded within the look-back of the view.';
COMMENT ON COLUMN known_at_decision.run_id IS 'Run that fetched it.';
COMMENT ON COLUMN known_at_decision.recorded_at IS 'When the ingestor recorded it by its clock, UTC.';
COMMENT ON COLUMN known_at_decision.event_id IS 'Id of the event this row comes from.';
COMMENT ON COLUMN known_at_decision.topic IS 'Topic of that event.';
COMMENT ON COLUMN known_at_decision.partition IS 'Its partition.';
COMMENT ON COLUMN known_at_decision."offset" IS 'Its offset; never above the decision''s view_through.';
COMMENT ON COLUMN known_at_decision.available_at IS 'When Kafka appended that event, UTC: independent evidence of when.';
