-- What operators had done about a symbol by view_through.
-- Order: as it stands in the log.
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
ORDER BY "offset"
