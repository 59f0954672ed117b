"""Company sectors: read from a desk's CSV file, compared with what the log says. Pure."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.ingestor.rows.flags import Flag
from services.ingestor.rows.tickers import read_ticker
from tradetrail.events.generated import SectorRecorded

_SYMBOL, _NAME, _INDUSTRY = "symbol", "name", "industry"
# The first that the header has counts: a file with several classifications tells the one that committees go by.
_SECTOR_NAMES = ("gics_sector", "sector")
# Real names have up to 60 characters; a longer text is no sector, and a table of them no longer readable.
_TEXT_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Sector:
    """One company's sector, and its industry where the file tells."""

    symbol: str
    company_name: str
    sector: str
    industry: str | None


@dataclass(frozen=True, slots=True)
class SectorChange:
    """A sector that is to be recorded, and what the log said before; None for a company new to it."""

    sector: Sector
    before: Sector | None


@dataclass(frozen=True, slots=True)
class SectorTable:
    """What a file tells: each company once, how many rows it has, and what is odd about them, by flag."""

    sectors: tuple[Sector, ...]
    rows: int
    flagged: int
    flags: Mapping[str, int]


class MalformedRow(ValueError):
    """A line that is no row of the file; the message says which and why."""


class SectorBook:
    """The sectors that the log tells."""

    def __init__(self) -> None:
        """Begin empty."""
        self._known: dict[str, Sector] = {}

    def take(self, event: SectorRecorded) -> None:
        """Take one recorded sector."""
        if event.symbol is not None:
            self._known[event.symbol] = Sector(
                event.symbol, event.company_name, event.sector, event.industry
            )

    def changes(self, told: Iterable[Sector]) -> list[SectorChange]:
        """Return what ``told`` changes, by symbol. A company that it no longer tells of stays as it was recorded."""
        found = {sector.symbol: sector for sector in told}
        return [
            SectorChange(sector, self._known.get(symbol))
            for symbol, sector in sorted(found.items())
            if self._known.get(symbol) != sector
        ]


def read_rows(text: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file with a header, by the header's names in lower case; blank lines are no rows.

    Raises MalformedRow for a line that is no row, ValueError for a header without what is needed.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    rows = []
    try:
        for values in reader:
            if not any(values):
                continue
            if not header:
                header = _header(values)
            elif len(values) != len(header):
                raise MalformedRow(
                    f"line {reader.line_num} has {len(values)} values where the header has {len(header)} columns"
                )
            else:
                rows.append(dict(zip(header, values, strict=True)))
    except csv.Error as error:
        raise MalformedRow(f"line {reader.line_num} is no CSV ({error})") from error
    if not header:
        raise ValueError("there is no header")
    return rows


def read_sectors(rows: Sequence[Mapping[str, str]]) -> SectorTable:
    """Return what the rows tell; a row without a sector or a symbol tells nothing, and is flagged."""
    found: dict[str, Sector] = {}
    flags: Counter[str] = Counter()
    flagged = 0
    for row in rows:
        odd = _take(row, found)
        flags.update(odd)
        flagged += bool(odd)
    return SectorTable(tuple(found.values()), len(rows), flagged, dict(sorted(flags.items())))


def _take(row: Mapping[str, str], found: dict[str, Sector]) -> set[Flag]:
    """Put what a row tells into ``found``; return what is odd about it."""
    ticker = read_ticker(row[_SYMBOL])
    odd = set(ticker.flags)
    sector = _text(next(row[name] for name in _SECTOR_NAMES if name in row), odd)
    name = _text(row[_NAME], odd)
    industry = _text(row.get(_INDUSTRY, ""), odd)
    if not sector:
        odd.add(Flag.NO_SECTOR)
    if ticker.symbol is None or not sector:
        return odd
    told = Sector(ticker.symbol, name or ticker.symbol, sector, industry or None)
    if found.setdefault(told.symbol, told) != told:
        odd.add(Flag.SYMBOL_TWICE)
    return odd


def _header(values: Sequence[str]) -> list[str]:
    header = [name.strip().casefold() for name in values]
    named = [name for name in header if name]
    if twice := [name for name, count in Counter(named).items() if count > 1]:
        raise ValueError(f"the header names a column twice: {', '.join(sorted(twice))}")
    missing = [name for name in (_SYMBOL, _NAME) if name not in named]
    if not any(name in named for name in _SECTOR_NAMES):
        missing.append("sector (or gics_sector)")
    if missing:
        raise ValueError(f"the header lacks {', '.join(missing)}")
    return header


def _text(value: str, odd: set[Flag]) -> str:
    """Return a text with its spaces made single; one too long counts as none and is flagged."""
    plain = " ".join(value.split())
    if len(plain) <= _TEXT_CHARACTERS_MAX:
        return plain
    odd.add(Flag.TEXT_TOO_LONG)
    return ""
