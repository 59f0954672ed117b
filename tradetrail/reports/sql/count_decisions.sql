-- Decisions by status.
SELECT status AS name, count(*) AS count FROM trade_decisions WHERE created_at IS NOT NULL GROUP BY status ORDER BY status
