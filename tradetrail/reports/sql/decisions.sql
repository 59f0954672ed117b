-- Decisions on a symbol made in the period, with what became of them.
-- Order: time, then the strongest signal first, then decision id.
SELECT decision_id,
    created_at,
    strategy_name AS strategy,
    side,
    trim_scale(quantity) AS quantity,
    status,
    decision_rationale AS rationale,
    failure_reason || coalesce(':' || failure_control, '') AS failure_reason
FROM trade_decisions
WHERE symbol = %(symbol)s AND created_at >= %(since)s AND created_at < %(until)s
ORDER BY created_at, signal_strength DESC, decision_id
