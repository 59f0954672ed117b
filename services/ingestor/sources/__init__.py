"""The edges to the vendors: the only part of the ingestor that speaks HTTP."""
