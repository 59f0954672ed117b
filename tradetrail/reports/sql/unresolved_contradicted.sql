-- Orders of ours that the log has as over or not sent, and that the broker has otherwise. They hold no symbol.
-- Order: oldest first, then the broker's id.
SELECT o.alpaca_order_id,
    o.discovered_execution_id AS execution_id,
    coalesce(o.discovered_decision_id, x.trade_decision_id) AS decision_id,
    o.discovered_account AS account,
    o.discovered_symbol AS symbol,
    o.discovered_side AS side,
    trim_scale(o.discovered_quantity) AS quantity,
    o.discovered_at,
    o.discovered_status AS broker_status,
    trim_scale(o.discovered_filled_quantity) AS broker_filled_quantity,
    trim_scale(o.discovered_filled_avg_price) AS broker_filled_avg_price,
    x.status AS recorded_status,
    trim_scale(x.filled_quantity) AS recorded_filled_quantity,
    o.discovered_explanation AS explanation,
    o.discovered_client_order_id AS client_order_id,
    o.topic,
    o.partition,
    o."offset",
    o.available_at AS appended_at
FROM alpaca_orders o
LEFT JOIN trade_executions x ON x.execution_id = o.discovered_execution_id
WHERE o.discovered_at IS NOT NULL AND o.discovered_execution_id IS NOT NULL
    AND (%(symbol)s::text IS NULL OR o.discovered_symbol = %(symbol)s)
    AND (%(account)s::text IS NULL OR o.discovered_account = %(account)s)
ORDER BY o.discovered_at, o.alpaca_order_id
LIMIT %(rows_max)s
