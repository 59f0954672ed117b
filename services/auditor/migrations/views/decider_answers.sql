CREATE VIEW decider_answers AS
SELECT a.decision_id,
    a.outcome,
    a.strategy_name,
    a.strategy_version,
    a.symbol,
    a.side,
    a.quantity,
    a.reason,
    a.reason_text,
    a.signal_strength,
    a.confidence_score,
    a.trigger_event,
    a.made_by,
    a.why,
    a.created_at,
    coalesce(ready.trigger_id, act.act_id) AS trigger_id,
    coalesce(ready.ready_at, act.acted_at) AS triggered_at,
    a.view_through,
    c.lookback_days,
    coalesce(ready.ready_at, act.acted_at, a.created_at) - c.lookback_days * interval '24 hours' AS view_from,
    a.reference_through,
    a.api_call_ids,
    a.batch_id,
    a.configuration_hash,
    a.decision_rationale,
    a.event_id,
    a.topic,
    a.partition,
    a."offset",
    a.available_at
FROM (
    SELECT decision_id, 'made' AS outcome, strategy_name, strategy_version, symbol, side, quantity,
        NULL AS reason, NULL AS reason_text, signal_strength, confidence_score, trigger_event, made_by, why,
        created_at, view_through, reference_through, api_call_ids, batch_id, configuration_hash, decision_rationale,
        event_id, topic, partition, "offset", available_at
    FROM trade_decisions
    WHERE created_at IS NOT NULL
    UNION ALL
    SELECT decision_id, 'declined', strategy_name, strategy_version, symbol, side, NULL::numeric,
        reason, reason_text, signal_strength, confidence_score, trigger_event, NULL, NULL,
        created_at, view_through, reference_through, api_call_ids, batch_id, configuration_hash, decision_rationale,
        event_id, topic, partition, "offset", available_at
    FROM declined_decisions
    WHERE created_at IS NOT NULL
) AS a
LEFT JOIN symbol_data_ready ready
    ON ready.symbol = a.symbol AND ready.topic = a.topic AND ready.partition = a.partition
    AND ready."offset" = a.view_through
LEFT JOIN operator_acts act
    ON act.topic = a.topic AND act.partition = a.partition AND act."offset" = a.view_through
LEFT JOIN (
    SELECT configuration_hash,
        CASE jsonb_typeof(configuration -> 'lookback_days')
            WHEN 'number' THEN (configuration ->> 'lookback_days')::double precision
        END AS lookback_days
    FROM configurations
) AS c ON c.configuration_hash = a.configuration_hash;
COMMENT ON VIEW decider_answers IS 'Every answer of the decider, a decision made or a signal declined, with what bounded its view.';
COMMENT ON COLUMN decider_answers.decision_id IS 'UUIDv5 of trigger and strategy.';
COMMENT ON COLUMN decider_answers.outcome IS 'made or declined.';
COMMENT ON COLUMN decider_answers.strategy_name IS 'Strategy, or manual.';
COMMENT ON COLUMN decider_answers.strategy_version IS 'Version of its rules.';
COMMENT ON COLUMN decider_answers.symbol IS 'Symbol.';
COMMENT ON COLUMN decider_answers.side IS 'buy or sell.';
COMMENT ON COLUMN decider_answers.quantity IS 'Shares, of a decision made.';
COMMENT ON COLUMN decider_answers.reason IS 'Why no trade came of it, as a code; of a declined one.';
COMMENT ON COLUMN decider_answers.reason_text IS 'The same in a sentence.';
COMMENT ON COLUMN decider_answers.signal_strength IS '0 to 10.';
COMMENT ON COLUMN decider_answers.confidence_score IS '0 to 1.';
COMMENT ON COLUMN decider_answers.trigger_event IS 'What set it off.';
COMMENT ON COLUMN decider_answers.made_by IS 'Person, for a manual order.';
COMMENT ON COLUMN decider_answers.why IS 'The person''s reason.';
COMMENT ON COLUMN decider_answers.created_at IS 'When it was decided by the service''s clock, UTC.';
COMMENT ON COLUMN decider_answers.trigger_id IS 'Id of the event it answers, at view_through; see symbol_data_ready and operator_acts.';
COMMENT ON COLUMN decider_answers.triggered_at IS 'When that event happened by its service''s clock, UTC.';
COMMENT ON COLUMN decider_answers.view_through IS 'It saw its partition through this offset, inclusive.';
COMMENT ON COLUMN decider_answers.lookback_days IS 'How many days its view reached back, by the configuration it names; empty: to the beginning.';
COMMENT ON COLUMN decider_answers.view_from IS 'Its view held what happened at or after this instant, UTC; empty: no bound.';
COMMENT ON COLUMN decider_answers.reference_through IS 'How far the reference topic was seen: a list of {topic, partition, offset}, inclusive.';
COMMENT ON COLUMN decider_answers.api_call_ids IS 'Every recorded call that was made for it, also those that failed: a list of call ids.';
COMMENT ON COLUMN decider_answers.batch_id IS 'Run whose data set it off.';
COMMENT ON COLUMN decider_answers.configuration_hash IS 'Configuration it was made under.';
COMMENT ON COLUMN decider_answers.decision_rationale IS 'Why: signals, sources, market, portfolio, lineage, rules.';
COMMENT ON COLUMN decider_answers.event_id IS 'Id of its event.';
COMMENT ON COLUMN decider_answers.topic IS 'Topic of that event, and of its view.';
COMMENT ON COLUMN decider_answers.partition IS 'Partition of both.';
COMMENT ON COLUMN decider_answers."offset" IS 'Offset of its event.';
COMMENT ON COLUMN decider_answers.available_at IS 'When Kafka appended that event, UTC.';
