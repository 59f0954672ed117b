"""What a world holds besides prices: companies, disclosures and committee seats.

Rows keep the vendor's own field names and their dirt, exactly as they are served; what the simulator needs to decide
when a row is known stands beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from simulators.world.prices import Prices

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asset:
    """A company known by symbol. ``sector`` is the GICS sector's name, ``industry`` any name, where known."""

    symbol: str
    name: str
    sector: str | None
    industry: str | None = None


@dataclass(frozen=True, slots=True)
class CongressRow:
    """One version of one disclosed trade of a member of Congress, as the vendor's V1 row.

    Known from ``known_at`` on, until ``replaced_at`` (exclusive) when the vendor corrects or withdraws it.
    """

    fields: Fields
    reported_on: date
    known_at: datetime
    replaced_at: datetime | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class InsiderRow:
    """One line of a Form 4, as the vendor's insiders row, known from ``known_at`` on."""

    fields: Fields
    filed_on: date
    known_at: datetime


@dataclass(frozen=True, slots=True)
class CommitteeSnapshot:
    """Who sat on which committee on one day: ``committees`` with their members, and all ``members``."""

    as_of: date
    congress: int
    committees: list[Fields]
    members: list[Fields]


class World(Protocol):
    """One simulated world; each part is made when it is first asked for, and checked in full by then."""

    @property
    def prices(self) -> Prices:
        """Return the daily prices."""

    @property
    def assets(self) -> dict[str, Asset]:
        """Return every company known, by symbol; not each of them has prices."""

    @property
    def companies(self) -> dict[str, Asset]:
        """Return the companies that are known by name, by symbol; no prices are read for it."""

    @property
    def congress(self) -> list[CongressRow]:
        """Return the disclosed trades of members of Congress, oldest report first."""

    @property
    def insiders(self) -> list[InsiderRow]:
        """Return the disclosed trades of insiders, oldest first."""

    @property
    def committees(self) -> list[CommitteeSnapshot]:
        """Return the committee snapshots, oldest first, at least one."""

    def check(self) -> None:
        """Make every part now. Raises UsageError for the first thing that is missing or broken."""
