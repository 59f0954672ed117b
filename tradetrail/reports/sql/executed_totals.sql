-- What the filters of executed_page.sql let through adds up to, whatever the page: one row.
WITH partly AS (
    SELECT x.trade_decision_id AS decision_id
    FROM trade_executions x
    WHERE x.filled_quantity > 0 AND x.status <> 'filled'
        AND coalesce(x.filled_at, x.status_at) >= coalesce(%(since)s::timestamptz, '-infinity')
        AND coalesce(x.filled_at, x.status_at) < coalesce(%(until)s::timestamptz, 'infinity')
        -- Its last fill; those are few, so they are looked at one by one.
        AND NOT EXISTS (
            SELECT FROM trade_executions later
            WHERE later.trade_decision_id = x.trade_decision_id AND later.filled_quantity > 0
                AND (coalesce(later.filled_at, later.status_at), later.execution_id)
                    > (coalesce(x.filled_at, x.status_at), x.execution_id)
            OFFSET 0
        )
    UNION
    SELECT d.decision_id
    FROM trade_decisions d
    CROSS JOIN LATERAL (
        SELECT max(coalesce(x.filled_at, x.status_at)) AS executed_at
        FROM trade_executions x
        WHERE x.trade_decision_id = d.decision_id AND x.filled_quantity > 0
    ) AS last_fill
    WHERE d.status = 'executing'
        AND last_fill.executed_at >= coalesce(%(since)s::timestamptz, '-infinity')
        AND last_fill.executed_at < coalesce(%(until)s::timestamptz, 'infinity')
), part AS MATERIALIZED (
    SELECT d.decision_id, d.side
    FROM partly
    CROSS JOIN LATERAL (
        SELECT decision_id, side
        FROM trade_decisions
        WHERE decision_id = partly.decision_id
            AND status IS DISTINCT FROM 'executed'
            AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
            AND (%(strategy)s::text IS NULL OR strategy_name = %(strategy)s)
            AND (%(side)s::text IS NULL OR side = %(side)s)
        -- One by one: they are few, whatever the planner takes them for.
        OFFSET 0
    ) AS d
), fills AS (
    SELECT d.side, x.filled_quantity, x.filled_avg_price, x.commission
    FROM trade_decisions d
    JOIN trade_executions x ON x.trade_decision_id = d.decision_id AND x.filled_quantity > 0
    WHERE d.status = 'executed'
        AND d.executed_at >= coalesce(%(since)s::timestamptz, '-infinity')
        AND d.executed_at < coalesce(%(until)s::timestamptz, 'infinity')
        AND (%(symbol)s::text IS NULL OR d.symbol = %(symbol)s)
        AND (%(strategy)s::text IS NULL OR d.strategy_name = %(strategy)s)
        AND (%(side)s::text IS NULL OR d.side = %(side)s)
    UNION ALL
    SELECT part.side, x.filled_quantity, x.filled_avg_price, x.commission
    FROM part
    CROSS JOIN LATERAL (
        SELECT filled_quantity, filled_avg_price, commission
        FROM trade_executions
        WHERE trade_decision_id = part.decision_id AND filled_quantity > 0
        OFFSET 0
    ) AS x
), whole AS (
    SELECT count(*) AS count
    FROM trade_decisions
    WHERE status = 'executed'
        AND executed_at >= coalesce(%(since)s::timestamptz, '-infinity')
        AND executed_at < coalesce(%(until)s::timestamptz, 'infinity')
        AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
        AND (%(strategy)s::text IS NULL OR strategy_name = %(strategy)s)
        AND (%(side)s::text IS NULL OR side = %(side)s)
)
SELECT (SELECT count FROM whole) + (SELECT count(*) FROM part) AS executed,
    trim_scale(coalesce(sum(filled_quantity) FILTER (WHERE side = 'buy'), 0)) AS shares_bought,
    trim_scale(coalesce(sum(filled_quantity) FILTER (WHERE side = 'sell'), 0)) AS shares_sold,
    trim_scale(coalesce(sum(filled_quantity * filled_avg_price) FILTER (WHERE side = 'buy'), 0)) AS value_bought_usd,
    trim_scale(coalesce(sum(filled_quantity * filled_avg_price) FILTER (WHERE side = 'sell'), 0)) AS value_sold_usd,
    trim_scale(sum(commission)) AS commission
FROM fills
