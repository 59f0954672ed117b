CREATE VIEW decision_audit_trail AS
SELECT decision_id,
    row_number() OVER story AS step_number,
    step,
    occurred_at,
    occurred_at - lag(occurred_at) OVER story AS since_previous,
    explanation,
    details,
    execution_id,
    event_id,
    topic,
    partition,
    "offset",
    available_at
FROM (
    SELECT lineage.decision_id, 1 AS phase, 'run_started' AS step, run.started_at AS occurred_at,
        run.task_name AS explanation,
        jsonb_build_object('run_id', run.run_id, 'data_source', run.data_source, 'trigger', run.trigger,
            'requested_by', run.requested_by) AS details,
        NULL AS execution_id, run.event_id, run.topic, run.partition, run."offset", run.available_at
    FROM (
        SELECT DISTINCT answer.decision_id, source.run_id
        FROM decider_answers answer
        CROSS JOIN LATERAL jsonb_to_recordset(answer.decision_rationale #> '{source_data,records}')
            AS source (run_id text)
    ) AS lineage
    JOIN data_ingestion_runs run ON run.run_id = lineage.run_id
    UNION ALL
    SELECT used.decision_id, 2, 'record_ingested', record.recorded_at,
        concat_ws(' ', record.person, record.transaction_type, record.symbol),
        jsonb_build_object('record_id', record.record_id, 'version', record.version, 'run_id', record.run_id,
            'transaction_date', record.transaction_date, 'disclosed_on', record.disclosed_on,
            'direction', record.direction, 'api_call_id', record.api_call_id),
        NULL, record.event_id, record.topic, record.partition, record."offset", record.available_at
    FROM (
        SELECT answer.decision_id, source.record_id, source.version
        FROM decider_answers answer
        CROSS JOIN LATERAL jsonb_to_recordset(answer.decision_rationale #> '{source_data,records}')
            AS source (record_id text, version integer)
    ) AS used
    JOIN (
        SELECT record_id, version, symbol, politician_name AS person, transaction_type, direction, transaction_date,
            disclosed_on, run_id, api_call_id, recorded_at, event_id, topic, partition, "offset", available_at
        FROM congress_trades
        UNION ALL
        SELECT record_id, version, symbol, insider_name, transaction_type, direction, transaction_date,
            disclosed_on, run_id, api_call_id, recorded_at, event_id, topic, partition, "offset", available_at
        FROM insider_trades
    ) AS record ON record.record_id = used.record_id AND record.version = used.version
    UNION ALL
    SELECT lineage.decision_id, 3, 'run_' || run.status, coalesce(run.completed_at, run.failed_at),
        coalesce(run.error_message, run.records_fetched || ' records fetched'),
        jsonb_build_object('run_id', run.run_id, 'records_fetched', run.records_fetched,
            'records_created', run.records_created, 'records_updated', run.records_updated),
        NULL, NULL, run.topic, run.partition, run.status_offset, NULL
    FROM (
        SELECT DISTINCT answer.decision_id, source.run_id
        FROM decider_answers answer
        CROSS JOIN LATERAL jsonb_to_recordset(answer.decision_rationale #> '{source_data,records}')
            AS source (run_id text)
    ) AS lineage
    JOIN data_ingestion_runs run ON run.run_id = lineage.run_id AND run.status IN ('completed', 'failed')
    UNION ALL
    SELECT answer.decision_id, 4, 'data_ready', ready.ready_at, 'something new about ' || ready.symbol,
        jsonb_build_object('run_id', ready.run_id, 'trigger_id', ready.trigger_id),
        NULL, ready.event_id, ready.topic, ready.partition, ready."offset", ready.available_at
    FROM decider_answers answer
    JOIN symbol_data_ready ready ON ready.trigger_id = answer.trigger_id
    UNION ALL
    SELECT answer.decision_id, 4, 'operator_acted', act.acted_at, act.operator || ': ' || act.why,
        jsonb_build_object('act', act.act, 'operator', act.operator, 'why', act.why, 'arguments', act.arguments),
        NULL, act.event_id, act.topic, act.partition, act."offset", act.available_at
    FROM decider_answers answer
    JOIN operator_acts act ON act.act_id = answer.trigger_id
    UNION ALL
    SELECT answer.decision_id, 5, 'decision_' || answer.outcome, answer.created_at,
        coalesce(answer.reason_text, concat_ws(' ', answer.side, trim_scale(answer.quantity), answer.symbol)),
        jsonb_build_object('strategy_name', answer.strategy_name, 'strategy_version', answer.strategy_version,
            'symbol', answer.symbol, 'side', answer.side, 'quantity', answer.quantity, 'reason', answer.reason,
            'view_through', answer.view_through, 'configuration_hash', answer.configuration_hash,
            'rationale', answer.decision_rationale),
        NULL, answer.event_id, answer.topic, answer.partition, answer."offset", answer.available_at
    FROM decider_answers answer
    UNION ALL
    SELECT call.decision_id, CASE WHEN call.execution_id IS NULL THEN 5 ELSE 6 END, 'vendor_called', call.requested_at,
        concat_ws(' ', call.vendor, call.method, call.endpoint, coalesce(call.status_code::text, call.error)),
        jsonb_build_object('call_id', call.call_id, 'purpose', call.purpose, 'status_code', call.status_code,
            'error', call.error, 'duration_us', call.duration_us),
        call.execution_id, call.event_id, call.topic, call.partition, call."offset", call.available_at
    FROM api_payloads call
    WHERE call.decision_id IS NOT NULL AND call.chunk_index = 0
    UNION ALL
    SELECT x.trade_decision_id, 6, 'order_' || h.status, coalesce(h.broker_at, h.occurred_at),
        coalesce(h.error_message, h.failure_reason, h.broker_status, x.client_order_id),
        CASE h.status
            WHEN 'submitting' THEN jsonb_build_object('attempt_number', x.attempt_number,
                'client_order_id', x.client_order_id, 'account', x.account, 'api_request', x.api_request,
                'risk_checks', (
                    SELECT jsonb_agg(jsonb_build_object('control', r.control, 'passed', r.passed,
                        'limit', r.limit_value, 'observed', r.observed_value, 'unit', r.unit) ORDER BY r.check_number)
                    FROM risk_checks r
                    WHERE r.trade_decision_id = x.trade_decision_id AND r.execution_id = x.execution_id
                ))
            ELSE jsonb_build_object('attempt_number', h.attempt_number, 'decision_status', h.decision_status,
                'source', h.source, 'filled_quantity', h.filled_quantity, 'fill_quantity', h.fill_quantity,
                'fill_price', h.fill_price, 'filled_avg_price', h.filled_avg_price, 'commission', h.commission,
                'failure_reason', h.failure_reason, 'api_response', h.api_response)
        END,
        x.execution_id, h.event_id, h.topic, h.partition, h."offset", h.available_at
    FROM trade_executions x
    JOIN trade_execution_history h ON h.execution_id = x.execution_id
    UNION ALL
    SELECT d.decision_id, 6, 'order_blocked', d.failed_at, d.failure_message,
        jsonb_build_object('control', d.failure_control, 'risk_checks', checks.told),
        NULL, checks.event_id, d.topic, d.partition, d.status_offset, checks.available_at
    FROM trade_decisions d
    LEFT JOIN LATERAL (
        SELECT min(r.event_id) AS event_id, min(r.available_at) AS available_at,
            jsonb_agg(jsonb_build_object('control', r.control, 'passed', r.passed, 'limit', r.limit_value,
                'observed', r.observed_value, 'unit', r.unit) ORDER BY r.check_number) AS told
        FROM risk_checks r
        WHERE r.trade_decision_id = d.decision_id AND r.execution_id IS NULL AND r."offset" = d.status_offset
    ) AS checks ON true
    WHERE d.status = 'failed' AND d.failure_reason = 'blocked'
    UNION ALL
    SELECT act.decision_id, 6, 'operator_acted', act.acted_at, act.operator || ': ' || act.why,
        jsonb_build_object('act', act.act, 'operator', act.operator, 'why', act.why, 'arguments', act.arguments),
        act.execution_id, act.event_id, act.topic, act.partition, act."offset", act.available_at
    FROM operator_acts act
    WHERE act.decision_id IS NOT NULL AND act.act <> 'manual_order'
    UNION ALL
    SELECT told.decision_id, 6, 'operator_answered', told.answered_at, told.explanation,
        jsonb_build_object('act', told.act, 'act_id', told.act_id, 'outcome', told.outcome, 'details', told.details,
            'decision_status', told.decision_status),
        told.execution_id, told.event_id, told.topic, told.partition, told."offset", told.available_at
    FROM operator_answers told
    WHERE told.decision_id IS NOT NULL
    UNION ALL
    SELECT coalesce(o.discovered_decision_id, o.trade_decision_id), 6, 'broker_order_discovered', o.discovered_at,
        o.discovered_explanation,
        jsonb_build_object('alpaca_order_id', o.alpaca_order_id, 'broker_status', o.discovered_status,
            'filled_quantity', o.discovered_filled_quantity),
        coalesce(o.discovered_execution_id, o.execution_id), o.event_id, o.topic, o.partition, o."offset",
        o.available_at
    FROM alpaca_orders o
    WHERE o.discovered_at IS NOT NULL AND coalesce(o.discovered_decision_id, o.trade_decision_id) IS NOT NULL
) AS steps
WINDOW story AS (PARTITION BY decision_id ORDER BY phase, available_at, topic, partition, "offset", step);
COMMENT ON VIEW decision_audit_trail IS 'Every step of a decision, made or declined: the runs and records it rests on, what set it off, its calls, orders, fills, blocks and acts, each with its time and place in the log. Always ask for one decision_id, ordered by step_number.';
COMMENT ON COLUMN decision_audit_trail.decision_id IS 'The decision, made or declined; see decider_answers.';
COMMENT ON COLUMN decision_audit_trail.step_number IS 'From 1: first what it rests on, then in the order of the log.';
COMMENT ON COLUMN decision_audit_trail.step IS 'run_started, record_ingested, run_completed, run_failed, data_ready, vendor_called, decision_made, decision_declined, order_submitting, order_accepted and so on, order_blocked, operator_acted, operator_answered, broker_order_discovered.';
COMMENT ON COLUMN decision_audit_trail.occurred_at IS 'When, UTC: the broker''s time where it told, else the service''s clock.';
COMMENT ON COLUMN decision_audit_trail.since_previous IS 'Time since the step before.';
COMMENT ON COLUMN decision_audit_trail.explanation IS 'What it was, in words.';
COMMENT ON COLUMN decision_audit_trail.details IS 'Its numbers: a request, an answer, the rationale, the risk checks.';
COMMENT ON COLUMN decision_audit_trail.execution_id IS 'The execution it belongs to.';
COMMENT ON COLUMN decision_audit_trail.event_id IS 'Id of the event behind it; empty for the end of a run: its offset says which.';
COMMENT ON COLUMN decision_audit_trail.topic IS 'Topic of that event.';
COMMENT ON COLUMN decision_audit_trail.partition IS 'Its partition.';
COMMENT ON COLUMN decision_audit_trail."offset" IS 'Its offset.';
COMMENT ON COLUMN decision_audit_trail.available_at IS 'When Kafka appended that event, UTC: independent evidence of when.';
