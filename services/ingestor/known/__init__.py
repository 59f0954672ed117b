"""What the log says of runs, of the days they cover, and of records: read at the start, then followed."""
