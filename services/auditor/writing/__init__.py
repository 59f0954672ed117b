"""From events to rows in Postgres: put together without I/O, then sent in one transaction a batch."""
