"""One file a strategy, which names its class ``STRATEGY``; ``services.decider.catalogue`` finds them."""
