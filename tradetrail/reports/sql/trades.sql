-- Executions on a symbol that filled in the period, wholly or, once they ended, in part.
-- Order: time of the last fill, then decision id, then attempt. A page begins after the row that the cursor names.
SELECT trade_decision_id AS decision_id,
    coalesce(filled_at, status_at) AS filled_at,
    side,
    trim_scale(filled_quantity) AS quantity,
    trim_scale(filled_avg_price) AS filled_avg_price,
    attempt_number
FROM trade_executions
WHERE symbol = %(symbol)s
    AND filled_quantity > 0
    AND status IN ('filled', 'cancelled', 'expired', 'rejected', 'replaced', 'error')
    AND coalesce(filled_at, status_at) >= coalesce(%(after_at)s::timestamptz, %(since)s)
    AND coalesce(filled_at, status_at) < %(until)s
    AND (%(after_id)s::text IS NULL
        OR (coalesce(filled_at, status_at), trade_decision_id, attempt_number)
            > (%(after_at)s, %(after_id)s, %(after_attempt)s::bigint))
ORDER BY coalesce(filled_at, status_at), trade_decision_id, attempt_number
LIMIT %(rows_max)s
