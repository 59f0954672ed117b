-- Open orders, with the value that the control order_notional saw when each was about to be sent.
-- Order: symbol, then as they were sent, then execution id.
SELECT o.execution_id,
    o.decision_id,
    o.account,
    o.symbol,
    o.side,
    trim_scale(o.quantity) AS quantity,
    trim_scale(o.remaining_quantity) AS remaining_quantity,
    o.order_type,
    trim_scale(o.limit_price) AS limit_price,
    o.status,
    o.is_unresolved,
    o.submitted_at,
    trim_scale(seen.observed_value) AS checked_value_usd
FROM open_orders o
LEFT JOIN LATERAL (
    SELECT r.observed_value
    FROM risk_checks r
    WHERE r.trade_decision_id = o.decision_id AND r.execution_id = o.execution_id
        AND r.control = 'order_notional' AND r.unit = 'USD'
    ORDER BY r."offset" DESC
    LIMIT 1
) AS seen ON true
ORDER BY o.symbol, o.submitted_at, o.execution_id
