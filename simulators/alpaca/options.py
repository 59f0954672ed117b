"""The command line of the simulated Alpaca."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path

from simulators.alpaca.app import Options
from simulators.alpaca.edge import Keys
from simulators.world import DEFAULT_END, DEFAULT_SEED, DEFAULT_START
from tradetrail import sessions

DEFAULT_KEY_ID = "simulated-key-id"
DEFAULT_SECRET_KEY = "simulated-secret-key"
# Before the first session: nothing is known of it, and every order of it still lies ahead.
DEFAULT_TIME_ET = time(7, 0)


@dataclass(frozen=True, slots=True)
class Source:
    """Where the world comes from: a folder of records, or a seed and a span of days."""

    data: Path | None
    seed: int
    start: date
    end: date


def read_options(arguments: Sequence[str]) -> tuple[Options, Source]:
    """Return what the command line asks for; exits with code 2 and a message when it can't be read."""
    parser = _parser()
    given = parser.parse_args(arguments)
    source = Source(given.data, given.seed, given.start, given.end)
    options = Options(
        now=given.now or sessions.new_york(given.start, DEFAULT_TIME_ET),
        keys=Keys(
            os.environ.get("TRADETRAIL_ALPACA_KEY_ID") or DEFAULT_KEY_ID,
            os.environ.get("TRADETRAIL_ALPACA_SECRET_KEY") or DEFAULT_SECRET_KEY,
        ),
        host=given.host,
        port=given.port,
        cash=given.cash,
        multiplier=given.multiplier,
        rate_limit=given.rate_limit,
        frames=given.stream_frames,
        stream_count_max=given.stream_connections,
        positions=tuple(given.position),
    )
    return options, source


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulators.alpaca",
        description="A simulated Alpaca: trading API, market data and trade_updates stream.",
        epilog="example: python -m simulators.alpaca --port 8090 --seed 1 "
        "--now 2024-01-02T07:00:00-05:00 --position AAPL=10@185.20",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=8090)
    add("--data", type=Path, help="folder of real records; without it a world is made from --seed")
    add("--seed", type=int, default=DEFAULT_SEED, help="seed of an invented world")
    add("--start", type=date.fromisoformat, default=DEFAULT_START, help="its first day")
    add("--end", type=date.fromisoformat, default=DEFAULT_END, help="its last day")
    add("--now", type=_instant, help="simulated instant to start at (default: 07:00 ET of --start)")
    add("--cash", type=_amount, default=Decimal(100_000), help="starting cash, dollars")
    add("--multiplier", type=int, choices=(1, 2, 4), default=1, help="1 is a cash account")
    add("--position", type=_position, action="append", default=[], metavar="SYMBOL=QTY@PRICE")
    add("--rate-limit", type=int, default=200, help="requests a minute; 0 is unlimited")
    add("--stream-frames", choices=("binary", "text"), default="binary")
    add("--stream-connections", type=int, default=1, help="at a time; 0 is unlimited")
    return parser


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} needs an offset, such as Z or -05:00")
    return instant.astimezone(UTC)


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError(f"{text} is no amount") from error
    if not amount.is_finite():
        raise argparse.ArgumentTypeError(f"{text} is no amount")
    return amount


def _position(text: str) -> tuple[str, Decimal, Decimal]:
    symbol, _, rest = text.partition("=")
    qty, _, price = rest.partition("@")
    if not symbol or not qty or not price:
        raise argparse.ArgumentTypeError(f"{text} is not SYMBOL=QTY@PRICE")
    return symbol, _amount(qty), _amount(price)
