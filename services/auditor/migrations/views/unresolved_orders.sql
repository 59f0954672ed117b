CREATE VIEW unresolved_orders AS
SELECT x.execution_id,
    x.trade_decision_id AS decision_id,
    x.attempt_number,
    x.account,
    x.symbol,
    x.side,
    x.quantity,
    x.status,
    coalesce(tried.unknown_since, x.submitted_at) AS unresolved_since,
    tried.answers,
    tried.newest_source,
    tried.newest_at,
    x.error_details AS reason,
    x.error_message,
    x.api_response,
    x.broker_status,
    x.client_order_id,
    x.alpaca_order_id,
    x.submitted_at,
    x.event_id,
    x.topic,
    x.partition,
    x."offset",
    x.available_at
FROM trade_executions x
LEFT JOIN LATERAL (
    SELECT min(h.occurred_at) FILTER (WHERE h.status = 'unknown') AS unknown_since,
        count(*) FILTER (WHERE h.status <> 'submitting') AS answers,
        (array_agg(h.source ORDER BY h."offset" DESC))[1] AS newest_source,
        max(h.occurred_at) AS newest_at
    FROM trade_execution_history h
    WHERE h.execution_id = x.execution_id
) AS tried ON true
WHERE x.status IN ('submitting', 'unknown');
COMMENT ON VIEW unresolved_orders IS 'Orders of which it isn''t known what the broker made of them: an intent without an answer, or unknown. Each holds its symbol. tradetrail order resolve settles one.';
COMMENT ON COLUMN unresolved_orders.execution_id IS 'The execution.';
COMMENT ON COLUMN unresolved_orders.decision_id IS 'Its decision.';
COMMENT ON COLUMN unresolved_orders.attempt_number IS 'From 1.';
COMMENT ON COLUMN unresolved_orders.account IS 'Broker account.';
COMMENT ON COLUMN unresolved_orders.symbol IS 'Symbol; nothing else is sent for it meanwhile.';
COMMENT ON COLUMN unresolved_orders.side IS 'buy or sell.';
COMMENT ON COLUMN unresolved_orders.quantity IS 'Shares ordered.';
COMMENT ON COLUMN unresolved_orders.status IS 'submitting: about to be sent, no answer recorded; unknown: the answer was unclear.';
COMMENT ON COLUMN unresolved_orders.unresolved_since IS 'When it was first unknown; before that, when it was about to be sent, UTC.';
COMMENT ON COLUMN unresolved_orders.answers IS 'How many answers and look-ups are recorded of it.';
COMMENT ON COLUMN unresolved_orders.newest_source IS 'What told the newest: post, stream, poll, lookup.';
COMMENT ON COLUMN unresolved_orders.newest_at IS 'When that was recorded, UTC.';
COMMENT ON COLUMN unresolved_orders.reason IS 'Why it is unknown, as a code.';
COMMENT ON COLUMN unresolved_orders.error_message IS 'What was heard, in the broker''s or the network''s words.';
COMMENT ON COLUMN unresolved_orders.api_response IS 'The broker''s newest answer.';
COMMENT ON COLUMN unresolved_orders.broker_status IS 'The broker''s own word.';
COMMENT ON COLUMN unresolved_orders.client_order_id IS 'Our id at the broker: look it up there.';
COMMENT ON COLUMN unresolved_orders.alpaca_order_id IS 'The broker''s id, where it told one.';
COMMENT ON COLUMN unresolved_orders.submitted_at IS 'When it was about to be sent, UTC.';
COMMENT ON COLUMN unresolved_orders.event_id IS 'Id of the event that announced it.';
COMMENT ON COLUMN unresolved_orders.topic IS 'Topic of that event.';
COMMENT ON COLUMN unresolved_orders.partition IS 'Its partition.';
COMMENT ON COLUMN unresolved_orders."offset" IS 'Its offset.';
COMMENT ON COLUMN unresolved_orders.available_at IS 'When Kafka appended that event, UTC: independent evidence of when.';
