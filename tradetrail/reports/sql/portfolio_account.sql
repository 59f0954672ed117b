-- The newest answer of the broker about the account, with the event that holds its body and the schema that reads it.
SELECT call.call_id AS api_call_id,
    call.purpose,
    call.requested_at AS told_at,
    call.chunk_count,
    call.topic,
    call.partition,
    call."offset",
    call.available_at AS appended_at,
    event.value,
    schema.type,
    schema.schema
FROM (
    SELECT *
    FROM api_payloads
    WHERE vendor = 'alpaca' AND endpoint = '/v2/account' AND status_code = 200 AND chunk_index = 0
    ORDER BY requested_at DESC, call_id DESC
    LIMIT 1
) AS call
LEFT JOIN events event ON event.topic = call.topic AND event.partition = call.partition
    AND event."offset" = call."offset" AND event.month = date_trunc('month', call.available_at AT TIME ZONE 'UTC')::date
LEFT JOIN schemas schema ON schema.schema_id = event.schema_id
