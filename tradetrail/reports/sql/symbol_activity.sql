-- What happened with a symbol in a period, as one row of counts: record versions that came, triggers and how many of them
-- are answered by now, decisions made and what became of them, signals declined, and whether anything is known of it at all.
WITH bounds AS (
    SELECT coalesce(%(since)s::timestamptz, '-infinity') AS since, coalesce(%(until)s::timestamptz, 'infinity') AS until
), triggered AS (
    SELECT ready.topic, ready.partition, ready."offset"
    FROM symbol_data_ready ready, bounds
    WHERE ready.symbol = %(symbol)s AND ready.ready_at >= since AND ready.ready_at < until
), answered AS (
    SELECT topic, partition, view_through FROM trade_decisions WHERE symbol = %(symbol)s
    UNION
    SELECT topic, partition, view_through FROM declined_decisions WHERE symbol = %(symbol)s
), decided AS (
    SELECT status
    FROM trade_decisions, bounds
    WHERE symbol = %(symbol)s AND created_at >= since AND created_at < until
)
SELECT (
        SELECT count(*)
        FROM (
            SELECT recorded_at FROM congress_trades WHERE symbol = %(symbol)s
            UNION ALL
            SELECT recorded_at FROM insider_trades WHERE symbol = %(symbol)s
        ) AS record, bounds
        WHERE record.recorded_at >= since AND record.recorded_at < until
    ) AS disclosures_received,
    (SELECT count(*) FROM triggered) AS triggers,
    (
        SELECT count(*)
        FROM triggered
        JOIN answered USING (topic, partition)
        WHERE answered.view_through = triggered."offset"
    ) AS triggers_answered,
    (SELECT count(*) FROM decided) AS decisions_made,
    (SELECT count(*) FROM decided WHERE status IN ('failed', 'cancelled')) AS decisions_failed,
    (
        SELECT count(*)
        FROM declined_decisions, bounds
        WHERE symbol = %(symbol)s AND created_at >= since AND created_at < until
    ) AS declined,
    (
        EXISTS (SELECT FROM congress_trades WHERE symbol = %(symbol)s)
        OR EXISTS (SELECT FROM insider_trades WHERE symbol = %(symbol)s)
        OR EXISTS (SELECT FROM answered)
    ) AS is_known
