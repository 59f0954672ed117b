-- Every step of a decision, as the view decision_audit_trail tells it; the rationale, which is long, is left to the decision.
-- Order: first what it rests on, then the log's.
SELECT step_number,
    step,
    occurred_at,
    trim_scale(extract(epoch FROM since_previous)) AS seconds_since_previous,
    explanation,
    details - 'rationale' AS details,
    execution_id,
    topic,
    partition,
    "offset",
    event_id,
    available_at AS appended_at
FROM decision_audit_trail
WHERE decision_id = %(decision_id)s
ORDER BY step_number
