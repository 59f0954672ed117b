-- Fills and the shares they moved, by side.
SELECT e.side AS name, count(*) AS count, trim_scale(sum(h.fill_quantity)) AS shares
FROM trade_execution_history h
JOIN trade_executions e USING (execution_id)
WHERE h.fill_quantity > 0
GROUP BY e.side
ORDER BY e.side
