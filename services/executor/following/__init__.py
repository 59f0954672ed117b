"""Orders that are open at the broker: polled, heard of on the stream, until each is over."""
