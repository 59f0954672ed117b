"""Start a replay: `python -m services.decider.replay`."""

import sys

from services.decider.replay.entry import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
