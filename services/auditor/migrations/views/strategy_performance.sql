CREATE VIEW strategy_performance AS
SELECT strategy_name,
    strategy_version,
    count(*) FILTER (WHERE status IS DISTINCT FROM 'declined') AS total_signals,
    count(*) FILTER (WHERE status = 'declined') AS declined,
    count(*) FILTER (WHERE status = 'pending') AS pending,
    count(*) FILTER (WHERE status = 'executing') AS executing,
    count(*) FILTER (WHERE status = 'executed') AS executed,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status = 'failed' AND failure_reason = 'blocked') AS blocked,
    count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
    round(100.0 * count(*) FILTER (WHERE status = 'executed')
        / nullif(count(*) FILTER (WHERE status IS DISTINCT FROM 'declined'), 0), 2) AS success_rate,
    min(created_at) AS first_at,
    max(created_at) AS last_at
FROM (
    SELECT strategy_name, strategy_version, status, failure_reason, created_at
    FROM trade_decisions
    WHERE created_at IS NOT NULL
    UNION ALL
    SELECT strategy_name, strategy_version, 'declined', NULL, created_at
    FROM declined_decisions
    WHERE created_at IS NOT NULL
) AS answers
GROUP BY strategy_name, strategy_version;
COMMENT ON VIEW strategy_performance IS 'How each strategy''s signals fared, apart from what became of them at the broker: success_rate is 100 x executed / total_signals.';
COMMENT ON COLUMN strategy_performance.strategy_name IS 'Strategy, or manual.';
COMMENT ON COLUMN strategy_performance.strategy_version IS 'Version of its rules.';
COMMENT ON COLUMN strategy_performance.total_signals IS 'Decisions made: signals that were to be traded.';
COMMENT ON COLUMN strategy_performance.declined IS 'Signals that no trade came of, by the strategy''s own rules; not among total_signals.';
COMMENT ON COLUMN strategy_performance.pending IS 'Of the decisions, those that wait.';
COMMENT ON COLUMN strategy_performance.executing IS 'Those under way.';
COMMENT ON COLUMN strategy_performance.executed IS 'Those executed.';
COMMENT ON COLUMN strategy_performance.failed IS 'Those that failed, the blocked ones among them.';
COMMENT ON COLUMN strategy_performance.blocked IS 'Of the failed ones, those that a pre-trade control refused.';
COMMENT ON COLUMN strategy_performance.cancelled IS 'Those that a person cancelled.';
COMMENT ON COLUMN strategy_performance.success_rate IS '100 x executed / total_signals, two decimals; empty without decisions.';
COMMENT ON COLUMN strategy_performance.first_at IS 'When it first answered, UTC.';
COMMENT ON COLUMN strategy_performance.last_at IS 'When it last answered, UTC.';
