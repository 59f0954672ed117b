"""The audit database's schema, forward only and additive: the previous release keeps running through each step."""
