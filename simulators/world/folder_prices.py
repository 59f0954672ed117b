"""Read price and symbol files of a data folder.

Every line is checked when a file is read (a number is a number, a date a date), yet kept as text: bars with Decimals
are made per symbol, on demand. 140,000 lines take well under a second that way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from simulators.world.files import broken, read_csv
from simulators.world.prices import Bar, PriceTable, market_symbol
from simulators.world.records import Asset
from tradetrail.errors import UsageError

_PRICE_COLUMNS = ("symbol", "date", "open", "high", "low", "close", "volume")
_NUMBER_COLUMNS = ("open", "high", "low", "close", "volume")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.$-]*")
_INFINITY = float("inf")

# Values of one line, as text: open, high, low, close, volume, split.
_Line = tuple[str, str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where a file keeps what a bar needs."""

    symbol: int
    day: int
    numbers: tuple[int, ...]
    split: int | None


def read_prices(paths: list[Path]) -> PriceTable:
    """Read price files into one table; of two that cover a symbol's day the one with splits wins.

    Raises UsageError naming file and line of what is wrong.
    """
    unadjusted: dict[str, dict[date, _Line]] = {}
    adjusted: dict[str, dict[date, _Line]] = {}
    for path in paths:
        _read_file(path, unadjusted, adjusted)
    days = {
        symbol: adjusted.get(symbol, {}).keys() | unadjusted.get(symbol, {}).keys()
        for symbol in adjusted.keys() | unadjusted.keys()
    }

    def make_bars(symbol: str) -> list[Bar]:
        lines = adjusted.get(symbol, {}) | unadjusted.get(symbol, {})
        return [_bar(symbol, day, line) for day, line in lines.items()]

    return PriceTable(days.keys(), make_bars, days)


def read_assets(path: Path) -> dict[str, Asset]:
    """Read companies by symbol; a sector is GICS's, or one that the file calls nothing else.

    Raises UsageError naming file and line of what is wrong.
    """
    assets: dict[str, Asset] = {}
    for number, at, values in read_csv(path, ("symbol", "name")):
        symbol = market_symbol(values[at["symbol"]])
        if not symbol:
            raise broken(path, number, "the symbol is empty")
        if not _SYMBOL.fullmatch(symbol):
            continue  # A text that was mentioned as a symbol and is none, such as "." or "N/A".
        found = [values[at[name]] for name in ("gics_sector", "sector") if name in at]
        sector = next((text for text in found if text), None)
        industry = (values[at["industry"]] or None) if "industry" in at else None
        assets.setdefault(symbol, Asset(symbol, values[at["name"]] or symbol, sector, industry))
    return assets


def _read_file(
    path: Path, unadjusted: dict[str, dict[date, _Line]], adjusted: dict[str, dict[date, _Line]]
) -> None:
    columns: _Columns | None = None
    target = adjusted
    for number, at, values in read_csv(path, _PRICE_COLUMNS):
        if columns is None:
            numbers = tuple(at[name] for name in _NUMBER_COLUMNS)
            columns = _Columns(at["symbol"], at["date"], numbers, at.get("split"))
            target = adjusted if columns.split is None else unadjusted
        line = _plain(columns, values) or _checked(path, number, columns, values)
        if line is None:
            continue
        try:
            day = date.fromisoformat(values[columns.day])
        except ValueError as error:
            raise broken(
                path, number, f"date is not YYYY-MM-DD: {values[columns.day]!r}"
            ) from error
        symbol = market_symbol(values[columns.symbol])
        if not symbol:
            raise broken(path, number, "the symbol is empty")
        target.setdefault(symbol, {}).setdefault(day, line)


def _plain(columns: _Columns, values: list[str]) -> _Line | None:
    """Return the numbers of an ordinary line fast, as text; None when it deserves a closer look."""
    opened, high, low, close, volume = [values[position] for position in columns.numbers]
    split = "1" if columns.split is None else values[columns.split]
    try:
        is_ordinary = (
            0 < float(opened) < _INFINITY
            and 0 < float(high) < _INFINITY
            and 0 < float(low) < _INFINITY
            and 0 < float(close) < _INFINITY
            and 0 <= float(volume) < _INFINITY
            and 0 < float(split) < _INFINITY
        )
    except ValueError:
        return None
    return (opened, high, low, close, volume, split) if is_ordinary else None


def _checked(path: Path, number: int, columns: _Columns, values: list[str]) -> _Line | None:
    """Return a line's numbers as text, or None when it has no price to trade at."""
    texts = [values[position].strip() for position in columns.numbers]
    split = "1" if columns.split is None else values[columns.split].strip() or "1"
    complete = True
    for name, text in zip((*_NUMBER_COLUMNS, "split"), (*texts, split), strict=True):
        if not text:
            complete = complete and name == "volume"
            continue
        try:
            value = float(text)
        except ValueError as error:
            raise broken(path, number, f"{name} is not a number: {text!r}") from error
        if not 0 <= value < _INFINITY or (name == "split" and value == 0):
            raise broken(path, number, f"{name} is out of range: {text!r}")
        complete = complete and (value > 0 or name == "volume")
    if not complete:
        return None
    opened, high, low, close, volume = texts
    return (opened, high, low, close, volume or "0", split)


def _bar(symbol: str, day: date, line: _Line) -> Bar:
    opened, high, low, close, volume, split = line
    try:
        return Bar(
            symbol=symbol,
            session_on=day,
            open=Decimal(opened),
            high=Decimal(high),
            low=Decimal(low),
            close=Decimal(close),
            volume=int(Decimal(volume)),
            split=Decimal(split),
        )
    except (
        ArithmeticError
    ) as error:  # What float() takes and Decimal doesn't; nothing known does this.
        raise UsageError(f"the bar of {symbol} on {day} can't be read: {line!r}") from error
