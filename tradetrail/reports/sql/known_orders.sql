-- What had become of orders of a symbol by view_through: each state of each, orders that a control refused, and those
-- found at the broker.
-- Order: as it stands in the log, then as the controls of one event do. A page begins after the row that the cursor names.
SELECT *
FROM (
    SELECT execution.trade_decision_id AS decision_id,
        execution.attempt_number,
        execution.side,
        trim_scale(execution.quantity) AS quantity,
        told.status,
        trim_scale(told.filled_quantity) AS filled_quantity,
        trim_scale(told.filled_avg_price) AS filled_avg_price,
        told.failure_reason AS reason,
        told.error_message AS reason_text,
        told.occurred_at AS recorded_at,
        told.available_at AS appended_at,
        told.topic,
        told.partition,
        told."offset",
        told.event_id,
        0 AS check_number
    FROM trade_executions execution
    JOIN trade_execution_history told USING (execution_id)
    WHERE execution.symbol = %(symbol)s AND told.topic = %(topic)s AND told.partition = %(partition)s
        AND told."offset" <= %(view_through)s
    UNION ALL
    SELECT refused.trade_decision_id, refused.attempt_number, decision.side, trim_scale(decision.quantity), 'blocked',
        NULL, NULL, refused.control, refused.explanation, refused.checked_at, refused.available_at,
        refused.topic, refused.partition, refused."offset", refused.event_id, refused.check_number
    FROM trade_decisions decision
    JOIN risk_checks refused ON refused.trade_decision_id = decision.decision_id
    WHERE decision.symbol = %(symbol)s AND refused.execution_id IS NULL AND NOT refused.passed
        AND refused.topic = %(topic)s AND refused.partition = %(partition)s AND refused."offset" <= %(view_through)s
    UNION ALL
    SELECT NULL, NULL, discovered_side, trim_scale(discovered_quantity), discovered_status,
        trim_scale(discovered_filled_quantity), trim_scale(discovered_filled_avg_price), NULL, 'found at the broker',
        discovered_at, available_at, topic, partition, "offset", event_id, 0
    FROM alpaca_orders
    WHERE discovered_symbol = %(symbol)s AND discovered_at IS NOT NULL
        AND topic = %(topic)s AND partition = %(partition)s AND "offset" <= %(view_through)s
) AS state
WHERE ("offset", check_number) > (coalesce(%(after_offset)s::bigint, -1), coalesce(%(after_check)s::bigint, 0))
ORDER BY "offset", check_number
LIMIT %(rows_max)s
