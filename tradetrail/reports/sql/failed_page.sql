-- One page of decisions that failed, each with the control or the broker's words behind it.
-- Order: newest first, then decision id, both descending. A page begins after the row that the cursor names.
WITH chosen AS (
    SELECT decision_id, failed_at
    FROM trade_decisions
    WHERE status = 'failed'
        AND failed_at >= coalesce(%(since)s::timestamptz, '-infinity')
        AND failed_at < coalesce(%(until)s::timestamptz, 'infinity')
        AND (failed_at, decision_id)
            < (coalesce(%(after_at)s::timestamptz, 'infinity'), coalesce(%(after_id)s::text, ''))
        AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
        AND (%(strategy)s::text IS NULL OR strategy_name = %(strategy)s)
        AND (%(side)s::text IS NULL OR side = %(side)s)
        AND (%(reason)s::text IS NULL OR failure_reason = %(reason)s)
    ORDER BY failed_at DESC, decision_id DESC
    LIMIT %(rows_max)s
)
SELECT f.decision_id,
    f.symbol,
    f.side,
    trim_scale(f.quantity) AS quantity,
    f.filled_quantity,
    f.failed_at,
    f.created_at,
    f.strategy_name AS strategy,
    f.strategy_version,
    f.failure_reason AS reason,
    f.failure_control AS control,
    trim_scale(f.limit_value) AS "limit",
    trim_scale(f.observed_value) AS observed,
    f.unit,
    f.failure_message AS message,
    f.retry_count,
    f.executions,
    f.execution_id,
    f.execution_status,
    f.alpaca_order_id,
    f.api_request,
    f.api_response,
    trim_scale(f.signal_strength) AS signal_strength,
    trim_scale(f.confidence_score) AS confidence_score,
    f.trigger_event,
    f.made_by,
    f.why,
    f.topic,
    f.partition,
    f."offset",
    f.available_at AS appended_at,
    f.rationale
FROM chosen
JOIN failed_trades f ON f.decision_id = chosen.decision_id
ORDER BY chosen.failed_at DESC, chosen.decision_id DESC
