-- What the filters of executed_page.sql let through adds up to, whatever the page: one row.
WITH partly AS (
    SELECT trade_decision_id AS decision_id
    FROM trade_executions
    WHERE filled_quantity > 0 AND status <> 'filled'
    UNION
    SELECT decision_id FROM trade_decisions WHERE status = 'executing'
), chosen AS MATERIALIZED (
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
    JOIN trade_decisions d USING (decision_id)
    JOIN trade_executions x ON x.trade_decision_id = d.decision_id AND x.filled_quantity > 0
    WHERE d.status IS DISTINCT FROM 'executed'
        AND (%(symbol)s::text IS NULL OR d.symbol = %(symbol)s)
        AND (%(strategy)s::text IS NULL OR d.strategy_name = %(strategy)s)
        AND (%(side)s::text IS NULL OR d.side = %(side)s)
    GROUP BY d.decision_id
    HAVING coalesce(max(x.filled_at), max(x.status_at)) >= coalesce(%(since)s::timestamptz, '-infinity')
        AND coalesce(max(x.filled_at), max(x.status_at)) < coalesce(%(until)s::timestamptz, 'infinity')
)
SELECT (SELECT count(*) FROM chosen) AS executed,
    trim_scale(coalesce(sum(x.filled_quantity) FILTER (WHERE chosen.side = 'buy'), 0)) AS shares_bought,
    trim_scale(coalesce(sum(x.filled_quantity) FILTER (WHERE chosen.side = 'sell'), 0)) AS shares_sold,
    trim_scale(coalesce(sum(x.filled_quantity * x.filled_avg_price) FILTER (WHERE chosen.side = 'buy'), 0)) AS value_bought_usd,
    trim_scale(coalesce(sum(x.filled_quantity * x.filled_avg_price) FILTER (WHERE chosen.side = 'sell'), 0)) AS value_sold_usd,
    trim_scale(sum(x.commission)) AS commission
FROM chosen
JOIN trade_executions x ON x.trade_decision_id = chosen.decision_id AND x.filled_quantity > 0
