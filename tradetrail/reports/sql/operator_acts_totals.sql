-- How many acts the filters of operator_acts_page.sql let through, whatever the page, by act.
-- Order: most first, then act.
SELECT act AS name, count(*) AS count
FROM operator_acts
WHERE acted_at IS NOT NULL
    AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    AND (%(operator)s::text IS NULL OR operator = %(operator)s)
    AND (%(act)s::text IS NULL OR act = %(act)s)
    AND (%(since)s::timestamptz IS NULL OR acted_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR acted_at < %(until)s)
GROUP BY act
ORDER BY count(*) DESC, act
