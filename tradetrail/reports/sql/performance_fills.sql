-- What the fills of the period's decisions moved, by strategy, version and symbol, and the last price known of each symbol:
-- the newest of its last fill's and of the one that its newest decision with a market context saw. Whatever the period.
-- Order: strategy, then version, then symbol.
WITH moved AS (
    SELECT strategy_name,
        strategy_version,
        symbol,
        count(*) AS trades,
        coalesce(sum(filled_quantity) FILTER (WHERE side = 'buy'), 0) AS shares_bought,
        coalesce(sum(filled_quantity) FILTER (WHERE side = 'sell'), 0) AS shares_sold,
        coalesce(sum(filled_value_usd) FILTER (WHERE side = 'buy'), 0) AS value_bought_usd,
        coalesce(sum(filled_value_usd) FILTER (WHERE side = 'sell'), 0) AS value_sold_usd,
        sum(commission) AS commission
    FROM trades
    WHERE created_at >= coalesce(%(since)s::timestamptz, '-infinity')
        AND created_at < coalesce(%(until)s::timestamptz, 'infinity')
        AND (%(strategy)s::text IS NULL OR strategy_name = %(strategy)s)
    GROUP BY strategy_name, strategy_version, symbol
), prices AS MATERIALIZED (
    SELECT s.symbol, known.price, known.priced_at, known.price_from
    FROM (SELECT DISTINCT symbol FROM moved) AS s
    LEFT JOIN LATERAL (
        (
            SELECT h.fill_price AS price, last_fill.filled_at AS priced_at, 'fill' AS price_from
            FROM (
                SELECT execution_id, filled_at
                FROM trade_executions
                WHERE symbol = s.symbol AND filled_at IS NOT NULL
                ORDER BY filled_at DESC, fill_offset DESC
                LIMIT 1
            ) AS last_fill
            JOIN trade_execution_history h ON h.execution_id = last_fill.execution_id
            WHERE h.fill_quantity > 0 AND h.fill_price IS NOT NULL
            ORDER BY h."offset" DESC
            LIMIT 1
        )
        UNION ALL
        (
            SELECT (decision_rationale #>> '{market_context,current_price}')::numeric,
                (decision_rationale #>> '{market_context,price_as_of}')::timestamptz,
                'market_context'
            FROM trade_decisions
            WHERE symbol = s.symbol
                AND created_at IS NOT NULL
                AND decision_rationale #>> '{market_context,current_price}' IS NOT NULL
            ORDER BY created_at DESC, decision_id DESC
            LIMIT 1
        )
        ORDER BY priced_at DESC NULLS LAST, price_from
        LIMIT 1
    ) AS known ON true
)
SELECT moved.strategy_name,
    moved.strategy_version,
    moved.symbol,
    moved.trades,
    trim_scale(moved.shares_bought) AS shares_bought,
    trim_scale(moved.shares_sold) AS shares_sold,
    trim_scale(moved.value_bought_usd) AS value_bought_usd,
    trim_scale(moved.value_sold_usd) AS value_sold_usd,
    trim_scale(moved.commission) AS commission,
    trim_scale(moved.shares_bought - moved.shares_sold) AS net_shares,
    trim_scale(prices.price) AS last_price,
    prices.priced_at,
    prices.price_from,
    trim_scale((moved.shares_bought - moved.shares_sold) * prices.price) AS net_worth_usd
FROM moved
LEFT JOIN prices ON prices.symbol = moved.symbol
ORDER BY moved.strategy_name, moved.strategy_version, moved.symbol
