"""Simulated Alpacas over a handful of known prices, each a process of its own, for the contract tests.

``python -m tests.contract.alpaca_server`` reads settings as JSON lines; for each it forks a server on a free port,
which tells its process id and address. The prices below are few, so that every expected amount in the tests can be
recounted by hand. When its input ends, every server it forked ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from simulators.alpaca.app import Options, serve
from simulators.alpaca.edge import Keys
from simulators.world.prices import Bar, PriceTable
from tradetrail import sessions

KEYS = Keys("test-key", "test-secret")

# symbol, session, open, high, low, close, split. Monday 2020-08-24 to Wednesday 2020-09-02, weekend inside.
_BARS = """
ACME 2020-08-24 100 102 99 101 1
ACME 2020-08-25 101 103 100 102 1
ACME 2020-08-26 102 104 98 99 1
ACME 2020-08-27 99 101 97 100 1
ACME 2020-08-28 100 120 99 110 1
ACME 2020-08-31 111 112 109 110 1
ACME 2020-09-01 110 115 108 114 1
ACME 2020-09-02 114 116 113 115 1
SPLT 2020-08-24 400 404 396 402 1
SPLT 2020-08-25 402 410 400 408 1
SPLT 2020-08-26 408 410 404 406 1
SPLT 2020-08-27 406 412 400 410 1
SPLT 2020-08-28 410 420 408 416 1
SPLT 2020-08-31 105 108 104 107 4
SPLT 2020-09-01 107 109 106 108 1
SPLT 2020-09-02 108 110 107 109 1
PNNY 2020-08-24 0.5 0.6 0.45 0.55 1
PNNY 2020-08-25 0.55 0.6 0.5 0.52 1
PNNY 2020-08-26 0.52 0.6 0.5 0.52 1
PNNY 2020-08-27 0.52 0.6 0.5 0.52 1
PNNY 2020-08-28 0.52 0.6 0.5 0.52 1
HOLE 2020-08-24 50 51 49 50 1
HOLE 2020-08-26 52 53 51 52 1
GAPS 2020-08-27 100 101 99 100 1
GAPS 2020-08-28 120 121 119 120 1
LATE 2020-09-02 20 21 19 20 1
"""


@dataclass(frozen=True, slots=True)
class KnownAsset:
    """A company of the small world."""

    symbol: str
    name: str


@dataclass(frozen=True, slots=True)
class SmallWorld:
    """The known prices, and one company that never had any."""

    prices: PriceTable
    assets: Mapping[str, KnownAsset]


def small_world() -> SmallWorld:
    """Return the world of these tests."""
    bars: dict[str, list[Bar]] = {}
    for line in _BARS.split("\n"):
        if not line:
            continue
        symbol, day, *numbers = line.split()
        opening, high, low, close, split = map(Decimal, numbers)
        bar = Bar(symbol, date.fromisoformat(day), opening, high, low, close, 1_000_000, split)
        bars.setdefault(symbol, []).append(bar)
    assets = {s: KnownAsset(s, f"{s} Incorporated") for s in (*bars, "NOPRICE")}
    return SmallWorld(PriceTable(list(bars), lambda symbol: bars[symbol]), assets)


def serve_small_world(settings: Mapping[str, object]) -> None:
    """Serve the small world on a free port until stopped."""
    options = Options(
        now=datetime.fromisoformat(str(settings.get("now", "2020-08-25T11:00:00+00:00"))),
        keys=KEYS,
        cash=Decimal(str(settings.get("cash", "100000"))),
        multiplier=int(str(settings.get("multiplier", 1))),
        rate_limit=int(str(settings.get("rate_limit", 0))),
    )
    serve(small_world(), options)


def main() -> None:
    """Fork a server for each line of settings; stop them all at the end of the input."""
    # Read once, before forking, so that each server starts in milliseconds instead of seconds.
    sessions.first_session()
    # Nobody waits for those that end before: so no other process, and no thread of one, gets their number meanwhile.
    servers = []
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            sys.stdout.write(f"{os.getpid()} ")
            serve_small_world(json.loads(line))
            os._exit(0)
        servers.append(pid)
    for pid in servers:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


if __name__ == "__main__":
    main()
