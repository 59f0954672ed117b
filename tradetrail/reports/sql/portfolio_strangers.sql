-- Orders with fills that were found at the broker and that the log did not make, or has otherwise: no position counts them.
SELECT count(*) AS orders,
    coalesce(array_agg(DISTINCT discovered_symbol ORDER BY discovered_symbol)
        FILTER (WHERE discovered_symbol IS NOT NULL), '{}') AS symbols
FROM alpaca_orders
WHERE discovered_at IS NOT NULL AND discovered_filled_quantity > 0
