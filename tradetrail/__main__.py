"""``python -m tradetrail``: the command line, where the script ``tradetrail`` is not on the path."""

from tradetrail.cli.main import main

if __name__ == "__main__":
    main()
