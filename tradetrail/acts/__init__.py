"""How a person's act gets into the log, once, and what is said to it: the same for the command line and for the API."""
