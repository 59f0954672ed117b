-- Events by type; those that could not be read have none.
SELECT coalesce(type, 'unreadable') AS name, count(*) AS count FROM events GROUP BY type ORDER BY 1
