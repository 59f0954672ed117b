-- The versions of disclosures that a decision used and could see. Its own records are named: others are not looked at.
SELECT record_id, version, topic, partition, "offset"
FROM known_at_decision
WHERE decision_id = %(decision_id)s AND record_id = ANY(%(record_ids)s) AND used
