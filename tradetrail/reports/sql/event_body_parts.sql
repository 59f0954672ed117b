-- The events that carry a vendor's answer: one, or several for an answer that was cut.
-- Order: as the answer is joined.
SELECT chunk_index, topic, partition, "offset"
FROM api_payloads
WHERE call_id = %(call_id)s
ORDER BY chunk_index
