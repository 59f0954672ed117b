"""Orders on their way to the broker: checked, committed as intents, posted; and those of unknown fate."""
