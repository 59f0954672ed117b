"""Earlier versions of strategies, one a file, frozen: replays run them, the service does not. Each names STRATEGY."""
