-- Every pre-trade control that a decision met, passed or not.
-- Order: as they were checked.
SELECT attempt_number AS attempt,
    execution_id,
    control,
    passed,
    trim_scale(limit_value) AS "limit",
    trim_scale(observed_value) AS observed,
    unit,
    explanation,
    checked_at,
    coalesce(api_call_ids, '[]') AS api_call_ids,
    configuration_hash,
    topic,
    partition,
    "offset",
    available_at AS appended_at
FROM risk_checks
WHERE trade_decision_id = %(decision_id)s
ORDER BY "offset", check_number
