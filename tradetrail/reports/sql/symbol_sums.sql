-- What the decisions, the declined signals and the trades of a symbol in the period add up to, whatever the page: one row.
SELECT decided.*, declined.*, traded.*
FROM (
    SELECT count(*) AS total_signals,
        count(*) FILTER (WHERE status = 'executed') AS executed,
        count(*) FILTER (WHERE status = 'failed') AS failed
    FROM trade_decisions
    WHERE symbol = %(symbol)s AND created_at >= %(since)s AND created_at < %(until)s
) AS decided, (
    SELECT count(*) AS declined
    FROM declined_decisions
    WHERE symbol = %(symbol)s AND created_at >= %(since)s AND created_at < %(until)s
) AS declined, (
    SELECT count(*) AS total_trades,
        trim_scale(coalesce(sum(filled_quantity) FILTER (WHERE side = 'buy'), 0)) AS shares_bought,
        trim_scale(coalesce(sum(filled_quantity) FILTER (WHERE side = 'sell'), 0)) AS shares_sold
    FROM trade_executions
    WHERE symbol = %(symbol)s
        AND filled_quantity > 0
        AND status IN ('filled', 'cancelled', 'expired', 'rejected', 'replaced', 'error')
        AND coalesce(filled_at, status_at) >= %(since)s
        AND coalesce(filled_at, status_at) < %(until)s
) AS traded
