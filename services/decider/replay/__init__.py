"""Recorded decisions once more, or under other thresholds. Reads the log only: it writes nothing and asks nobody."""
