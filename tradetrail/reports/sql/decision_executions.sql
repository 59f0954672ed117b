-- Every attempt to execute a decision: what was sent, what came back.
-- Order: attempt, then execution id.
SELECT attempt_number AS attempt,
    execution_id,
    previous_execution_id,
    account,
    side,
    trim_scale(quantity) AS quantity,
    order_type,
    trim_scale(limit_price) AS limit_price,
    time_in_force,
    submitted_at,
    status,
    status_at,
    broker_status,
    client_order_id,
    alpaca_order_id,
    trim_scale(filled_quantity) AS filled_quantity,
    trim_scale(filled_avg_price) AS filled_avg_price,
    filled_at,
    trim_scale(commission) AS commission,
    rejected_at,
    error_details AS error_code,
    error_message,
    api_request,
    api_response,
    configuration_hash,
    NULLIF(topic, '') AS topic,
    partition,
    "offset",
    available_at AS appended_at
FROM trade_executions
WHERE trade_decision_id = %(decision_id)s
ORDER BY attempt_number, execution_id
