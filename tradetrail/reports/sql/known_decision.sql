-- A decision, made or declined, and what bounded its view. A person's order that was declined has its person from the act.
SELECT a.decision_id,
    a.outcome,
    a.symbol,
    a.strategy_name AS strategy,
    a.strategy_version,
    a.side,
    trim_scale(a.quantity) AS quantity,
    a.reason,
    a.reason_text,
    trim_scale(a.signal_strength) AS signal_strength,
    trim_scale(a.confidence_score) AS confidence_score,
    a.trigger_event,
    coalesce(a.made_by, act.operator) AS made_by,
    coalesce(a.why, act.why) AS why,
    a.created_at AS decided_at,
    a.batch_id AS ingestion_run_id,
    a.configuration_hash,
    a.topic,
    a.partition,
    a."offset",
    a.available_at AS appended_at,
    a.view_through,
    a.trigger_id,
    a.triggered_at,
    coalesce(ready.available_at, act.available_at) AS trigger_appended_at,
    a.lookback_days::numeric AS lookback_days,
    a.view_from,
    coalesce(a.reference_through, '[]') AS reference_through,
    a.decision_rationale AS rationale
FROM decider_answers a
LEFT JOIN operator_acts act ON act.act_id = a.trigger_id
LEFT JOIN symbol_data_ready ready ON ready.trigger_id = a.trigger_id
WHERE a.decision_id = %(decision_id)s
