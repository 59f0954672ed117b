-- One page of executed trades: decisions that bought or sold something, each with what its fills add up to.
-- Those executed are found by when they were. Of the others, with a part filled, one is still under way, or has an order that
-- ended before it was whole: an order filled wholly leaves its decision executed, or under way while another order is open.
-- Order: newest first, then decision id, both descending. A page begins after the row that the cursor names.
WITH partly AS (
    SELECT trade_decision_id AS decision_id
    FROM trade_executions
    WHERE filled_quantity > 0 AND status <> 'filled'
    UNION
    SELECT decision_id FROM trade_decisions WHERE status = 'executing'
), chosen AS (
    (
        SELECT decision_id, executed_at
        FROM trade_decisions
        WHERE status = 'executed'
            AND executed_at >= coalesce(%(since)s::timestamptz, '-infinity')
            AND executed_at < coalesce(%(until)s::timestamptz, 'infinity')
            AND (executed_at, decision_id)
                < (coalesce(%(after_at)s::timestamptz, 'infinity'), coalesce(%(after_id)s::text, ''))
            AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
            AND (%(strategy)s::text IS NULL OR strategy_name = %(strategy)s)
            AND (%(side)s::text IS NULL OR side = %(side)s)
        ORDER BY executed_at DESC, decision_id DESC
        LIMIT %(rows_max)s
    )
    UNION ALL
    SELECT decision_id, executed_at
    FROM partly
    CROSS JOIN LATERAL (
        SELECT coalesce(max(x.filled_at), max(x.status_at)) AS executed_at
        FROM trade_executions x
        WHERE x.trade_decision_id = partly.decision_id AND x.filled_quantity > 0
    ) AS last_part
    WHERE EXISTS (
            SELECT FROM trade_decisions d
            WHERE d.decision_id = partly.decision_id
                AND d.status IS DISTINCT FROM 'executed'
                AND (%(symbol)s::text IS NULL OR d.symbol = %(symbol)s)
                AND (%(strategy)s::text IS NULL OR d.strategy_name = %(strategy)s)
                AND (%(side)s::text IS NULL OR d.side = %(side)s)
            -- One by one: they are few, whatever the planner takes them for.
            OFFSET 0
        )
        AND executed_at >= coalesce(%(since)s::timestamptz, '-infinity')
        AND executed_at < coalesce(%(until)s::timestamptz, 'infinity')
        AND (executed_at, decision_id)
            < (coalesce(%(after_at)s::timestamptz, 'infinity'), coalesce(%(after_id)s::text, ''))
    ORDER BY executed_at DESC, decision_id DESC
    LIMIT %(rows_max)s
)
SELECT chosen.decision_id,
    e.symbol,
    e.side,
    trim_scale(e.quantity) AS quantity,
    trim_scale(e.filled_quantity) AS filled_quantity,
    e.filled_price,
    e.filled_value_usd,
    trim_scale(e.commission) AS commission,
    chosen.executed_at,
    e.submitted_at,
    e.created_at,
    e.strategy_name AS strategy,
    e.strategy_version,
    e.decision_status,
    e.retry_count,
    coalesce(e.execution_ids, '{}') AS execution_ids,
    coalesce(e.alpaca_order_ids, '{}') AS alpaca_order_ids,
    trim_scale(e.signal_strength) AS signal_strength,
    trim_scale(e.confidence_score) AS confidence_score,
    e.trigger_event,
    e.made_by,
    e.why,
    e.topic,
    e.partition,
    e."offset",
    e.available_at AS appended_at,
    e.rationale
FROM chosen
JOIN executed_trades e ON e.decision_id = chosen.decision_id
ORDER BY chosen.executed_at DESC, chosen.decision_id DESC
