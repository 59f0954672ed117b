"""How a step gets into the log: as events, in fenced transactions, and from there into the book."""
