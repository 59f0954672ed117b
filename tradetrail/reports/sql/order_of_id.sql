-- What an id stands for: an execution, or a decision that was made; no row when it is neither.
SELECT symbol, trade_decision_id AS decision_id, execution_id
FROM trade_executions
WHERE execution_id = %(id)s AND symbol IS NOT NULL
UNION ALL
SELECT symbol, decision_id, NULL
FROM trade_decisions
WHERE decision_id = %(id)s AND symbol IS NOT NULL
LIMIT 1
