-- How many declined signals the filters of declined_page.sql let through, whatever the page, by reason.
-- Order: most first, then reason.
SELECT reason AS name, count(*) AS count
FROM declined_decisions
WHERE created_at IS NOT NULL
    AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    AND (%(strategy)s::text IS NULL OR strategy_name = %(strategy)s)
    AND (%(reason)s::text IS NULL OR reason = %(reason)s)
    AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR created_at < %(until)s)
GROUP BY reason
ORDER BY count(*) DESC, reason
