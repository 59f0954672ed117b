-- Record versions by whether they were new or changed.
SELECT operation AS name, count(*) AS count
FROM data_ingestion_run_records
WHERE operation IS NOT NULL
GROUP BY operation
ORDER BY operation
