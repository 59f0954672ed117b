"""What the log says of decisions, orders and halts: folded, and what may follow what. Pure, reads no clock."""
