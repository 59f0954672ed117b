"""A running QuiverQuant simulator over a small world of our own making, and a client that only knows HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import requests

from simulators.quiverquant.application import build_application
from simulators.quiverquant.catalogue import Catalogue
from simulators.quiverquant.edge import Account
from simulators.quiverquant.rates import RateLimits
from simulators.quiverquant.serving import running
from simulators.world import Asset, CommitteeSnapshot, CongressRow, InsiderRow, World
from simulators.world.folder_disclosures import day_after, insider_known_at
from simulators.world.prices import PriceTable

TOKEN = "a-key-of-tests"
# Any local answer takes milliseconds.
TIMEOUT_S = (30.0, 60.0)


@dataclass
class SmallWorld:
    """A world of given rows."""

    congress: list[CongressRow] = field(default_factory=list)
    insiders: list[InsiderRow] = field(default_factory=list)
    committees: list[CommitteeSnapshot] = field(default_factory=list)
    prices: PriceTable = field(default_factory=lambda: PriceTable([], lambda symbol: []))
    assets: dict[str, Asset] = field(default_factory=dict)

    @property
    def companies(self) -> dict[str, Asset]:
        """Return the companies, all known by name."""
        return self.assets

    def check(self) -> None:
        """Do nothing: it is whole."""


def congress_row(reported: str, **changes: Any) -> CongressRow:
    """Return a House purchase of AAPL reported on a day, with some fields changed."""
    reported_on = date.fromisoformat(reported)
    fields = {
        "Representative": "Ada Example",
        "BioGuideID": "E990001",
        "ReportDate": reported,
        "TransactionDate": "2024-01-02",
        "Ticker": "AAPL",
        "Transaction": "Purchase",
        "Range": "$1,001 - $15,000",
        "House": "Representatives",
        "District": "WA04",
        "Amount": "1001.0",
        "Party": "D",
        "last_modified": day_after(reported_on).date().isoformat(),
        "TickerType": "ST",
        "Description": "Apple Inc.",
        "ExcessReturn": None,
        "PriceChange": None,
        "SPYChange": None,
    }
    return CongressRow(fields | changes, reported_on, day_after(reported_on), state="WA")


def insider_row(filed: str, **changes: Any) -> InsiderRow:
    """Return an open-market purchase of AAPL filed at an instant, with some fields changed."""
    fields = {
        "Ticker": "AAPL",
        "Date": "2024-01-02T00:00:00.000",
        "Name": "EXAMPLE BOB C",
        "AcquiredDisposedCode": "A",
        "TransactionCode": "P",
        "Shares": 10.0,
        "PricePerShare": 185.5,
        "SharesOwnedFollowing": 110.0,
        "fileDate": filed,
        "officerTitle": None,
        "isDirector": True,
        "isOfficer": False,
        "isTenPercentOwner": False,
        "isOther": False,
        "directOrIndirectOwnership": "D",
        "uploaded": filed,
    } | changes
    filed_on = date.fromisoformat(filed[:10])
    known_at = insider_known_at(filed_on, fields["uploaded"], fields["fileDate"])
    return InsiderRow(fields, filed_on, known_at)


def committee_snapshot(as_of: str, chair: str = "Ada Example") -> CommitteeSnapshot:
    """Return a snapshot with one committee, one subcommittee and one member."""
    seat = {
        "id": "E990001",
        "name": chair,
        "side": "majority",
        "rank_in_party": 1,
        "title": "Chair",
        "party": "D",
        "state": "WA",
        "chamber": None,
    }
    committee = {
        "id": "HSAG",
        "name": "House Committee on Agriculture",
        "chamber": "House",
        "url": "https://agriculture.example.gov/",
        "jurisdiction": "Farms.",
        "members": [seat],
        "subcommittees": [{"id": "HSAG15", "name": "Forestry", "members": [seat]}],
    }
    member = {
        "bioguide": "E990001",
        "name": chair,
        "first": "Ada",
        "last": "Example",
        "nickname": None,
        "chamber": "House",
        "state": "WA",
        "district": 4,
        "party": "D",
        "term_start": "2023-01-03",
        "term_end": "2025-01-03",
    }
    return CommitteeSnapshot(date.fromisoformat(as_of), 118, [committee], [member])


class Client:
    """Asks one simulator as any HTTP client would."""

    def __init__(self, base: str) -> None:
        """Talk to the server at ``base``."""
        self.base = base
        self.headers = {"Authorization": f"Bearer {TOKEN}"}

    def get(self, path: str, **wanted: Any) -> requests.Response:
        """Return the whole answer to a GET with our key."""
        return requests.get(
            self.base + path, params=wanted, headers=self.headers, timeout=TIMEOUT_S
        )

    def rows(self, path: str, **wanted: Any) -> list[dict[str, Any]]:
        """Return the rows of an answer that must be 200 and an array."""
        answer = self.get(path, **wanted)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert isinstance(body, list)
        return body

    def control(self, **body: Any) -> requests.Response:
        """Post to the control endpoint."""
        return requests.post(self.base + "/control", json=body, timeout=TIMEOUT_S)

    def arm(self, kind: str, **fault: Any) -> None:
        """Arm a fault."""
        answer = self.control(fault={"kind": kind, **fault})
        assert answer.status_code == 200, answer.text

    def book(self) -> dict[str, Any]:
        """Return what the simulator tells of itself."""
        body: dict[str, Any] = requests.get(self.base + "/control", timeout=TIMEOUT_S).json()
        return body


@contextmanager
def quiver(
    world: World, now: str = "2024-06-01T12:00:00Z", *, plan: str = "trader", limits: bool = False
) -> Iterator[Client]:
    """Run a simulator over ``world`` at ``now``."""
    catalogue = Catalogue(world, datetime.fromisoformat(now))
    account = Account(TOKEN, plan, RateLimits(is_on=limits))
    with running(build_application(catalogue, account)) as base:
        yield Client(base)
