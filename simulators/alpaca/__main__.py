"""Start the simulated Alpaca: ``python -m simulators.alpaca --seed 1 --now 2024-01-02T12:00:00Z``."""

from __future__ import annotations

import sys

from simulators.alpaca.app import serve
from simulators.alpaca.options import read_options
from simulators.world import open_world
from tradetrail.errors import UsageError


def main() -> int:
    """Serve until stopped; return the exit code."""
    try:
        options, source = read_options(sys.argv[1:])
        world = open_world(source.data, source.seed, source.start, source.end)
        serve(world, options)
    except UsageError as error:
        sys.stderr.write(f"simulators.alpaca: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
