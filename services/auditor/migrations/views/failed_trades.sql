CREATE VIEW failed_trades AS
SELECT d.decision_id,
    d.strategy_name,
    d.strategy_version,
    d.symbol,
    d.side,
    d.quantity,
    d.created_at,
    d.failed_at,
    d.failure_reason,
    d.failure_control,
    d.failure_message,
    c.limit_value,
    c.observed_value,
    c.unit,
    d.retry_count,
    coalesce(f.executions, 0) AS executions,
    trim_scale(coalesce(f.filled_quantity, 0)) AS filled_quantity,
    x.execution_id,
    x.status AS execution_status,
    x.alpaca_order_id,
    x.api_request,
    x.api_response,
    d.signal_strength,
    d.confidence_score,
    d.trigger_event,
    d.made_by,
    d.why,
    d.decision_rationale AS rationale,
    d.event_id,
    d.topic,
    d.partition,
    d."offset",
    d.available_at
FROM trade_decisions d
LEFT JOIN LATERAL (
    SELECT count(*) AS executions, sum(e.filled_quantity) AS filled_quantity
    FROM trade_executions e
    WHERE e.trade_decision_id = d.decision_id
) AS f ON true
LEFT JOIN LATERAL (
    SELECT e.execution_id, e.status, e.alpaca_order_id, e.api_request, e.api_response
    FROM trade_executions e
    WHERE e.trade_decision_id = d.decision_id
    ORDER BY e.attempt_number DESC NULLS LAST, e.execution_id
    LIMIT 1
) AS x ON true
LEFT JOIN LATERAL (
    SELECT r.limit_value, r.observed_value, r.unit
    FROM risk_checks r
    WHERE r.trade_decision_id = d.decision_id AND r.execution_id IS NULL AND NOT r.passed
        AND r.control = d.failure_control
    ORDER BY r."offset" DESC, r.check_number
    LIMIT 1
) AS c ON true
WHERE d.status = 'failed';
COMMENT ON VIEW failed_trades IS 'Every decision that failed: why, in whose words, and what was filled all the same.';
COMMENT ON COLUMN failed_trades.decision_id IS 'The decision.';
COMMENT ON COLUMN failed_trades.strategy_name IS 'Strategy, or manual.';
COMMENT ON COLUMN failed_trades.strategy_version IS 'Version of its rules.';
COMMENT ON COLUMN failed_trades.symbol IS 'Symbol.';
COMMENT ON COLUMN failed_trades.side IS 'buy or sell.';
COMMENT ON COLUMN failed_trades.quantity IS 'Shares decided on.';
COMMENT ON COLUMN failed_trades.created_at IS 'When it was decided by the service''s clock, UTC.';
COMMENT ON COLUMN failed_trades.failed_at IS 'When it failed: the broker''s time, else ours, UTC.';
COMMENT ON COLUMN failed_trades.failure_reason IS 'Why, as a code; blocked: a pre-trade control refused it and nothing was sent.';
COMMENT ON COLUMN failed_trades.failure_control IS 'The pre-trade control that blocked it.';
COMMENT ON COLUMN failed_trades.failure_message IS 'The broker''s or control''s own words.';
COMMENT ON COLUMN failed_trades.limit_value IS 'Limit of that control.';
COMMENT ON COLUMN failed_trades.observed_value IS 'What it observed.';
COMMENT ON COLUMN failed_trades.unit IS 'Unit of both.';
COMMENT ON COLUMN failed_trades.retry_count IS 'Attempts after the first.';
COMMENT ON COLUMN failed_trades.executions IS 'Orders that were about to be sent for it.';
COMMENT ON COLUMN failed_trades.filled_quantity IS 'Shares that were filled all the same.';
COMMENT ON COLUMN failed_trades.execution_id IS 'Its last execution; empty when none was begun.';
COMMENT ON COLUMN failed_trades.execution_status IS 'How that ended.';
COMMENT ON COLUMN failed_trades.alpaca_order_id IS 'The broker''s id of it.';
COMMENT ON COLUMN failed_trades.api_request IS 'What was sent.';
COMMENT ON COLUMN failed_trades.api_response IS 'The broker''s newest answer.';
COMMENT ON COLUMN failed_trades.signal_strength IS '0 to 10.';
COMMENT ON COLUMN failed_trades.confidence_score IS '0 to 1.';
COMMENT ON COLUMN failed_trades.trigger_event IS 'What set it off.';
COMMENT ON COLUMN failed_trades.made_by IS 'Person, for a manual order.';
COMMENT ON COLUMN failed_trades.why IS 'The person''s reason.';
COMMENT ON COLUMN failed_trades.rationale IS 'Why it was decided: signals, sources, market, portfolio, lineage, rules.';
COMMENT ON COLUMN failed_trades.event_id IS 'Id of the decision''s event.';
COMMENT ON COLUMN failed_trades.topic IS 'Topic of that event.';
COMMENT ON COLUMN failed_trades.partition IS 'Its partition.';
COMMENT ON COLUMN failed_trades."offset" IS 'Its offset.';
COMMENT ON COLUMN failed_trades.available_at IS 'When Kafka appended that event, UTC: independent evidence of when.';
