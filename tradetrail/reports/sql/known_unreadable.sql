-- Events under a symbol's key, up to view_through, that nobody could read.
-- Order: as they stand in the log. A page begins after the row that the cursor names.
SELECT reason_code AS reason,
    reason AS reason_text,
    source_topic AS topic,
    source_partition AS partition,
    source_offset AS "offset"
FROM dead_letters
WHERE source_topic = %(topic)s AND source_partition = %(partition)s AND source_offset <= %(view_through)s
    AND source_key = convert_to(%(symbol)s, 'UTF8')
    AND source_offset > coalesce(%(after_offset)s::bigint, -1)
ORDER BY source_offset
LIMIT %(rows_max)s
