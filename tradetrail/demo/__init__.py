"""The demo: the whole system on simulated vendors, walked through time session by session."""
