-- What operators had done about a symbol by view_through.
-- Order: as it stands in the log. A page begins after the row that the cursor names.
SELECT act,
    operator,
    why,
    arguments,
    decision_id,
    acted_at AS recorded_at,
    available_at AS appended_at,
    topic,
    partition,
    "offset",
    event_id
FROM operator_acts
WHERE symbol = %(symbol)s AND topic = %(topic)s AND partition = %(partition)s AND "offset" <= %(view_through)s
    AND "offset" > coalesce(%(after_offset)s::bigint, -1)
ORDER BY "offset"
LIMIT %(rows_max)s
