-- How many rows a decision's lists have, whatever the page: one row. The lists' own queries say what counts.
SELECT (
        SELECT count(*)
        FROM decider_answers
        WHERE symbol = %(symbol)s AND topic = %(topic)s AND partition = %(partition)s
            AND view_through < %(view_through)s
    ) AS earlier_answers,
    (
        SELECT count(*)
        FROM trade_executions execution
        JOIN trade_execution_history told USING (execution_id)
        WHERE execution.symbol = %(symbol)s AND told.topic = %(topic)s AND told.partition = %(partition)s
            AND told."offset" <= %(view_through)s
    ) + (
        SELECT count(*)
        FROM trade_decisions decision
        JOIN risk_checks refused ON refused.trade_decision_id = decision.decision_id
        WHERE decision.symbol = %(symbol)s AND refused.execution_id IS NULL AND NOT refused.passed
            AND refused.topic = %(topic)s AND refused.partition = %(partition)s
            AND refused."offset" <= %(view_through)s
    ) + (
        SELECT count(*)
        FROM alpaca_orders
        WHERE discovered_symbol = %(symbol)s AND discovered_at IS NOT NULL
            AND topic = %(topic)s AND partition = %(partition)s AND "offset" <= %(view_through)s
    ) AS orders,
    (
        SELECT count(*)
        FROM operator_acts
        WHERE symbol = %(symbol)s AND topic = %(topic)s AND partition = %(partition)s
            AND "offset" <= %(view_through)s
    ) AS operator_acts,
    (
        SELECT count(*)
        FROM dead_letters
        WHERE source_topic = %(topic)s AND source_partition = %(partition)s AND source_offset <= %(view_through)s
            AND source_key = convert_to(%(symbol)s, 'UTF8')
    ) AS unreadable_events
