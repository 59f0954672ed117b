"""The log against the audit database: every event, every projected row. Reads both, changes neither."""
