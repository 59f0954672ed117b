"""What can be seen of a symbol: folded from the log, cut at a trigger; acts of people and reference facts with it."""
