INSERT INTO trades (
    decision_id, symbol, side, strategy_name, strategy_version, created_at, executed_at, submitted_at,
    filled_quantity, filled_value_usd, commission, execution_ids, alpaca_order_ids
)
SELECT decision_id, symbol, side, strategy_name, strategy_version, created_at, executed_at, submitted_at,
    filled_quantity, filled_value_usd, commission, execution_ids, alpaca_order_ids
FROM trades_computed
-- By time: a period's trades then stand close to each other.
ORDER BY executed_at, decision_id
