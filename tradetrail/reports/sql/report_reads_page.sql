-- One page of reads under the compliance role.
-- Order: newest first, then read id, both descending. A page begins after the row that the cursor names.
SELECT read_id,
    read_at,
    reader,
    role,
    report,
    arguments,
    path,
    format,
    outcome,
    rows,
    rows_expected,
    ended_at,
    request_id,
    topic,
    partition,
    "offset",
    available_at AS appended_at
FROM report_reads
WHERE read_at >= coalesce(%(since)s::timestamptz, '-infinity')
    AND read_at < coalesce(%(until)s::timestamptz, 'infinity')
    AND (read_at, read_id) < (coalesce(%(after_at)s::timestamptz, 'infinity'), coalesce(%(after_id)s::text, ''))
    AND (%(reader)s::text IS NULL OR reader = %(reader)s)
    AND (%(report)s::text IS NULL OR report = %(report)s)
    AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
ORDER BY read_at DESC, read_id DESC
LIMIT %(rows_max)s
