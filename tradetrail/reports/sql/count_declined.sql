-- Declined signals by reason.
SELECT reason AS name, count(*) AS count FROM declined_decisions GROUP BY reason ORDER BY reason
