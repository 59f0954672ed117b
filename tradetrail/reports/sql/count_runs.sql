-- Runs by status.
SELECT status AS name, count(*) AS count FROM data_ingestion_runs WHERE status IS NOT NULL GROUP BY status ORDER BY status
