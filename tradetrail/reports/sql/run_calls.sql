-- The vendor calls of some runs, a call in several chunks once.
-- Order: run id, then as they stand in the log, which is the order in which they were made.
SELECT run_id,
    call_id AS api_call_id,
    vendor,
    method,
    endpoint,
    request -> 'query' AS query,
    requested_at AS timestamp,
    status_code,
    response_size_bytes AS response_size,
    records_returned,
    rate_limit_remaining,
    trim_scale(duration_us / 1000.0) AS duration_ms,
    error,
    body_sha256,
    body_redactions
FROM (
    SELECT DISTINCT ON (call_id) *
    FROM api_payloads
    WHERE run_id = ANY(%(run_ids)s)
    ORDER BY call_id, chunk_index
) AS call
ORDER BY run_id, topic, partition, "offset"
