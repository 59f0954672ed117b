-- What the filters of executed_page.sql let through adds up to, whatever the page: one row.
SELECT count(*) AS executed,
    trim_scale(coalesce(sum(filled_quantity) FILTER (WHERE side = 'buy'), 0)) AS shares_bought,
    trim_scale(coalesce(sum(filled_quantity) FILTER (WHERE side = 'sell'), 0)) AS shares_sold,
    trim_scale(coalesce(sum(filled_value_usd) FILTER (WHERE side = 'buy'), 0)) AS value_bought_usd,
    trim_scale(coalesce(sum(filled_value_usd) FILTER (WHERE side = 'sell'), 0)) AS value_sold_usd,
    trim_scale(sum(commission)) AS commission
FROM trades
WHERE executed_at >= coalesce(%(since)s::timestamptz, '-infinity')
    AND executed_at < coalesce(%(until)s::timestamptz, 'infinity')
    AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    AND (%(strategy)s::text IS NULL OR strategy_name = %(strategy)s)
    AND (%(side)s::text IS NULL OR side = %(side)s)
