-- How far each partition is audited.
SELECT topic, partition, next_offset FROM positions ORDER BY topic, partition
