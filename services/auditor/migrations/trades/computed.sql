CREATE VIEW trades_computed AS
SELECT d.decision_id,
    d.symbol,
    d.side,
    d.strategy_name,
    d.strategy_version,
    d.created_at,
    coalesce(
        CASE WHEN d.status = 'executed' THEN d.executed_at END,
        max(coalesce(x.filled_at, x.status_at))
    ) AS executed_at,
    min(x.submitted_at) AS submitted_at,
    sum(x.filled_quantity) AS filled_quantity,
    sum(x.filled_quantity * x.filled_avg_price) AS filled_value_usd,
    sum(x.commission) AS commission,
    array_agg(x.execution_id ORDER BY x.attempt_number, x.execution_id) AS execution_ids,
    array_agg(x.alpaca_order_id ORDER BY x.attempt_number, x.execution_id) AS alpaca_order_ids
FROM trade_decisions d
JOIN trade_executions x ON x.trade_decision_id = d.decision_id AND x.filled_quantity > 0
GROUP BY d.decision_id;

COMMENT ON VIEW trades_computed IS 'What the table trades must hold, computed anew from decisions and executions: for proving it, not for reading lists.';

COMMENT ON COLUMN trades_computed.decision_id IS 'The decision.';

COMMENT ON COLUMN trades_computed.symbol IS 'Symbol.';

COMMENT ON COLUMN trades_computed.side IS 'buy or sell.';

COMMENT ON COLUMN trades_computed.strategy_name IS 'Strategy, or manual.';

COMMENT ON COLUMN trades_computed.strategy_version IS 'Version of its rules.';

COMMENT ON COLUMN trades_computed.created_at IS 'When it was decided by the service''s clock, UTC.';

COMMENT ON COLUMN trades_computed.executed_at IS 'When it was executed, or its last part filled: the broker''s time, else ours, UTC.';

COMMENT ON COLUMN trades_computed.submitted_at IS 'When its first filled order was about to be sent, UTC.';

COMMENT ON COLUMN trades_computed.filled_quantity IS 'Shares filled, all its orders together.';

COMMENT ON COLUMN trades_computed.filled_value_usd IS 'Their value, USD, without commission.';

COMMENT ON COLUMN trades_computed.commission IS 'Commission, USD; empty when the broker named none.';

COMMENT ON COLUMN trades_computed.execution_ids IS 'Its executions that filled something, by attempt.';

COMMENT ON COLUMN trades_computed.alpaca_order_ids IS 'The broker''s ids of those.'
