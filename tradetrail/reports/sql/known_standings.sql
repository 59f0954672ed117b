-- How many versions of disclosures a decision could see, by what they were to it and the run that fetched them.
SELECT standing, run_id AS ingestion_run_id, count(*) AS records
FROM known_at_decision
WHERE decision_id = %(decision_id)s
GROUP BY standing, run_id
