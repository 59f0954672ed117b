-- Dead letters by reason.
SELECT reason_code AS name, count(*) AS count FROM dead_letters GROUP BY reason_code ORDER BY reason_code
