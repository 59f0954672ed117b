"""Check or describe a world: ``python -m simulators.world check FOLDER``, ``… describe FOLDER | --seed N``.

Exit code 0, or 2 with a message when the folder lacks a file or has a broken line.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from simulators.world import DEFAULT_END, DEFAULT_SEED, DEFAULT_START, World, open_world
from simulators.world.generated import GeneratedWorld
from tradetrail.errors import UsageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m simulators.world", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="read every line of a data folder")
    check.add_argument("folder", type=Path)
    describe = commands.add_parser("describe", help="print counts and spans as JSON")
    describe.add_argument("folder", type=Path, nargs="?")
    describe.add_argument("--seed", type=int, default=DEFAULT_SEED)
    describe.add_argument("--start", type=date.fromisoformat, default=DEFAULT_START)
    describe.add_argument("--end", type=date.fromisoformat, default=DEFAULT_END)
    options = parser.parse_args(arguments)
    try:
        if options.command == "check":
            open_world(options.folder).check()
            sys.stderr.write(f"{options.folder} is a complete data folder\n")
        else:
            world = open_world(options.folder, options.seed, options.start, options.end)
            sys.stdout.write(json.dumps(describe_world(world), indent=2) + "\n")
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def describe_world(world: World) -> dict[str, Any]:
    """Return counts and spans of every part of a world, ready for JSON.

    ``days`` are those worth simulating: an invented world's own, or those with both prices and disclosures.
    """
    prices = world.prices
    days = (world.start, world.end) if isinstance(world, GeneratedWorld) else _overlap(world)
    reported = [row.reported_on for row in world.congress]
    filed = [row.filed_on for row in world.insiders]
    return {
        "days": _span(days),
        "prices": {
            "symbols": len(prices.symbols()),
            "bars": prices.bars_count,
            **_span(prices.span or ()),
        },
        "assets": len(world.assets),
        "congress": {
            "rows": len(reported),
            "by_chamber": dict(Counter(str(row.fields["House"]) for row in world.congress)),
            "replaced_later": sum(row.replaced_at is not None for row in world.congress),
            **_span(reported),
        },
        "insiders": {
            "rows": len(filed),
            "by_code": dict(
                Counter(str(row.fields["TransactionCode"]) for row in world.insiders).most_common()
            ),
            **_span(filed),
        },
        "committees": [
            {
                "as_of": snapshot.as_of.isoformat(),
                "committees": len(snapshot.committees),
                "members": len(snapshot.members),
            }
            for snapshot in world.committees
        ],
    }


def _overlap(world: World) -> tuple[date, ...]:
    """Return the first and last day with both prices and disclosures known, empty without any."""
    if world.prices.span is None or not world.congress:
        return ()
    first = max(world.prices.span[0], world.congress[0].reported_on)
    last = min(world.prices.span[1], world.congress[-1].reported_on)
    return (first, last) if first <= last else ()


def _span(days: Sequence[date]) -> dict[str, str | None]:
    return {
        "from": min(days).isoformat() if days else None,
        "to": max(days).isoformat() if days else None,
    }


if __name__ == "__main__":
    sys.exit(main())
