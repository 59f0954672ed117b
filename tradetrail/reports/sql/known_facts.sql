-- The committee seats and sectors that a decision used, each with whether it had read that far.
-- Order: as the decision recorded them.
SELECT fact.kind,
    fact.subject,
    fact.value,
    fact."offset" <= reach.through AS in_reach,
    coalesce(seat.available_at, sector.available_at) AS appended_at,
    fact.topic,
    fact.partition,
    fact."offset",
    fact.event_id
FROM decider_answers a
CROSS JOIN LATERAL ROWS FROM (
    jsonb_to_recordset(a.decision_rationale -> 'reference_facts')
        AS (kind text, subject text, value text, topic text, partition integer, "offset" bigint, event_id text)
) WITH ORDINALITY AS fact (kind, subject, value, topic, partition, "offset", event_id, place)
LEFT JOIN committee_memberships seat ON seat.membership_id = fact.event_id
LEFT JOIN sectors sector ON sector.sector_fact_id = fact.event_id
LEFT JOIN LATERAL (
    SELECT max(read."offset") AS through
    FROM jsonb_to_recordset(a.reference_through) AS read (topic text, partition integer, "offset" bigint)
    WHERE read.topic = fact.topic AND read.partition = fact.partition
) AS reach ON true
WHERE a.decision_id = %(decision_id)s
ORDER BY fact.place
