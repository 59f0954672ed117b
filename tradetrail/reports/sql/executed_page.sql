-- One page of executed trades: decisions that bought or sold something, each with what its fills add up to.
-- Those executed are found by when they were. Of the others, with a part filled, one is still under way, or has an order that
-- ended before it was whole: an order filled wholly leaves its decision executed, or under way while another order is open.
-- Order: newest first, then decision id, both descending. A page begins after the row that the cursor names.
WITH whole AS (
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
), part AS (
    SELECT x.trade_decision_id AS decision_id, coalesce(x.filled_at, x.status_at) AS executed_at
    FROM trade_executions x
    WHERE x.filled_quantity > 0 AND x.status <> 'filled'
        AND coalesce(x.filled_at, x.status_at) >= coalesce(%(since)s::timestamptz, '-infinity')
        AND coalesce(x.filled_at, x.status_at) < coalesce(%(until)s::timestamptz, 'infinity')
        AND (coalesce(x.filled_at, x.status_at), x.trade_decision_id)
            < (coalesce(%(after_at)s::timestamptz, 'infinity'), coalesce(%(after_id)s::text, ''))
        -- Each decision once, with its last fill.
        AND NOT EXISTS (
            SELECT FROM trade_executions later
            WHERE later.trade_decision_id = x.trade_decision_id AND later.filled_quantity > 0
                AND (coalesce(later.filled_at, later.status_at), later.execution_id)
                    > (coalesce(x.filled_at, x.status_at), x.execution_id)
            -- One by one: a page needs few of them, whatever the planner takes them for.
            OFFSET 0
        )
        AND EXISTS (
            SELECT FROM trade_decisions d
            WHERE d.decision_id = x.trade_decision_id
                AND d.status IS DISTINCT FROM 'executed'
                AND (%(symbol)s::text IS NULL OR d.symbol = %(symbol)s)
                AND (%(strategy)s::text IS NULL OR d.strategy_name = %(strategy)s)
                AND (%(side)s::text IS NULL OR d.side = %(side)s)
            OFFSET 0
        )
    ORDER BY coalesce(x.filled_at, x.status_at) DESC, x.trade_decision_id DESC
    LIMIT %(rows_max)s
), open AS (
    SELECT d.decision_id, last_fill.executed_at
    FROM trade_decisions d
    CROSS JOIN LATERAL (
        SELECT max(coalesce(x.filled_at, x.status_at)) AS executed_at
        FROM trade_executions x
        WHERE x.trade_decision_id = d.decision_id AND x.filled_quantity > 0
    ) AS last_fill
    WHERE d.status = 'executing'
        AND (%(symbol)s::text IS NULL OR d.symbol = %(symbol)s)
        AND (%(strategy)s::text IS NULL OR d.strategy_name = %(strategy)s)
        AND (%(side)s::text IS NULL OR d.side = %(side)s)
        AND last_fill.executed_at >= coalesce(%(since)s::timestamptz, '-infinity')
        AND last_fill.executed_at < coalesce(%(until)s::timestamptz, 'infinity')
        AND (last_fill.executed_at, d.decision_id)
            < (coalesce(%(after_at)s::timestamptz, 'infinity'), coalesce(%(after_id)s::text, ''))
), chosen AS (
    SELECT decision_id, executed_at FROM whole
    UNION ALL
    -- What is open and filled in part stands in both.
    (SELECT decision_id, executed_at FROM part UNION SELECT decision_id, executed_at FROM open)
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
