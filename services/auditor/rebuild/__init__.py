"""Audit tables again from the log: the whole schema beside the live one, or a window of events in place."""
