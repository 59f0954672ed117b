"""What the vendor knows at the simulated instant, newest first, and changes made to it by hand.

Invariant: a row is shown from its ``known_at`` until its ``replaced_at``; nothing else decides what is visible.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from simulators.world import Asset, CommitteeSnapshot, CongressRow, InsiderRow, World
from tradetrail.errors import UsageError
from tradetrail.sessions import new_york_date

HOUSE = "Representatives"
SENATE = "Senate"

# A row and its place among all rows, which the vendor's daily numbers are made from.
Numbered = tuple[int, CongressRow]


class Catalogue:
    """The world's disclosures as of an instant."""

    def __init__(self, world: World, now: datetime) -> None:
        """Read the disclosures and committees of ``world`` and stand at ``now`` (aware)."""
        self._congress: list[Numbered] = list(enumerate(world.congress))
        self._insiders = sorted(world.insiders, key=lambda row: row.known_at)
        self._committees = world.committees
        self._world = world
        self.now = now
        self.congress: list[Numbered] = []
        self.insiders: list[InsiderRow] = []
        self.stand_at(now)

    def stand_at(self, now: datetime) -> None:
        """Move to ``now`` and find what is visible there, newest first."""
        self.now = now
        seen = [entry for entry in self._congress if _is_known(entry[1], now)]
        seen.sort(key=lambda entry: entry[1].reported_on)
        self.congress = seen[::-1]
        self.insiders = [row for row in self._insiders if row.known_at <= now][::-1]

    @property
    def today(self) -> date:
        """Return the simulated date in New York."""
        return new_york_date(self.now)

    @property
    def totals(self) -> dict[str, int]:
        """Return how many rows there are over all time, later versions included."""
        return {"congress": len(self._congress), "insiders": len(self._insiders)}

    def snapshot(self) -> CommitteeSnapshot:
        """Return the committees as of today: the newest snapshot that is not later, else the oldest."""
        seen = [snapshot for snapshot in self._committees if snapshot.as_of <= self.today]
        return seen[-1] if seen else self._committees[0]

    def companies(self) -> list[Asset]:
        """Return the companies by symbol, the same on every day. Raises UsageError when the world tells of none."""
        return [asset for _, asset in sorted(self._world.companies.items())]

    def disclose(self, rows: list[dict[str, Any]]) -> None:
        """Add congress rows, known from now on. Raises UsageError, adding none, for one without field or date."""
        added = []
        for fields in rows:
            try:
                reported_on = date.fromisoformat(str(fields["ReportDate"])[:10])
                for name in ("Representative", "TransactionDate", "Ticker", "Transaction", "House"):
                    _ = fields[name]
            except (KeyError, ValueError) as error:
                raise UsageError(
                    f"a disclosed row lacks a field, or its date is none: {error}"
                ) from error
            stamp = {"last_modified": self.today.isoformat()}
            added.append(CongressRow(stamp | fields, reported_on, self.now))
        self._congress += enumerate(added, start=len(self._congress))
        if added:
            self.stand_at(self.now)

    def amend(self, match: dict[str, Any], change: dict[str, Any]) -> int:
        """Replace the visible rows that have all fields of ``match`` by changed ones; return how many."""
        matched = self._withdraw(match)
        for _, row in matched:
            stamp = {"last_modified": self.today.isoformat()}
            fields = row.fields | stamp | change
            self._congress.append(
                (len(self._congress), replace(row, fields=fields, known_at=self.now))
            )
        self.stand_at(self.now)
        return len(matched)

    def withdraw(self, match: dict[str, Any]) -> int:
        """Let the visible rows that have all fields of ``match`` vanish from now on; return how many."""
        matched = self._withdraw(match)
        self.stand_at(self.now)
        return len(matched)

    def _withdraw(self, match: dict[str, Any]) -> list[Numbered]:
        matched = [
            (index, row)
            for index, row in self.congress
            if all(row.fields.get(name) == value for name, value in match.items())
        ]
        for index, row in matched:
            self._congress[index] = (index, replace(row, replaced_at=self.now))
        return matched


def _is_known(row: CongressRow, now: datetime) -> bool:
    return row.known_at <= now and (row.replaced_at is None or now < row.replaced_at)
