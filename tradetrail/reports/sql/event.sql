-- What stands at one place of the log: the event's bytes, the schema it was written with, and why it could not be read, if so.
-- The place's own month is not known here: each month is asked by its key. More than one row is an event too many.
SELECT event.topic,
    event.partition,
    event."offset",
    event.available_at AS appended_at,
    event.type,
    event.symbol,
    event.event_id,
    event.occurred_at,
    event.story_id,
    event.key,
    event.value,
    event.hash,
    schema.schema_id,
    schema.type AS schema_name,
    schema.schema,
    letter.reason_code,
    letter.reason
FROM events event
LEFT JOIN dead_letters letter ON letter.source_topic = event.topic AND letter.source_partition = event.partition
    AND letter.source_offset = event."offset"
LEFT JOIN schemas schema ON schema.schema_id = coalesce(event.schema_id, letter.schema_id)
WHERE event.topic = %(topic)s AND event.partition = %(partition)s AND event."offset" = %(offset)s
ORDER BY event.month
