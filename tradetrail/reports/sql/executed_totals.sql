-- What the filters of executed_page.sql let through adds up to, whatever the page: one row.
WITH partly AS (
    SELECT trade_decision_id AS decision_id
    FROM trade_executions
    WHERE filled_quantity > 0 AND status <> 'filled'
    UNION
    SELECT decision_id FROM trade_decisions WHERE status = 'executing'
), chosen AS NOT MATERIALIZED (
    SELECT decision_id, side
    FROM trade_decisions
    WHERE status = 'executed'
        AND executed_at >= coalesce(%(since)s::timestamptz, '-infinity')
        AND executed_at < coalesce(%(until)s::timestamptz, 'infinity')
        AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
        AND (%(strategy)s::text IS NULL OR strategy_name = %(strategy)s)
        AND (%(side)s::text IS NULL OR side = %(side)s)
    UNION ALL
    SELECT d.decision_id, d.side
    FROM partly
    CROSS JOIN LATERAL (
        SELECT coalesce(max(x.filled_at), max(x.status_at)) AS executed_at
        FROM trade_executions x
        WHERE x.trade_decision_id = partly.decision_id AND x.filled_quantity > 0
    ) AS last_part
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
    WHERE executed_at >= coalesce(%(since)s::timestamptz, '-infinity')
        AND executed_at < coalesce(%(until)s::timestamptz, 'infinity')
)
SELECT (SELECT count(*) FROM chosen) AS executed,
    trim_scale(coalesce(sum(x.filled_quantity) FILTER (WHERE chosen.side = 'buy'), 0)) AS shares_bought,
    trim_scale(coalesce(sum(x.filled_quantity) FILTER (WHERE chosen.side = 'sell'), 0)) AS shares_sold,
    trim_scale(coalesce(sum(x.filled_quantity * x.filled_avg_price) FILTER (WHERE chosen.side = 'buy'), 0)) AS value_bought_usd,
    trim_scale(coalesce(sum(x.filled_quantity * x.filled_avg_price) FILTER (WHERE chosen.side = 'sell'), 0)) AS value_sold_usd,
    trim_scale(sum(x.commission)) AS commission
FROM chosen
JOIN trade_executions x ON x.trade_decision_id = chosen.decision_id AND x.filled_quantity > 0
