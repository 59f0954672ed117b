-- The dead letter of one event, with the event's bytes as they stand in the log.
SELECT concat_ws('/', d.source_topic, d.source_partition, d.source_offset) AS place,
    coalesce(d.occurred_at, e.available_at, d.requeued_at) AS found_at,
    d.source_topic,
    d.source_partition,
    d.source_offset,
    d.source_key,
    d.reason_code,
    d.reason,
    d.schema_id,
    CASE WHEN d.requeued_offset IS NULL THEN 'waiting' ELSE 'requeued' END AS status,
    d.requeued_at,
    d.requeued_by,
    d.requeued_why,
    CASE WHEN d.requeued_offset IS NOT NULL
        THEN concat_ws('/', d.requeued_topic, d.requeued_partition, d.requeued_offset) END AS requeued_place,
    CASE WHEN d."offset" IS NOT NULL THEN concat_ws('/', d.topic, d.partition, d."offset") END AS letter_place,
    e.available_at AS appended_at,
    e.value
FROM dead_letters d
LEFT JOIN events e
    ON e.topic = d.source_topic AND e.partition = d.source_partition AND e."offset" = d.source_offset
WHERE d.source_topic = %(topic)s AND d.source_partition = %(partition)s AND d.source_offset = %(offset)s
