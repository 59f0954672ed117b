"""The edge to Kafka: what is read, in which schema it was written, and where it goes when it can't be read."""
