"""Start the simulator from the command line.

Exit code 0 after SIGTERM or SIGINT; 2 with a message for bad options, a broken data folder or a port in use.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path

from simulators.quiverquant.application import build_application
from simulators.quiverquant.catalogue import Catalogue
from simulators.quiverquant.edge import Account
from simulators.quiverquant.rates import RateLimits
from simulators.quiverquant.serving import open_socket, serve
from simulators.world import DEFAULT_END, DEFAULT_SEED, DEFAULT_START, open_world
from tradetrail.errors import UsageError
from tradetrail.sessions import new_york

DEFAULT_PORT = 8070
# When the ingestor runs on a simulated day, New York time.
_MORNING = time(7, 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the simulator; return the exit code."""
    # The server stops gracefully at SIGTERM, then raises the signal again: a stop as asked is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        _run(_options(arguments))
    except UsageError as error:
        sys.stderr.write(f"quiverquant simulator: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


def _run(options: argparse.Namespace) -> None:
    classes = tuple(_rate_class(text) for text in options.rate_class)
    limits = RateLimits(is_on=options.rate_limits == "on", classes=classes)
    listener = open_socket(options.host, options.port)
    world = open_world(options.data, options.seed, options.start, options.end)
    now = options.now or new_york(options.start, _MORNING)
    catalogue = Catalogue(world, now)
    app = build_application(catalogue, Account(options.token, options.plan, limits))
    host, port = listener.getsockname()[:2]
    sys.stderr.write(
        f"quiverquant simulator on http://{host}:{port}, {catalogue.totals['congress']} congress and "
        f"{catalogue.totals['insiders']} insider rows, now {now.astimezone(UTC).isoformat()}\n"
    )
    sys.stderr.flush()
    serve(app, listener)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulators.quiverquant",
        description="A simulated QuiverQuant and congress-legislators server. Exit code 2: a usage error.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 picks a free port")
    parser.add_argument(
        "--token",
        default=os.environ.get("TRADETRAIL_QUIVER_TOKEN", "demo"),
        help="the key clients must send (default: TRADETRAIL_QUIVER_TOKEN, else demo)",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--data", type=Path, metavar="FOLDER", help="serve the records of a folder")
    source.add_argument("--seed", type=int, default=DEFAULT_SEED, help="serve an invented world")
    parser.add_argument("--start", type=date.fromisoformat, default=DEFAULT_START)
    parser.add_argument("--end", type=date.fromisoformat, default=DEFAULT_END)
    parser.add_argument(
        "--now",
        type=_instant,
        help="simulated instant, RFC 3339 (default: --start, 07:00 New York)",
    )
    parser.add_argument("--plan", choices=("hobbyist", "trader"), default="trader")
    parser.add_argument("--rate-limits", choices=("off", "on"), default="off")
    parser.add_argument(
        "--rate-class",
        action="append",
        default=[],
        metavar="PATTERN=CLASS",
        help="rate class of the paths that match, such as /beta/live/insiders=200/hour; repeatable",
    )
    return parser.parse_args(arguments)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone, such as 2024-01-02T12:00:00Z")
    return instant.astimezone(UTC)


def _rate_class(text: str) -> tuple[str, str]:
    pattern, _, name = text.partition("=")
    return pattern, name
