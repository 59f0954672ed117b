-- Every symbol with anything recorded about it: how much, and the first and last day of it.
-- Order: decisions, then disclosures, most first, then symbol.
WITH disclosed AS (
    SELECT symbol, count(DISTINCT record_id) AS disclosures, min(disclosed_on) AS first_day, max(disclosed_on) AS last_day
    FROM (
        SELECT symbol, record_id, disclosed_on FROM congress_trades
        UNION ALL
        SELECT symbol, record_id, disclosed_on FROM insider_trades
    ) AS both_kinds
    WHERE symbol IS NOT NULL
    GROUP BY symbol
), decided AS (
    SELECT symbol, count(*) AS decisions, count(*) FILTER (WHERE status = 'executed') AS executed,
        count(*) FILTER (WHERE status = 'failed') AS failed,
        min((created_at AT TIME ZONE 'America/New_York')::date) AS first_day,
        max((created_at AT TIME ZONE 'America/New_York')::date) AS last_day
    FROM trade_decisions
    WHERE symbol IS NOT NULL AND created_at IS NOT NULL
    GROUP BY symbol
), refused AS (
    SELECT symbol, count(*) AS declined FROM declined_decisions WHERE symbol IS NOT NULL GROUP BY symbol
)
SELECT symbol,
    coalesce(disclosures, 0) AS disclosures,
    coalesce(decisions, 0) AS decisions,
    coalesce(executed, 0) AS executed,
    coalesce(failed, 0) AS failed,
    coalesce(declined, 0) AS declined,
    least(disclosed.first_day, decided.first_day) AS first_day,
    greatest(disclosed.last_day, decided.last_day) AS last_day
FROM disclosed
FULL JOIN decided USING (symbol)
FULL JOIN refused USING (symbol)
ORDER BY coalesce(decisions, 0) DESC, coalesce(disclosures, 0) DESC, symbol
