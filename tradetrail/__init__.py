"""tradetrail: what the services, the tools and the local stack share."""

__version__ = "0.1.0"
