"""The simulated vendor as a process of its own: its clock, what it is made to change, and what it serves, recounted."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any

from tests.contract.quiver_server import TOKEN, Client
from tests.eventually import eventually
from tests.faults.processes import serving

PATHS = {
    "quiverquant_congress": "/beta/*/congresstrading",
    "quiverquant_insider": "/beta/live/insiders",
    "congress_legislators_committees": "/congress-legislators/*",
}
_PARTS_OF_PATHS = {
    "quiverquant_congress": "/congresstrading",
    "quiverquant_insider": "/beta/live/insiders",
    "congress_legislators_committees": "/congress-legislators/",
}
# Numbers that the vendor computes anew each day, and its own stamps: no part of what a row says.
_NOT_SAID = {"ExcessReturn", "PriceChange", "SPYChange", "last_modified", "uploaded"}
_MATCHED = (
    "Representative",
    "BioGuideID",
    "ReportDate",
    "TransactionDate",
    "Ticker",
    "Transaction",
    "Range",
    "Description",
    "House",
)
_PAGE = 1_000


def content_of(row: str | dict[str, Any]) -> str:
    """Return what a row says, as text that is equal for equal rows; ``row`` as the vendor served it."""
    fields = json.loads(row) if isinstance(row, str) else row
    return json.dumps({k: v for k, v in fields.items() if k not in _NOT_SAID}, sort_keys=True)


class VendorProcess(Client):
    """A simulator that runs."""

    def __init__(self, base: str) -> None:
        """Talk to the server at ``base``."""
        super().__init__(base)
        self._lock = threading.Lock()
        self._total = 0
        self._asked: Counter[str] = Counter()

    def move(self, now: datetime) -> None:
        """Let the simulated instant be ``now``."""
        answer = self.control(now=now.isoformat())
        assert answer.status_code == 200, answer.text

    def asked(self, source: str) -> int:
        """Return how many requests of a data source's paths were answered since the first call of this.

        One that was made to hang is not counted: its answer comes when nobody waits for it any more.
        """
        with self._lock:
            told = self.book()["requests"]
            new, self._total = told["total"] - self._total, told["total"]
            self._asked.update(r["path"] for r in told["last"][-new:] if new and r["fault"] is None)
            part = _PARTS_OF_PATHS[source]
            return sum(count for path, count in self._asked.items() if part in path)

    def stall(self, source: str, seconds: float) -> int:
        """Let the next request of a source hang before it is answered; return the fault's number."""
        fault = {"kind": "stall", "path": PATHS[source], "stall_s": seconds, "when": "before"}
        answer = self.control(fault=fault)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["faults"][-1]["number"])

    def stalled(self, number: int) -> bool:
        """Tell whether the request that was to hang has come."""
        return any(f["number"] == number and f["struck"] for f in self.book()["faults"])

    def congress(self) -> list[dict[str, Any]]:
        """Return every congress row that the bulk endpoint serves."""
        return self.rows("/beta/bulk/congresstrading")

    def insiders(self) -> list[dict[str, Any]]:
        """Return every insider row that is served."""
        rows: list[dict[str, Any]] = []
        page = 1
        while len(more := self.rows("/beta/live/insiders", page=page, page_size=_PAGE)) == _PAGE:
            rows += more
            page += 1
        return rows + more

    def stir(self, chance: Random, rows: list[dict[str, Any]], since: date) -> None:
        """Correct one of ``rows`` reported since a day, and let another have an equal lot."""
        recent = [row for row in rows if row["ReportDate"][:10] >= since.isoformat()]
        if not recent:
            return
        row = chance.choice(recent)
        larger = {"Range": "$50,001 - $100,000", "Amount": "50001.0"}
        smaller = {"Range": "$1,001 - $15,000", "Amount": "1001.0"}
        changes: list[dict[str, Any]] = [
            smaller if row["Range"] == larger["Range"] else larger,
            {"Ticker": chance.choice(("AAPL", "MSFT", "ZZZQ"))},
            {"Description": f"{row['Description']} (amended)"},
        ]
        match = {name: row[name] for name in _MATCHED}
        answer = self.control(amend={"match": match, "set": chance.choice(changes)})
        assert answer.status_code == 200, answer.text
        again = {k: v for k, v in chance.choice(recent).items() if k not in _NOT_SAID}
        if chance.random() < 0.5:
            assert self.control(disclose=[again]).status_code == 200


class Served:
    """All that the vendor serves at this moment."""

    def __init__(self, vendor: VendorProcess) -> None:
        """Ask for it."""
        self.congress = vendor.congress()
        self.insiders = vendor.insiders()

    def within(self, start: date, end: date) -> dict[str, Counter[str]]:
        """Return what is said of the days of report from ``start`` to ``end``, by data source."""
        return {
            "quiverquant_congress": _within(self.congress, "ReportDate", start, end),
            "quiverquant_insider": _within(self.insiders, "fileDate", start, end),
        }


def _within(rows: list[dict[str, Any]], name: str, start: date, end: date) -> Counter[str]:
    return Counter(
        content_of(row) for row in rows if start <= date.fromisoformat(row[name][:10]) <= end
    )


@contextmanager
def vendor_process(folder: Path, seed: int, start: date, end: date) -> Iterator[VendorProcess]:
    """Run the simulator over the invented world of ``seed``; its output goes to ``folder``."""
    world = ("--seed", str(seed), "--start", start.isoformat(), "--end", end.isoformat())
    arguments = ("--token", TOKEN, *world)
    with serving("simulators.quiverquant", folder / "vendor.log", *arguments) as address:
        vendor = VendorProcess(address)
        eventually(lambda: vendor.book())
        yield vendor
