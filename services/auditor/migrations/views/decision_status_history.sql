CREATE VIEW decision_status_history AS
SELECT decision_id,
    status,
    occurred_at,
    execution_id,
    reason,
    event_id,
    topic,
    partition,
    "offset",
    available_at
FROM (
    SELECT told.*, lag(status) OVER (PARTITION BY decision_id ORDER BY "offset") AS before
    FROM (
        SELECT decision_id, 'pending' AS status, created_at AS occurred_at, NULL AS execution_id, NULL AS reason,
            event_id, topic, partition, "offset", available_at
        FROM trade_decisions
        WHERE created_at IS NOT NULL
        UNION ALL
        SELECT x.trade_decision_id, h.decision_status, coalesce(h.broker_at, h.occurred_at), x.execution_id,
            h.failure_reason, h.event_id, h.topic, h.partition, h."offset", h.available_at
        FROM trade_executions x
        JOIN trade_execution_history h ON h.execution_id = x.execution_id
        UNION ALL
        SELECT decision_id, status, failed_at, NULL, failure_control, NULL, topic, partition, status_offset, NULL
        FROM trade_decisions
        WHERE status = 'failed' AND failure_reason = 'blocked'
        UNION ALL
        SELECT decision_id, decision_status, answered_at, execution_id, act, event_id, topic, partition, "offset",
            available_at
        FROM operator_answers
        WHERE decision_status = 'cancelled'
    ) AS told
) AS compared
WHERE status IS DISTINCT FROM before;
COMMENT ON VIEW decision_status_history IS 'Every status a decision went through, with the event that set it. A status that an event only repeats has no row.';
COMMENT ON COLUMN decision_status_history.decision_id IS 'The decision.';
COMMENT ON COLUMN decision_status_history.status IS 'pending, executing, executed, failed or cancelled.';
COMMENT ON COLUMN decision_status_history.occurred_at IS 'When it was reached, UTC: the broker''s time where it told, else ours.';
COMMENT ON COLUMN decision_status_history.execution_id IS 'The execution through which.';
COMMENT ON COLUMN decision_status_history.reason IS 'Why it failed or was cancelled, as a code: failure reason, control or act.';
COMMENT ON COLUMN decision_status_history.event_id IS 'Id of the event that set it; empty for a block: its offset says which.';
COMMENT ON COLUMN decision_status_history.topic IS 'Topic of that event.';
COMMENT ON COLUMN decision_status_history.partition IS 'Its partition.';
COMMENT ON COLUMN decision_status_history."offset" IS 'Its offset.';
COMMENT ON COLUMN decision_status_history.available_at IS 'When Kafka appended that event, UTC: independent evidence of when.';
