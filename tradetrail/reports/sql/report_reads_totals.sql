-- How many reads under the compliance role there are by reader, most first.
SELECT reader AS name, count(*) AS count
FROM report_reads
WHERE read_at >= coalesce(%(since)s::timestamptz, '-infinity')
    AND read_at < coalesce(%(until)s::timestamptz, 'infinity')
    AND (%(reader)s::text IS NULL OR reader = %(reader)s)
    AND (%(report)s::text IS NULL OR report = %(report)s)
    AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
GROUP BY reader
ORDER BY count(*) DESC, reader
