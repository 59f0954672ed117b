-- One page of executed trades: decisions that bought or sold something, each with what its fills add up to.
-- Order: newest first, then decision id, both descending. A page begins after the row that the cursor names.
SELECT decision_id,
    symbol,
    side,
    trim_scale(quantity) AS quantity,
    trim_scale(filled_quantity) AS filled_quantity,
    filled_price,
    filled_value_usd,
    trim_scale(commission) AS commission,
    executed_at,
    submitted_at,
    created_at,
    strategy_name AS strategy,
    strategy_version,
    decision_status,
    retry_count,
    execution_ids,
    alpaca_order_ids,
    trim_scale(signal_strength) AS signal_strength,
    trim_scale(confidence_score) AS confidence_score,
    trigger_event,
    made_by,
    why,
    topic,
    partition,
    "offset",
    available_at AS appended_at,
    rationale
FROM executed_trades
WHERE executed_at >= coalesce(%(since)s::timestamptz, '-infinity')
    AND executed_at < coalesce(%(until)s::timestamptz, 'infinity')
    AND (executed_at, decision_id)
        < (coalesce(%(after_at)s::timestamptz, 'infinity'), coalesce(%(after_id)s::text, ''))
    AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    AND (%(strategy)s::text IS NULL OR strategy_name = %(strategy)s)
    AND (%(side)s::text IS NULL OR side = %(side)s)
ORDER BY executed_at DESC, decision_id DESC
LIMIT %(rows_max)s
