-- The strategies that answered anything, manual among them.
SELECT DISTINCT strategy_name AS name FROM declined_decisions
UNION
SELECT DISTINCT strategy_name FROM trade_decisions
