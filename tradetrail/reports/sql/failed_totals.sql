-- How many failed decisions the filters of failed_page.sql let through, whatever the page, by reason, and by control for
-- those that one blocked. Order: most first, then reason, then control.
SELECT failure_reason AS reason, failure_control AS control, count(*) AS count
FROM trade_decisions
WHERE status = 'failed'
    AND failed_at >= coalesce(%(since)s::timestamptz, '-infinity')
    AND failed_at < coalesce(%(until)s::timestamptz, 'infinity')
    AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    AND (%(strategy)s::text IS NULL OR strategy_name = %(strategy)s)
    AND (%(side)s::text IS NULL OR side = %(side)s)
    AND (%(reason)s::text IS NULL OR failure_reason = %(reason)s)
GROUP BY failure_reason, failure_control
ORDER BY count(*) DESC, failure_reason, failure_control
