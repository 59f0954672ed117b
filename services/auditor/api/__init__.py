"""The audit over HTTP: reports and acts, for programs and for browsers. Knows nothing of how the tables are written."""
