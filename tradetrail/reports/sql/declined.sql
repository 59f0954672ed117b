-- Signals on a symbol that no trade came of, in the period, and why.
-- Order: time, then the strongest signal first, then decision id. A page begins after the row that the cursor names.
SELECT decision_id,
    created_at,
    strategy_name AS strategy,
    side,
    reason,
    reason_text,
    decision_rationale AS rationale
FROM declined_decisions
WHERE symbol = %(symbol)s
    AND created_at >= coalesce(%(after_at)s::timestamptz, %(since)s)
    AND created_at < %(until)s
    AND (%(after_id)s::text IS NULL
        OR (created_at, -signal_strength, decision_id) > (%(after_at)s, -%(after_strength)s::numeric, %(after_id)s))
ORDER BY created_at, signal_strength DESC, decision_id
LIMIT %(rows_max)s
