-- How many orders the filters of unresolved_page.sql let through, whatever the page, and which symbols they hold.
SELECT count(*) AS unresolved,
    count(*) FILTER (WHERE status = 'submitting') AS submitting,
    count(*) FILTER (WHERE status = 'unknown') AS unknown,
    min(coalesce(unresolved_since, newest_at)) AS oldest_since,
    coalesce(array_agg(DISTINCT symbol ORDER BY symbol) FILTER (WHERE symbol IS NOT NULL), '{}') AS symbols_held
FROM unresolved_orders
WHERE (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    AND (%(account)s::text IS NULL OR account = %(account)s)
