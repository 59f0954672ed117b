-- One page of the orders of which it isn't known what the broker made of them.
-- Waiting: decisions on the symbol that nothing is sent for meanwhile.
-- Order: oldest first, then execution id, both ascending. A page begins after the row that the cursor names.
SELECT u.execution_id,
    u.decision_id,
    u.attempt_number AS attempt,
    d.strategy_name AS strategy,
    d.made_by,
    u.account,
    u.symbol,
    u.side,
    trim_scale(u.quantity) AS quantity,
    u.status,
    coalesce(u.unresolved_since, u.newest_at) AS unresolved_since,
    u.submitted_at,
    u.reason,
    u.answers,
    u.newest_source,
    u.newest_at,
    u.broker_status,
    u.error_message,
    u.api_response,
    u.client_order_id,
    u.alpaca_order_id,
    u.symbol AS symbol_held,
    (
        SELECT count(*)
        FROM trade_decisions waiting
        WHERE waiting.symbol = u.symbol AND waiting.status = 'pending'
    ) AS decisions_waiting,
    NULLIF(u.topic, '') AS topic,
    u.partition,
    u."offset",
    u.available_at AS appended_at
FROM unresolved_orders u
LEFT JOIN trade_decisions d ON d.decision_id = u.decision_id
WHERE (%(symbol)s::text IS NULL OR u.symbol = %(symbol)s)
    AND (%(account)s::text IS NULL OR u.account = %(account)s)
    AND (%(after_at)s::timestamptz IS NULL
        OR (coalesce(u.unresolved_since, u.newest_at), u.execution_id) > (%(after_at)s, %(after_id)s))
ORDER BY coalesce(u.unresolved_since, u.newest_at), u.execution_id
LIMIT %(rows_max)s
