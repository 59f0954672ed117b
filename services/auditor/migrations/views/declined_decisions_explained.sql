CREATE VIEW declined_decisions_explained AS
SELECT decision_id,
    created_at AS declined_at,
    symbol,
    strategy_name AS strategy,
    strategy_version,
    reason,
    reason_text,
    side,
    signal_strength,
    confidence_score,
    coalesce(decision_rationale -> 'rules', '[]') AS rules,
    coalesce(jsonb_array_length(decision_rationale #> '{source_data,records}'), 0) AS records_used,
    ARRAY(
        SELECT jsonb_array_elements_text(decision_rationale #> '{source_data,politician_names}')
        UNION ALL
        SELECT jsonb_array_elements_text(decision_rationale #> '{source_data,insider_names}')
    ) AS names,
    ARRAY(
        SELECT run ->> 'run_id' FROM jsonb_array_elements(decision_rationale #> '{data_lineage,ingestion_runs}') AS run
    ) AS ingestion_run_ids,
    view_through,
    topic,
    partition,
    "offset",
    available_at,
    configuration_hash
FROM declined_decisions
WHERE created_at IS NOT NULL;
COMMENT ON VIEW declined_decisions_explained IS 'Why there was no trade: every declined signal with its reason, the numbers behind it and the data it rested on.';
COMMENT ON COLUMN declined_decisions_explained.decision_id IS 'UUIDv5 of trigger and strategy.';
COMMENT ON COLUMN declined_decisions_explained.declined_at IS 'When it was declined by the service''s clock, UTC.';
COMMENT ON COLUMN declined_decisions_explained.symbol IS 'Symbol.';
COMMENT ON COLUMN declined_decisions_explained.strategy IS 'Strategy, or manual.';
COMMENT ON COLUMN declined_decisions_explained.strategy_version IS 'Version of its rules.';
COMMENT ON COLUMN declined_decisions_explained.reason IS 'Why no trade came of it, as a code; docs/decider.md lists them.';
COMMENT ON COLUMN declined_decisions_explained.reason_text IS 'The same in a sentence, with the numbers.';
COMMENT ON COLUMN declined_decisions_explained.side IS 'buy or sell; empty when there was no signal.';
COMMENT ON COLUMN declined_decisions_explained.signal_strength IS '0 to 10.';
COMMENT ON COLUMN declined_decisions_explained.confidence_score IS '0 to 1.';
COMMENT ON COLUMN declined_decisions_explained.rules IS 'Each rule in the order applied: a list of {rule, value, threshold, passed, explanation}.';
COMMENT ON COLUMN declined_decisions_explained.records_used IS 'How many disclosures it rested on.';
COMMENT ON COLUMN declined_decisions_explained.names IS 'Politicians and insiders of those.';
COMMENT ON COLUMN declined_decisions_explained.ingestion_run_ids IS 'Runs of those, by completion.';
COMMENT ON COLUMN declined_decisions_explained.view_through IS 'It saw its partition through this offset, inclusive.';
COMMENT ON COLUMN declined_decisions_explained.topic IS 'Topic of its event, and of what it saw.';
COMMENT ON COLUMN declined_decisions_explained.partition IS 'Partition of both.';
COMMENT ON COLUMN declined_decisions_explained."offset" IS 'Offset of its event.';
COMMENT ON COLUMN declined_decisions_explained.available_at IS 'When Kafka appended that event, UTC.';
COMMENT ON COLUMN declined_decisions_explained.configuration_hash IS 'Configuration it was declined under.';
