"""A simulated QuiverQuant over the disclosures of a data folder, as a process of its own (for ``make bench-ingest``).

    python -m benchmarks.ingest_vendor FOLDER [--rows N]

prints its address and its simulated instant, and serves until its stdin ends. Unlike the demo's, this vendor takes what
the demo refuses: a folder with one of the two files, and rows without a readable day of report. A row's day is what the
ingestor reads in it. Congress rows without one are served first, where Postgres puts them when it sorts newest first;
no ``date`` selects them. The insiders endpoint is only ever asked for a day, so it can't give such rows.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from services.ingestor.rows.fields import read_day, text_of
from services.ingestor.rows.normalise import congress_day
from simulators.quiverquant.application import build_application
from simulators.quiverquant.catalogue import Catalogue
from simulators.quiverquant.edge import Account
from simulators.quiverquant.rates import RateLimits
from simulators.quiverquant.serving import running
from simulators.world import Asset, CommitteeSnapshot, CongressRow, InsiderRow
from simulators.world.files import missing, read_json_lines
from simulators.world.prices import PriceTable
from tradetrail.errors import Fatal, UsageError

TOKEN = "bench"
_CONGRESS, _INSIDERS = "congress_v1.jsonl", "insiders.jsonl"
# Every row is known at any instant of the bench: it measures the ingestor, not the passing of days.
_ALWAYS = datetime(1, 1, 2, tzinfo=UTC)
_YEAR_MIN = 1_000
# When a folder has no row with a day.
_SOME_DAY = date(2024, 1, 2)

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Folder:
    """The disclosures of a data folder, served fields only (keys that start with ``_`` are provenance)."""

    congress: list[Fields]
    insiders: list[Fields]

    @classmethod
    def read(cls, path: Path) -> Folder:
        """Read what is there. Raises UsageError when neither file is, or a line is no JSON object."""
        congress, insiders = _rows(path, _CONGRESS), _rows(path, _INSIDERS)
        if congress is None and insiders is None:
            raise missing(path, f"{_CONGRESS} and {_INSIDERS}")
        return cls(congress or [], insiders or [])

    def congress_days(self) -> list[date]:
        """Return the days on which congress rows were reported, in order, each once."""
        return sorted({day for row in self.congress if (day := congress_day(row))})

    def insider_days(self) -> list[date]:
        """Return the days on which insider rows were filed, in order, each once."""
        return sorted({day for row in self.insiders if (day := insider_day(row))})

    def instant(self) -> datetime:
        """Return noon, UTC, of the day after the last day of any row: everything has been reported by then."""
        last = max([*self.congress_days(), *self.insider_days(), _SOME_DAY])
        day = last if last == date.max else last + timedelta(days=1)
        return datetime.combine(day, time(12), UTC)

    def sampled(self, count: int) -> Folder:
        """Return ``count`` congress rows: those of the folder again and again, each told apart by its description.

        A folder without any gives an invented row its place.
        """
        rows = self.congress or [_invented()]
        sample = [
            row | {"Description": f"{row.get('Description') or ''} #{number}"}
            for number, row in enumerate(islice(cycle(rows), count))
        ]
        return Folder(sample, [])


@dataclass
class _World:
    """What the simulator asks for; it shows disclosures only."""

    congress: list[CongressRow]
    insiders: list[InsiderRow]
    committees: list[CommitteeSnapshot]
    prices: PriceTable = field(default_factory=lambda: PriceTable([], lambda symbol: []))
    assets: dict[str, Asset] = field(default_factory=dict)

    def check(self) -> None:
        """Do nothing: it is whole."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """A running vendor: its base URL and the instant at which it stands, UTC."""

    url: str
    now: datetime


def insider_day(row: Fields) -> date | None:
    """Return the day an insider row was filed; None when it can't be read, or not be asked for as YYYYMMDD."""
    day = read_day(text_of(row, "fileDate", set()))
    return day if day is not None and day.year >= _YEAR_MIN else None


@contextmanager
def vendor(folder: Path, rows: int | None = None) -> Iterator[Vendor]:
    """Run a vendor over ``folder``, or over ``rows`` sampled congress rows of it, while the block runs."""
    command = [sys.executable, "-m", "benchmarks.ingest_vendor", str(folder)]
    command += [] if rows is None else ["--rows", str(rows)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url, _, now = process.stdout.readline().strip().partition(" ")
            if not now:
                raise Fatal(f"the simulated vendor over {folder} did not start; see above")
            yield Vendor(url, datetime.fromisoformat(now))
        finally:
            # Its stdin ends, and so does it.
            process.stdin.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stdin ends; return 2 with a message for a folder that can't be served."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest_vendor")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int)
    options = parser.parse_args(arguments)
    try:
        folder = Folder.read(options.folder)
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if options.rows is not None:
        folder = folder.sampled(options.rows)
    now = folder.instant()
    account = Account(TOKEN, "trader", RateLimits(is_on=False))
    with running(build_application(Catalogue(_world(folder), now), account)) as url:
        print(url, now.isoformat(), flush=True)
        sys.stdin.read()
    return 0


def _world(folder: Folder) -> _World:
    congress = [CongressRow(row, congress_day(row) or date.max, _ALWAYS) for row in folder.congress]
    insiders = [InsiderRow(row, insider_day(row) or date.max, _ALWAYS) for row in folder.insiders]
    congress.sort(key=lambda row: row.reported_on)
    insiders.sort(key=lambda row: row.filed_on)
    return _World(congress, insiders, [CommitteeSnapshot(_SOME_DAY, 118, [], [])])


def _rows(folder: Path, name: str) -> list[Fields] | None:
    found = [path for path in (folder / f"{name}.gz", folder / name) if path.is_file()]
    if not found:
        return None
    rows = (row for _, row in read_json_lines(found[0]))
    return [{key: value for key, value in row.items() if key[:1] != "_"} for row in rows]


def _invented() -> Fields:
    return {
        "Representative": "Ada Example",
        "BioGuideID": "E990001",
        "ReportDate": _SOME_DAY.isoformat(),
        "TransactionDate": "2023-12-20",
        "Ticker": "AAPL",
        "Transaction": "Purchase",
        "Range": "$1,001 - $15,000",
        "House": "Representatives",
        "District": "WA04",
        "Amount": "1001.0",
        "Party": "D",
        "TickerType": "ST",
    }


if __name__ == "__main__":
    sys.exit(main())
