-- The runs that a decision's data came from, as it recorded them.
-- Order: by completion, then run id.
SELECT run.run_id AS ingestion_run_id,
    run.task_name,
    run.data_source,
    run.completed_at,
    run.records_fetched
FROM decider_answers a,
    jsonb_to_recordset(a.decision_rationale #> '{data_lineage,ingestion_runs}')
        AS run (run_id text, task_name text, data_source text, completed_at timestamptz, records_fetched integer)
WHERE a.decision_id = %(decision_id)s
ORDER BY run.completed_at, run.run_id
