-- The vendor calls that a decision's market and portfolio came from, and those made in vain. What stands under the id of a
-- decision made is also its order's, which came later; so a declined one only is asked for that way, too.
-- Order: as they stand in the log.
SELECT api_call_id,
    purpose,
    vendor,
    method,
    endpoint,
    query,
    timestamp,
    status_code,
    error,
    body_sha256,
    appended_at,
    topic,
    partition,
    "offset",
    event_id
FROM (
    SELECT DISTINCT ON (call_id) call_id AS api_call_id, purpose, vendor, method, endpoint,
        request -> 'query' AS query, requested_at AS timestamp, status_code, error, body_sha256,
        available_at AS appended_at, topic, partition, "offset", event_id
    FROM api_payloads
    WHERE call_id = ANY(%(call_ids)s) OR (%(outcome)s = 'declined' AND decision_id = %(decision_id)s)
    ORDER BY call_id, chunk_index
) AS call
ORDER BY topic, partition, "offset"
