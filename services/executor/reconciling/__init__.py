"""The broker's orders compared with the log: what it has and the log lacks is discovered."""
