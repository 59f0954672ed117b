CREATE VIEW executed_trades AS
SELECT d.decision_id,
    d.strategy_name,
    d.strategy_version,
    d.symbol,
    d.side,
    d.quantity,
    f.filled_quantity,
    f.filled_price,
    f.filled_value_usd,
    f.commission,
    d.created_at,
    f.submitted_at,
    coalesce(d.executed_at, f.filled_at) AS executed_at,
    d.status AS decision_status,
    d.retry_count,
    f.execution_ids,
    f.alpaca_order_ids,
    d.signal_strength,
    d.confidence_score,
    d.trigger_event,
    d.made_by,
    d.why,
    d.decision_rationale AS rationale,
    d.event_id,
    d.topic,
    d.partition,
    d."offset",
    d.available_at
FROM trade_decisions d
JOIN LATERAL (
    SELECT sum(x.filled_quantity) AS filled_quantity,
        trim_scale(round(sum(x.filled_quantity * x.filled_avg_price) / sum(x.filled_quantity), 9)) AS filled_price,
        trim_scale(sum(x.filled_quantity * x.filled_avg_price)) AS filled_value_usd,
        sum(x.commission) AS commission,
        min(x.submitted_at) AS submitted_at,
        max(x.filled_at) AS filled_at,
        array_agg(x.execution_id ORDER BY x.attempt_number, x.execution_id) AS execution_ids,
        array_agg(x.alpaca_order_id ORDER BY x.attempt_number, x.execution_id) AS alpaca_order_ids
    FROM trade_executions x
    WHERE x.trade_decision_id = d.decision_id AND x.filled_quantity > 0
) AS f ON d.status = 'executed' OR f.filled_quantity > 0;
COMMENT ON VIEW executed_trades IS 'Every decision that bought or sold something, with what its fills add up to. decision_status is executed, or another where only a part was filled.';
COMMENT ON COLUMN executed_trades.decision_id IS 'The decision.';
COMMENT ON COLUMN executed_trades.strategy_name IS 'Strategy, or manual.';
COMMENT ON COLUMN executed_trades.strategy_version IS 'Version of its rules.';
COMMENT ON COLUMN executed_trades.symbol IS 'Symbol.';
COMMENT ON COLUMN executed_trades.side IS 'buy or sell.';
COMMENT ON COLUMN executed_trades.quantity IS 'Shares decided on.';
COMMENT ON COLUMN executed_trades.filled_quantity IS 'Shares filled, all its orders together.';
COMMENT ON COLUMN executed_trades.filled_price IS 'Average price of those, USD a share, to nine decimals.';
COMMENT ON COLUMN executed_trades.filled_value_usd IS 'Their value, USD, without commission.';
COMMENT ON COLUMN executed_trades.commission IS 'Commission, USD; empty when the broker named none.';
COMMENT ON COLUMN executed_trades.created_at IS 'When it was decided by the service''s clock, UTC.';
COMMENT ON COLUMN executed_trades.submitted_at IS 'When its first filled order was about to be sent, UTC.';
COMMENT ON COLUMN executed_trades.executed_at IS 'When it was executed, or its last part filled: the broker''s time, else ours, UTC.';
COMMENT ON COLUMN executed_trades.decision_status IS 'executed; or executing, failed or cancelled where only a part was filled.';
COMMENT ON COLUMN executed_trades.retry_count IS 'Attempts after the first.';
COMMENT ON COLUMN executed_trades.execution_ids IS 'Its executions that filled something, by attempt.';
COMMENT ON COLUMN executed_trades.alpaca_order_ids IS 'The broker''s ids of those.';
COMMENT ON COLUMN executed_trades.signal_strength IS '0 to 10.';
COMMENT ON COLUMN executed_trades.confidence_score IS '0 to 1.';
COMMENT ON COLUMN executed_trades.trigger_event IS 'What set it off.';
COMMENT ON COLUMN executed_trades.made_by IS 'Person, for a manual order.';
COMMENT ON COLUMN executed_trades.why IS 'The person''s reason.';
COMMENT ON COLUMN executed_trades.rationale IS 'Why: signals, sources, market, portfolio, lineage, rules.';
COMMENT ON COLUMN executed_trades.event_id IS 'Id of the decision''s event.';
COMMENT ON COLUMN executed_trades.topic IS 'Topic of that event.';
COMMENT ON COLUMN executed_trades.partition IS 'Its partition.';
COMMENT ON COLUMN executed_trades."offset" IS 'Its offset.';
COMMENT ON COLUMN executed_trades.available_at IS 'When Kafka appended that event, UTC: independent evidence of when.';
