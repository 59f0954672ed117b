"""One file a strategy; ``services.decider.catalogue`` names those that can run."""
