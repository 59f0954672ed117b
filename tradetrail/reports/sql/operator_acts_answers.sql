-- What services answered to acts: executors by an event of their own, the decider to a manual order by its decision.
-- Order: by time, then id.
SELECT told.act_id,
    told.service,
    told.answered_at,
    told.account,
    told.member_id,
    told.is_active,
    told.outcome,
    told.explanation,
    told.details,
    told.decision_id,
    told.execution_id,
    told.decision_status,
    told.topic,
    told.partition,
    told."offset",
    told.event_id
FROM (
    SELECT act_id, 'executor' AS service, answered_at, account, member_id, is_active, outcome, explanation, details,
        decision_id, execution_id, decision_status, topic, partition, "offset", event_id
    FROM operator_answers
    WHERE act_id = ANY(%(act_ids)s)
    UNION ALL
    SELECT act.act_id, 'decider', d.created_at, NULL, NULL, NULL, 'decision_made',
        concat_ws(' ', d.side, trim_scale(d.quantity), d.symbol), NULL,
        d.decision_id, NULL, d.status, d.topic, d.partition, d."offset", d.event_id
    FROM operator_acts act
    JOIN trade_decisions d ON d.symbol = act.symbol AND d.topic = act.topic AND d.partition = act.partition
        AND d.view_through = act."offset"
    WHERE act.act_id = ANY(%(act_ids)s) AND act.act = 'manual_order'
    UNION ALL
    SELECT act.act_id, 'decider', d.created_at, NULL, NULL, NULL, 'decision_declined',
        d.reason_text, NULL,
        d.decision_id, NULL, NULL, d.topic, d.partition, d."offset", d.event_id
    FROM operator_acts act
    JOIN declined_decisions d ON d.symbol = act.symbol AND d.topic = act.topic AND d.partition = act.partition
        AND d.view_through = act."offset"
    WHERE act.act_id = ANY(%(act_ids)s) AND act.act = 'manual_order'
) AS told
ORDER BY told.answered_at, told.event_id
