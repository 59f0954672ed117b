"""Run the ingestor: on its schedule, or one task with ``--once TASK [--from D --to D]`` (exit 0, 1, 2 or 3)."""

from __future__ import annotations

import sys

from services.ingestor.entry import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
