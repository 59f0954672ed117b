"""``tradetrail report …``, and how every command puts a report out."""
