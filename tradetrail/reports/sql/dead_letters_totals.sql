-- How many dead letters the filters of dead_letters_page.sql let through, whatever the page, by reason and status.
-- Order: most first, then reason and status.
SELECT reason_code AS name, status, count(*) AS count
FROM (
    SELECT coalesce(d.occurred_at, e.available_at, d.requeued_at) AS found_at,
        d.reason_code,
        CASE WHEN d.requeued_offset IS NULL THEN 'waiting' ELSE 'requeued' END AS status
    FROM dead_letters d
    LEFT JOIN events e
        ON e.topic = d.source_topic AND e.partition = d.source_partition AND e."offset" = d.source_offset
    WHERE (%(topic)s::text IS NULL OR d.source_topic = %(topic)s)
        AND (%(reason)s::text IS NULL OR d.reason_code = %(reason)s)
        AND (%(key)s::bytea IS NULL OR d.source_key = %(key)s)
) AS letters
WHERE (%(status)s::text IS NULL OR status = %(status)s)
    AND (%(since)s::timestamptz IS NULL OR found_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR found_at < %(until)s)
GROUP BY reason_code, status
ORDER BY count(*) DESC, reason_code, status
