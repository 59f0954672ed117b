"""``python -m simulators.quiverquant``: the simulated vendor of disclosures and committee seats."""

from __future__ import annotations

import sys

from simulators.quiverquant.entry import main

if __name__ == "__main__":
    sys.exit(main())
