"""What a demo runs on: which disclosures, which days, which symbol, how much cash."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tradetrail.errors import UsageError
from tradetrail.symbols import check_symbol

# Enough for about a hundred positions of the decider's default size, few enough that buying power runs out in time.
CASH_USD = Decimal(1_000_000)
# A few months show every kind of outcome and take about a minute.
DEFAULT_SPAN = timedelta(days=90)
DEFAULT_SYMBOL = "AAPL"
# Reading every line of years of real records takes a few seconds.
CHECK_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A demo's input; ``data`` None means an invented world from ``seed``. Dates are inclusive."""

    data: Path | None
    seed: int
    start: date
    end: date
    symbol: str
    cash_usd: Decimal

    def world_arguments(self) -> tuple[str, ...]:
        """Return the simulators' command line for this world."""
        if self.data is not None:
            return ("--data", str(self.data))
        return ("--seed", str(self.seed))


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line said; None where it left the choice to us."""

    data: Path | None
    seed: int
    start: date | None
    end: date | None
    symbol: str
    cash_usd: Decimal


def plan(wish: Wish) -> Plan:
    """Return the plan for a wish.

    Raises UsageError when the folder lacks a file or has a broken line, or the days make no sense.
    """
    source = [str(wish.data.absolute())] if wish.data else ["--seed", str(wish.seed)]
    symbol = check_symbol(wish.symbol)
    first, last = _span(json.loads(_describe(source)))
    start = wish.start or (max(first, wish.end - DEFAULT_SPAN) if wish.end else first)
    end = wish.end or min(last, start + DEFAULT_SPAN)
    if start > end:
        raise UsageError(f"--from {start} lies after --to {end}")
    if end < first or start > last:
        raise UsageError(f"no prices between {start} and {end}: they cover {first} to {last}")
    data = wish.data.absolute() if wish.data else None
    return Plan(data, wish.seed, start, end, symbol, wish.cash_usd)


def _span(description: dict[str, Any]) -> tuple[date, date]:
    """Return the days on which there are both disclosures and prices."""
    days = description["days"]
    if not days["from"]:
        raise UsageError("the data has no day with both disclosures and prices")
    return date.fromisoformat(days["from"]), date.fromisoformat(days["to"])


def _describe(source: list[str]) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "simulators.world", "describe", *source],
        capture_output=True,
        text=True,
        timeout=CHECK_TIMEOUT_S,
        check=False,
    )
    if result.returncode:
        raise UsageError(result.stderr.strip() or f"the data in {source} can't be read")
    return result.stdout
