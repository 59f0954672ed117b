-- The ingestion runs that a decision rests on: those its rationale names, those of the records it used, and the one that set
-- it off. One that is not in the database has its id alone.
-- Order: by start, then run id.
SELECT named.run_id AS ingestion_run_id,
    run.task_name,
    run.data_source,
    run.trigger,
    run.requested_by,
    run.status,
    run.started_at,
    run.completed_at,
    run.failed_at,
    run.records_fetched,
    run.records_created,
    run.records_updated,
    (SELECT count(*) FROM api_payloads call WHERE call.run_id = named.run_id AND call.chunk_index = 0) AS api_calls,
    NULLIF(run.topic, '') AS topic,
    run.partition,
    run."offset",
    run.available_at AS appended_at
FROM (
    SELECT told.run_id
    FROM (
        SELECT decision_rationale, batch_id FROM trade_decisions WHERE decision_id = %(decision_id)s
        UNION ALL
        SELECT decision_rationale, batch_id FROM declined_decisions WHERE decision_id = %(decision_id)s
    ) AS answer
    CROSS JOIN LATERAL (
        SELECT answer.batch_id
        UNION
        SELECT lineage.run_id
        FROM jsonb_to_recordset(answer.decision_rationale #> '{data_lineage,ingestion_runs}') AS lineage (run_id text)
        UNION
        SELECT source.run_id
        FROM jsonb_to_recordset(answer.decision_rationale #> '{source_data,records}') AS source (run_id text)
    ) AS told (run_id)
    WHERE told.run_id IS NOT NULL
) AS named
LEFT JOIN data_ingestion_runs run ON run.run_id = named.run_id
ORDER BY run.started_at, named.run_id
