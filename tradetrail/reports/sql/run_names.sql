-- The tasks and data sources that any run is recorded of.
SELECT DISTINCT task_name, data_source FROM data_ingestion_runs WHERE status IS NOT NULL
