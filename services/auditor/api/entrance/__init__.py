"""What every request passes: its id and its line in the log, who asks, how often, from where."""
