"""From signals and orders by people, in their contexts, to the events that answer them."""
