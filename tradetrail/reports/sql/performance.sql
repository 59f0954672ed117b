-- How the signals of each strategy and version in the period fared: one row each. By the answers' own status, not by fills.
-- Order: strategy, then version.
WITH answers AS (
    SELECT strategy_name, strategy_version, status, failure_reason, count(*) AS count
    FROM trade_decisions
    WHERE created_at >= coalesce(%(since)s::timestamptz, '-infinity')
        AND created_at < coalesce(%(until)s::timestamptz, 'infinity')
        AND (%(strategy)s::text IS NULL OR strategy_name = %(strategy)s)
    GROUP BY strategy_name, strategy_version, status, failure_reason
    UNION ALL
    SELECT strategy_name, strategy_version, 'declined', NULL, count(*)
    FROM declined_decisions
    WHERE created_at >= coalesce(%(since)s::timestamptz, '-infinity')
        AND created_at < coalesce(%(until)s::timestamptz, 'infinity')
        AND (%(strategy)s::text IS NULL OR strategy_name = %(strategy)s)
    GROUP BY strategy_name, strategy_version
), counted AS (
    SELECT strategy_name,
        strategy_version,
        coalesce(sum(count) FILTER (WHERE status IS DISTINCT FROM 'declined'), 0)::bigint AS total_signals,
        coalesce(sum(count) FILTER (WHERE status = 'declined'), 0)::bigint AS declined,
        coalesce(sum(count) FILTER (WHERE status = 'executed'), 0)::bigint AS executed,
        coalesce(sum(count) FILTER (WHERE status = 'failed'), 0)::bigint AS failed,
        coalesce(sum(count) FILTER (WHERE status = 'failed' AND failure_reason = 'blocked'), 0)::bigint AS blocked,
        coalesce(sum(count) FILTER (WHERE status = 'cancelled'), 0)::bigint AS cancelled,
        coalesce(sum(count) FILTER (WHERE status = 'pending'), 0)::bigint AS pending,
        coalesce(sum(count) FILTER (WHERE status = 'executing'), 0)::bigint AS executing
    FROM answers
    GROUP BY strategy_name, strategy_version
)
SELECT counted.*, round(100.0 * executed / nullif(total_signals, 0), 2) AS success_rate
FROM counted
ORDER BY strategy_name, strategy_version
