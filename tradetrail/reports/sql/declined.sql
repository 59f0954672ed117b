-- Signals on a symbol that no trade came of, in the period, and why.
-- Order: time, then the strongest signal first, then decision id.
SELECT decision_id,
    created_at,
    strategy_name AS strategy,
    side,
    reason,
    reason_text,
    decision_rationale AS rationale
FROM declined_decisions
WHERE symbol = %(symbol)s AND created_at >= %(since)s AND created_at < %(until)s
ORDER BY created_at, signal_strength DESC, decision_id
