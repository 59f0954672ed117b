-- One page of dead letters. found_at: when its dead letter was made; until that has come back, when Kafka appended the event.
-- Order: newest first, then place as text, both descending. A page begins after the row that the cursor names.
SELECT place,
    found_at,
    source_topic,
    source_partition,
    source_offset,
    source_key,
    reason_code,
    reason,
    schema_id,
    status,
    requeued_at,
    requeued_by,
    requeued_why,
    requeued_place
FROM (
    SELECT concat_ws('/', d.source_topic, d.source_partition, d.source_offset) COLLATE "C" AS place,
        coalesce(d.occurred_at, e.available_at, d.requeued_at) AS found_at,
        d.*,
        CASE WHEN d.requeued_offset IS NULL THEN 'waiting' ELSE 'requeued' END AS status,
        CASE WHEN d.requeued_offset IS NOT NULL
            THEN concat_ws('/', d.requeued_topic, d.requeued_partition, d.requeued_offset) END AS requeued_place
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
    AND (%(after_at)s::timestamptz IS NULL OR (found_at, place) < (%(after_at)s, %(after_id)s COLLATE "C"))
ORDER BY found_at DESC, place DESC
LIMIT %(rows_max)s
