-- What the decider had answered about a symbol before: decisions with the status they had at view_through, and declines.
-- An answer counts from its trigger's offset on, wherever its own event stands.
-- Order: as their triggers stand in the log, then decision id. A page begins after the row that the cursor names.
SELECT a.decision_id,
    a.outcome,
    a.strategy_name AS strategy,
    a.strategy_version,
    a.side,
    trim_scale(a.quantity) AS quantity,
    CASE
        WHEN a.outcome = 'declined' THEN NULL
        WHEN decision.status_offset <= %(view_through)s THEN decision.status
        ELSE coalesce(
            (
                SELECT told.decision_status
                FROM trade_executions execution
                JOIN trade_execution_history told USING (execution_id)
                WHERE execution.trade_decision_id = a.decision_id
                    AND told.topic = %(topic)s AND told.partition = %(partition)s
                    AND told."offset" <= %(view_through)s
                ORDER BY told."offset" DESC
                LIMIT 1
            ),
            'pending'
        )
    END AS status,
    a.reason,
    trim_scale(a.signal_strength) AS signal_strength,
    a.created_at AS decided_at,
    coalesce(a.created_at >= %(view_from)s, true) AS in_window,
    a.view_through,
    a.available_at AS appended_at,
    a.topic,
    a.partition,
    a."offset",
    a.event_id
FROM decider_answers a
LEFT JOIN trade_decisions decision ON decision.decision_id = a.decision_id
WHERE a.symbol = %(symbol)s AND a.topic = %(topic)s AND a.partition = %(partition)s
    AND a.view_through < %(view_through)s
    AND (%(after_id)s::text IS NULL OR (a.view_through, a.decision_id) > (%(after_through)s, %(after_id)s))
ORDER BY a.view_through, a.decision_id
LIMIT %(rows_max)s
