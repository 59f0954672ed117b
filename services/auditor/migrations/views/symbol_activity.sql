CREATE VIEW symbol_activity AS
SELECT symbol, recorded_at AS occurred_at, 'data_ingested' AS activity, direction AS side, NULL::numeric AS quantity,
    NULL::numeric AS price_usd, politician_name AS person, NULL AS strategy_name, change AS status,
    transaction_type AS explanation, record_id, version, run_id, NULL AS decision_id, NULL AS execution_id,
    event_id, topic, partition, "offset", available_at
FROM congress_trades
UNION ALL
SELECT symbol, recorded_at, 'data_ingested', direction, shares, price_usd, insider_name, NULL, change,
    transaction_type, record_id, version, run_id, NULL, NULL, event_id, topic, partition, "offset", available_at
FROM insider_trades
UNION ALL
SELECT symbol, withdrawn_at, 'data_withdrawn', NULL, NULL, NULL, NULL, NULL, reason,
    'now under ' || coalesce(moved_to_symbol, 'no symbol'), record_id, version, run_id, NULL, NULL,
    event_id, topic, partition, "offset", available_at
FROM disclosure_withdrawals
UNION ALL
SELECT symbol, created_at, 'decision_made', side, quantity, limit_price, made_by, strategy_name, status,
    coalesce(why, trigger_event), NULL, NULL, batch_id, decision_id, NULL,
    event_id, topic, partition, "offset", available_at
FROM trade_decisions
UNION ALL
SELECT symbol, created_at, 'decision_declined', side, NULL, NULL, NULL, strategy_name, reason,
    reason_text, NULL, NULL, batch_id, decision_id, NULL, event_id, topic, partition, "offset", available_at
FROM declined_decisions
UNION ALL
SELECT symbol, submitted_at, 'order_submitting', side, quantity, limit_price, NULL, NULL, status,
    client_order_id, NULL, NULL, NULL, trade_decision_id, execution_id,
    event_id, topic, partition, "offset", available_at
FROM trade_executions
UNION ALL
SELECT x.symbol, coalesce(h.broker_at, h.occurred_at), 'order_filled', x.side, h.fill_quantity, h.fill_price, NULL, NULL,
    h.status, h.broker_status, NULL, NULL, NULL, x.trade_decision_id, x.execution_id,
    h.event_id, h.topic, h.partition, h."offset", h.available_at
FROM trade_executions x
JOIN trade_execution_history h ON h.execution_id = x.execution_id AND h.fill_quantity > 0
UNION ALL
SELECT d.symbol, coalesce(d.failed_at, d.cancelled_at), 'decision_' || d.status, d.side, d.quantity, NULL, NULL,
    d.strategy_name, d.failure_reason, d.failure_message, NULL, NULL, NULL, d.decision_id, NULL,
    NULL, d.topic, d.partition, d.status_offset, NULL
FROM trade_decisions d
WHERE d.status IN ('failed', 'cancelled')
UNION ALL
SELECT symbol, acted_at, 'operator_acted', NULL, NULL, NULL, operator, NULL, act, why, NULL, NULL, NULL,
    decision_id, execution_id, event_id, topic, partition, "offset", available_at
FROM operator_acts
UNION ALL
SELECT discovered_symbol, discovered_at, 'broker_order_discovered', discovered_side, discovered_filled_quantity,
    discovered_filled_avg_price, NULL, NULL, discovered_status, discovered_explanation, NULL, NULL, NULL,
    discovered_decision_id, discovered_execution_id, event_id, topic, partition, "offset", available_at
FROM alpaca_orders
WHERE discovered_at IS NOT NULL;
COMMENT ON VIEW symbol_activity IS 'All that happened to a symbol, one row each: data ingested, decisions, declined signals, orders, fills, failures, acts. Ask for one symbol, ordered by occurred_at and offset.';
COMMENT ON COLUMN symbol_activity.symbol IS 'Symbol; empty for disclosures without a usable one and acts on none.';
COMMENT ON COLUMN symbol_activity.occurred_at IS 'When, UTC: by the service''s clock; of a fill, a failure or a cancellation by the broker''s where it told.';
COMMENT ON COLUMN symbol_activity.activity IS 'data_ingested, data_withdrawn, decision_made, decision_declined, order_submitting, order_filled, decision_failed, decision_cancelled, operator_acted, broker_order_discovered.';
COMMENT ON COLUMN symbol_activity.side IS 'Direction of a disclosure; else buy or sell.';
COMMENT ON COLUMN symbol_activity.quantity IS 'Shares: disclosed by an insider, decided, ordered, filled.';
COMMENT ON COLUMN symbol_activity.price_usd IS 'USD a share: an insider''s price, a limit, a fill''s price.';
COMMENT ON COLUMN symbol_activity.person IS 'Politician, insider or operator.';
COMMENT ON COLUMN symbol_activity.strategy_name IS 'Strategy, or manual.';
COMMENT ON COLUMN symbol_activity.status IS 'Of data: created or updated; of a decision or order: its present status; of an end: the reason as a code; of an act: which.';
COMMENT ON COLUMN symbol_activity.explanation IS 'More about it, in words.';
COMMENT ON COLUMN symbol_activity.record_id IS 'The disclosure.';
COMMENT ON COLUMN symbol_activity.version IS 'Its version.';
COMMENT ON COLUMN symbol_activity.run_id IS 'Run that brought it, or whose data set the decision off.';
COMMENT ON COLUMN symbol_activity.decision_id IS 'The decision, made or declined.';
COMMENT ON COLUMN symbol_activity.execution_id IS 'The execution.';
COMMENT ON COLUMN symbol_activity.event_id IS 'Id of the event behind it; empty where a decision ended: its offset says which.';
COMMENT ON COLUMN symbol_activity.topic IS 'Topic of that event.';
COMMENT ON COLUMN symbol_activity.partition IS 'Its partition.';
COMMENT ON COLUMN symbol_activity."offset" IS 'Its offset.';
COMMENT ON COLUMN symbol_activity.available_at IS 'When Kafka appended that event, UTC: independent evidence of when.';
