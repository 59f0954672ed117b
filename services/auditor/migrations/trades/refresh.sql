-- Sets trades to what trades_computed says of some decisions. Whoever changes one of them holds it until the end of the
-- transaction, so that two who change different orders of a decision add them up one after the other.
-- The body is bound to the tables themselves: it goes on working when a rebuilt schema is renamed into place.
CREATE FUNCTION refresh_trades(ids text[]) RETURNS void LANGUAGE sql
BEGIN ATOMIC
    SELECT decision_id FROM trade_decisions WHERE decision_id = ANY (ids) ORDER BY decision_id FOR NO KEY UPDATE;
    DELETE FROM trades t
    WHERE t.decision_id = ANY (ids)
        AND NOT EXISTS (
            SELECT FROM trade_executions x WHERE x.trade_decision_id = t.decision_id AND x.filled_quantity > 0
        );
    INSERT INTO trades AS t (
        decision_id, symbol, side, strategy_name, strategy_version, created_at, executed_at, submitted_at,
        filled_quantity, filled_value_usd, commission, execution_ids, alpaca_order_ids
    )
    SELECT decision_id, symbol, side, strategy_name, strategy_version, created_at, executed_at, submitted_at,
        filled_quantity, filled_value_usd, commission, execution_ids, alpaca_order_ids
    FROM trades_computed
    WHERE decision_id = ANY (ids)
    ORDER BY decision_id
    ON CONFLICT (decision_id) DO UPDATE SET
        symbol = excluded.symbol,
        side = excluded.side,
        strategy_name = excluded.strategy_name,
        strategy_version = excluded.strategy_version,
        created_at = excluded.created_at,
        executed_at = excluded.executed_at,
        submitted_at = excluded.submitted_at,
        filled_quantity = excluded.filled_quantity,
        filled_value_usd = excluded.filled_value_usd,
        commission = excluded.commission,
        execution_ids = excluded.execution_ids,
        alpaca_order_ids = excluded.alpaca_order_ids;
END;

REVOKE ALL ON FUNCTION refresh_trades(text[]) FROM PUBLIC
