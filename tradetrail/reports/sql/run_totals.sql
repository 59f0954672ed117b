-- Sums over every run that the filters of runs.sql let through, whatever the page.
WITH chosen AS (
    SELECT status, records_fetched, records_created, records_updated, records_skipped, records_flagged, flags
    FROM data_ingestion_runs
    WHERE status IS NOT NULL
        AND (%(run_id)s::text IS NULL OR run_id = %(run_id)s)
        AND (%(task_name)s::text IS NULL OR task_name = %(task_name)s)
        AND (%(data_source)s::text IS NULL OR data_source = %(data_source)s)
        AND (%(status)s::text IS NULL OR status = %(status)s)
        AND (%(since)s::timestamptz IS NULL OR coalesce(started_at, completed_at, failed_at) >= %(since)s)
        AND (%(until)s::timestamptz IS NULL OR coalesce(started_at, completed_at, failed_at) < %(until)s)
)
SELECT count(*) AS runs,
    count(*) FILTER (WHERE status = 'running') AS running,
    count(*) FILTER (WHERE status = 'completed') AS completed,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    coalesce(sum(records_fetched), 0) AS records_fetched,
    coalesce(sum(records_created), 0) AS records_created,
    coalesce(sum(records_updated), 0) AS records_updated,
    coalesce(sum(records_skipped), 0) AS records_skipped,
    coalesce(sum(records_flagged), 0) AS records_flagged,
    coalesce(
        (
            SELECT jsonb_object_agg(flag, total)
            FROM (
                SELECT each.key AS flag, sum(each.value::numeric) AS total
                FROM chosen, jsonb_each_text(chosen.flags) AS each
                GROUP BY each.key
            ) AS per_flag
        ),
        '{}'
    ) AS flags
FROM chosen
