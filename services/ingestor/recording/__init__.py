"""How a run gets into the log: its calls, its delivery, its commits, under the lock of its data source."""
