-- Decisions on a symbol made in the period, with what became of them.
-- Order: time, then the strongest signal first, then decision id. A page begins after the row that the cursor names.
SELECT decision_id,
    created_at,
    strategy_name AS strategy,
    side,
    trim_scale(quantity) AS quantity,
    status,
    decision_rationale AS rationale,
    failure_reason || coalesce(':' || failure_control, '') AS failure_reason
FROM trade_decisions
WHERE symbol = %(symbol)s
    AND created_at >= coalesce(%(after_at)s::timestamptz, %(since)s)
    AND created_at < %(until)s
    AND (%(after_id)s::text IS NULL
        OR (created_at, -signal_strength, decision_id) > (%(after_at)s, -%(after_strength)s::numeric, %(after_id)s))
ORDER BY created_at, signal_strength DESC, decision_id
LIMIT %(rows_max)s
