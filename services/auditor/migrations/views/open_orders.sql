CREATE VIEW open_orders AS
SELECT x.execution_id,
    x.trade_decision_id AS decision_id,
    x.attempt_number,
    d.strategy_name,
    x.account,
    x.symbol,
    x.side,
    x.quantity,
    coalesce(x.filled_quantity, 0) AS filled_quantity,
    x.quantity - coalesce(x.filled_quantity, 0) AS remaining_quantity,
    x.order_type,
    x.limit_price,
    x.time_in_force,
    x.status,
    x.status IN ('submitting', 'unknown') AS is_unresolved,
    x.broker_status,
    d.status AS decision_status,
    x.client_order_id,
    x.alpaca_order_id,
    x.submitted_at,
    x.status_at,
    x.event_id,
    x.topic,
    x.partition,
    x."offset",
    x.available_at
FROM trade_executions x
LEFT JOIN trade_decisions d ON d.decision_id = x.trade_decision_id
WHERE x.status IN ('submitting', 'submitted', 'accepted', 'partially_filled', 'unknown');
COMMENT ON VIEW open_orders IS 'Orders that are not over: sent, waiting, filled in part, or of unknown fate.';
COMMENT ON COLUMN open_orders.execution_id IS 'The execution.';
COMMENT ON COLUMN open_orders.decision_id IS 'Its decision.';
COMMENT ON COLUMN open_orders.attempt_number IS 'From 1.';
COMMENT ON COLUMN open_orders.strategy_name IS 'Strategy, or manual.';
COMMENT ON COLUMN open_orders.account IS 'Broker account.';
COMMENT ON COLUMN open_orders.symbol IS 'Symbol.';
COMMENT ON COLUMN open_orders.side IS 'buy or sell.';
COMMENT ON COLUMN open_orders.quantity IS 'Shares ordered.';
COMMENT ON COLUMN open_orders.filled_quantity IS 'Shares filled so far.';
COMMENT ON COLUMN open_orders.remaining_quantity IS 'Shares not filled yet.';
COMMENT ON COLUMN open_orders.order_type IS 'market or limit.';
COMMENT ON COLUMN open_orders.limit_price IS 'USD a share.';
COMMENT ON COLUMN open_orders.time_in_force IS 'day or gtc.';
COMMENT ON COLUMN open_orders.status IS 'submitting, submitted, accepted, partially_filled or unknown.';
COMMENT ON COLUMN open_orders.is_unresolved IS 'Whether it isn''t known what the broker made of it; see unresolved_orders.';
COMMENT ON COLUMN open_orders.broker_status IS 'The broker''s own word.';
COMMENT ON COLUMN open_orders.decision_status IS 'Status of its decision.';
COMMENT ON COLUMN open_orders.client_order_id IS 'Our id at the broker.';
COMMENT ON COLUMN open_orders.alpaca_order_id IS 'The broker''s id.';
COMMENT ON COLUMN open_orders.submitted_at IS 'When it was about to be sent, UTC.';
COMMENT ON COLUMN open_orders.status_at IS 'When that status was reached: the broker''s time, else ours, UTC.';
COMMENT ON COLUMN open_orders.event_id IS 'Id of the event that announced it.';
COMMENT ON COLUMN open_orders.topic IS 'Topic of that event.';
COMMENT ON COLUMN open_orders.partition IS 'Its partition.';
COMMENT ON COLUMN open_orders."offset" IS 'Its offset.';
COMMENT ON COLUMN open_orders.available_at IS 'When Kafka appended that event, UTC: independent evidence of when.';
