-- What was tried to learn of orders: each state that was recorded after the intent, with the vendor call behind it, and the
-- calls that changed nothing.
-- Order: by time, then as it stands in the log.
SELECT tried.execution_id,
    tried.at,
    tried.source,
    tried.status,
    tried.broker_status,
    tried.reason,
    tried.message,
    tried.api_call_id,
    tried.method,
    tried.endpoint,
    tried.status_code,
    tried.topic,
    tried.partition,
    tried."offset"
FROM (
    SELECT told.execution_id, told.occurred_at AS at, told.source, told.status, told.broker_status,
        told.failure_reason AS reason, told.error_message AS message, told.api_call_id, call.method, call.endpoint,
        call.status_code, told.topic, told.partition, told."offset"
    FROM trade_execution_history told
    LEFT JOIN api_payloads call ON call.call_id = told.api_call_id AND call.chunk_index = 0
    WHERE told.execution_id = ANY(%(execution_ids)s) AND NOT (told.status = 'submitting' AND told.source = 'executor')
    UNION ALL
    SELECT call.execution_id, call.requested_at, call.purpose, NULL, NULL,
        NULL, call.error, call.call_id, call.method, call.endpoint,
        call.status_code, call.topic, call.partition, call."offset"
    FROM api_payloads call
    WHERE call.decision_id = ANY(%(decision_ids)s) AND call.execution_id = ANY(%(execution_ids)s)
        AND call.chunk_index = 0
        AND NOT EXISTS (
            SELECT FROM trade_execution_history told
            WHERE told.execution_id = call.execution_id AND told.api_call_id = call.call_id
        )
) AS tried
ORDER BY tried.at, tried.topic, tried.partition, tried."offset"
