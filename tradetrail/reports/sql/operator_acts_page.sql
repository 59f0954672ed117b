-- One page of what people did.
-- Order: newest first, then act id, both descending. A page begins after the row that the cursor names.
SELECT act_id,
    acted_at,
    act,
    operator,
    why,
    scope,
    arguments,
    symbol,
    decision_id,
    execution_id,
    idempotency_key,
    topic,
    partition,
    "offset",
    available_at AS appended_at
FROM operator_acts
WHERE acted_at IS NOT NULL
    AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    AND (%(operator)s::text IS NULL OR operator = %(operator)s)
    AND (%(act)s::text IS NULL OR act = %(act)s)
    AND (%(since)s::timestamptz IS NULL OR acted_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR acted_at < %(until)s)
    AND (%(after_at)s::timestamptz IS NULL OR (acted_at, act_id) < (%(after_at)s, %(after_id)s))
ORDER BY acted_at DESC, act_id DESC
LIMIT %(rows_max)s
