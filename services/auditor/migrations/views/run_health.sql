CREATE VIEW run_health AS
SELECT r.run_id,
    r.task_name,
    r.data_source,
    r.trigger,
    r.requested_by,
    coalesce(r.status, 'running') AS status,
    r.started_at,
    r.completed_at,
    r.failed_at,
    coalesce(r.completed_at, r.failed_at) - r.started_at AS duration,
    r.data_date_start,
    r.data_date_end,
    r.records_fetched,
    r.records_created,
    r.records_updated,
    r.records_skipped,
    r.records_flagged,
    r.flags,
    r.findings,
    r.error_code,
    r.error_message,
    r.error_details,
    (SELECT count(*) FROM data_ingestion_run_records k WHERE k.run_id = r.run_id AND k.topic IS NOT NULL)
        AS records_recorded,
    (
        SELECT count(*) FROM api_payloads c WHERE c.run_id = r.run_id AND c.chunk_index = 0
    ) AS calls,
    (
        SELECT count(*) FROM api_payloads c
        WHERE c.run_id = r.run_id AND c.chunk_index = 0 AND (c.status_code IS NULL OR c.status_code >= 400)
    ) AS calls_failed,
    (
        SELECT min(c.rate_limit_remaining) FROM api_payloads c WHERE c.run_id = r.run_id AND c.chunk_index = 0
    ) AS rate_limit_remaining_min,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_object('endpoint', c.endpoint, 'timestamp', c.requested_at,
            'status_code', c.status_code, 'response_size', c.response_size_bytes,
            'records_returned', c.records_returned, 'rate_limit_remaining', c.rate_limit_remaining)
            ORDER BY c.requested_at, c.call_id), '[]')
        FROM api_payloads c
        WHERE c.run_id = r.run_id AND c.chunk_index = 0
    ) AS api_calls,
    (
        SELECT jsonb_build_object('quiver_trades', coalesce(jsonb_agg(DISTINCT k.record_id), '[]'))
        FROM data_ingestion_run_records k
        WHERE k.run_id = r.run_id AND k.topic IS NOT NULL
    ) AS ingested_record_ids,
    r.configuration_hash,
    r.event_id,
    r.topic,
    r.partition,
    r."offset",
    r.available_at
FROM data_ingestion_runs r
WHERE r.started_at IS NOT NULL OR r.status IS NOT NULL;
COMMENT ON VIEW run_health IS 'Every ingestion run: how it went, what it asked the vendor, what it delivered, and whether all of that is here.';
COMMENT ON COLUMN run_health.run_id IS 'Id of the run.';
COMMENT ON COLUMN run_health.task_name IS 'Task.';
COMMENT ON COLUMN run_health.data_source IS 'Source.';
COMMENT ON COLUMN run_health.trigger IS 'What began it: schedule or command.';
COMMENT ON COLUMN run_health.requested_by IS 'Person or schedule slot.';
COMMENT ON COLUMN run_health.status IS 'running, completed or failed.';
COMMENT ON COLUMN run_health.started_at IS 'When it started, UTC.';
COMMENT ON COLUMN run_health.completed_at IS 'When it completed, UTC.';
COMMENT ON COLUMN run_health.failed_at IS 'When it failed, UTC.';
COMMENT ON COLUMN run_health.duration IS 'How long it took; empty while it runs.';
COMMENT ON COLUMN run_health.data_date_start IS 'First day asked for or delivered.';
COMMENT ON COLUMN run_health.data_date_end IS 'Last such day, inclusive.';
COMMENT ON COLUMN run_health.records_fetched IS 'Rows received.';
COMMENT ON COLUMN run_health.records_created IS 'New records.';
COMMENT ON COLUMN run_health.records_updated IS 'Changed records.';
COMMENT ON COLUMN run_health.records_skipped IS 'Rows that said nothing new.';
COMMENT ON COLUMN run_health.records_flagged IS 'Records with at least one flag.';
COMMENT ON COLUMN run_health.flags IS 'Count per flag.';
COMMENT ON COLUMN run_health.findings IS 'What a maintenance run noticed.';
COMMENT ON COLUMN run_health.error_code IS 'Why it failed, as a code.';
COMMENT ON COLUMN run_health.error_message IS 'What happened and what to do next.';
COMMENT ON COLUMN run_health.error_details IS 'More about the failure.';
COMMENT ON COLUMN run_health.records_recorded IS 'Record versions of it that are in this database: records_created + records_updated once all have come.';
COMMENT ON COLUMN run_health.calls IS 'Vendor calls it made.';
COMMENT ON COLUMN run_health.calls_failed IS 'Of those, without an answer or with an error''s status.';
COMMENT ON COLUMN run_health.rate_limit_remaining_min IS 'Lowest rate limit left that the vendor told.';
COMMENT ON COLUMN run_health.api_calls IS 'Each call: a list of {endpoint, timestamp, status_code, response_size, records_returned, rate_limit_remaining}.';
COMMENT ON COLUMN run_health.ingested_record_ids IS 'Records it created or changed: {quiver_trades: [record ids]}; see quiver_trades.';
COMMENT ON COLUMN run_health.configuration_hash IS 'Configuration it ran under.';
COMMENT ON COLUMN run_health.event_id IS 'Id of the event of its start.';
COMMENT ON COLUMN run_health.topic IS 'Topic of that event.';
COMMENT ON COLUMN run_health.partition IS 'Its partition.';
COMMENT ON COLUMN run_health."offset" IS 'Its offset.';
COMMENT ON COLUMN run_health.available_at IS 'When Kafka appended that event, UTC: independent evidence of when.';
