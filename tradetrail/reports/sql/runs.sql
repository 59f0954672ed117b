-- One page of runs, each with how it began and how it ended. A run is there from its first audited event on.
-- Began: when it started; should that event be unreadable, when it ended.
-- Order: newest first, then run id, both descending. A page begins after the run that the cursor names.
SELECT coalesce(started_at, completed_at, failed_at) AS began_at,
    run_id,
    task_name,
    data_source,
    trigger,
    requested_by,
    started_at,
    completed_at,
    failed_at,
    status,
    data_date_start,
    data_date_end,
    records_fetched,
    records_created,
    records_updated,
    records_skipped,
    records_flagged,
    coalesce(flags, '{}') AS flags,
    findings,
    error_code,
    error_message,
    CASE
        WHEN error_details IS NULL OR jsonb_typeof(error_details) = 'object' THEN error_details
        ELSE jsonb_build_object('text', error_details)
    END AS error_details
FROM data_ingestion_runs
WHERE status IS NOT NULL
    AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s)
    AND (%(task_name)s::text IS NULL OR task_name = %(task_name)s)
    AND (%(data_source)s::text IS NULL OR data_source = %(data_source)s)
    AND (%(status)s::text IS NULL OR status = %(status)s)
    AND (%(since)s::timestamptz IS NULL OR coalesce(started_at, completed_at, failed_at) >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR coalesce(started_at, completed_at, failed_at) < %(until)s)
    AND (%(after_at)s::timestamptz IS NULL
        OR (coalesce(started_at, completed_at, failed_at), run_id) < (%(after_at)s, %(after_id)s))
ORDER BY coalesce(started_at, completed_at, failed_at) DESC, run_id DESC
LIMIT %(rows_max)s
