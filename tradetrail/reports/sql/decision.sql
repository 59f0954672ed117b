-- One decision, made or declined, with its newest status. One whose own event could not be read has what its orders say of it.
-- A person's order that was declined has its person from the act.
SELECT d.decision_id,
    d.outcome,
    d.created_at,
    d.strategy_name AS strategy,
    d.strategy_version,
    d.symbol,
    d.side,
    trim_scale(d.quantity) AS quantity,
    d.order_type,
    trim_scale(d.limit_price) AS limit_price,
    d.time_in_force,
    d.status,
    d.retry_count,
    d.executed_at,
    d.failed_at,
    d.cancelled_at,
    d.reason,
    d.control,
    d.reason_text,
    trim_scale(d.signal_strength) AS signal_strength,
    trim_scale(d.confidence_score) AS confidence_score,
    d.trigger_event,
    a.trigger_id,
    a.triggered_at,
    d.view_through,
    coalesce(d.made_by, act.operator) AS made_by,
    coalesce(d.why, act.why) AS why,
    d.batch_id AS ingestion_run_id,
    d.configuration_hash,
    NULLIF(d.topic, '') AS topic,
    d.partition,
    d."offset",
    d.available_at AS appended_at,
    d.decision_rationale AS rationale
FROM (
    SELECT decision_id, 'made' AS outcome, created_at, strategy_name, strategy_version, symbol, side, quantity,
        order_type, limit_price, time_in_force, status, retry_count, executed_at, failed_at, cancelled_at,
        failure_reason AS reason, failure_control AS control, failure_message AS reason_text, signal_strength,
        confidence_score, trigger_event, view_through, made_by, why, batch_id, configuration_hash, topic, partition,
        "offset", available_at, decision_rationale
    FROM trade_decisions
    WHERE decision_id = %(decision_id)s
    UNION ALL
    SELECT decision_id, 'declined', created_at, strategy_name, strategy_version, symbol, side, NULL,
        NULL, NULL, NULL, 'declined', NULL, NULL, NULL, NULL,
        reason, NULL, reason_text, signal_strength,
        confidence_score, trigger_event, view_through, NULL, NULL, batch_id, configuration_hash, topic, partition,
        "offset", available_at, decision_rationale
    FROM declined_decisions
    WHERE decision_id = %(decision_id)s AND created_at IS NOT NULL
) AS d
LEFT JOIN decider_answers a ON a.decision_id = %(decision_id)s
LEFT JOIN operator_acts act ON act.act_id = a.trigger_id AND act.act = 'manual_order'
