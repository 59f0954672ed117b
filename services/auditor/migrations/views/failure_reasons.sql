CREATE VIEW failure_reasons AS
SELECT failure_reason,
    failure_control,
    count(*) AS failures,
    round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS percent_of_failures,
    count(DISTINCT symbol) AS symbols,
    array_agg(DISTINCT strategy_name) AS strategies,
    min(failed_at) AS first_failed_at,
    max(failed_at) AS last_failed_at,
    (array_agg(failure_message ORDER BY failed_at DESC NULLS LAST, decision_id))[1] AS newest_message
FROM trade_decisions
WHERE status = 'failed'
GROUP BY failure_reason, failure_control;
COMMENT ON VIEW failure_reasons IS 'Why decisions failed, and how often: one row a reason, and a control for those that were blocked.';
COMMENT ON COLUMN failure_reasons.failure_reason IS 'Why, as a code.';
COMMENT ON COLUMN failure_reasons.failure_control IS 'The pre-trade control, where it was blocked.';
COMMENT ON COLUMN failure_reasons.failures IS 'Decisions that failed so.';
COMMENT ON COLUMN failure_reasons.percent_of_failures IS 'Their share of all failed decisions, two decimals.';
COMMENT ON COLUMN failure_reasons.symbols IS 'How many symbols it met.';
COMMENT ON COLUMN failure_reasons.strategies IS 'Whose decisions they were.';
COMMENT ON COLUMN failure_reasons.first_failed_at IS 'When it was first so, UTC.';
COMMENT ON COLUMN failure_reasons.last_failed_at IS 'When it was last so, UTC.';
COMMENT ON COLUMN failure_reasons.newest_message IS 'What broker or control said of the newest.';
