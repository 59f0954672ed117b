"""Runs: one task from its lock to its end, by command, or cut into windows for a period of years."""
