-- Every order of ours that filled something, for positions to be added up from: fills of any other order are not among them.
-- Order: symbol, then as they filled.
SELECT x.symbol,
    x.side,
    x.filled_quantity AS quantity,
    x.filled_avg_price AS price_usd,
    coalesce(x.filled_at, x.status_at) AS filled_at
FROM trade_executions x
WHERE x.filled_quantity > 0
ORDER BY x.symbol, coalesce(x.filled_at, x.status_at), x.status_offset, x.execution_id
