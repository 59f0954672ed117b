"""A world made up from a seed: the same seed and days give the same world, on any machine.

Nothing of it is stored; it is made at start, part by part, in well under two seconds.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property

from simulators.world import (
    generated_congress,
    generated_insiders,
    generated_market,
    generated_members,
)
from simulators.world.prices import PriceTable
from simulators.world.records import Asset, CommitteeSnapshot, CongressRow, InsiderRow
from tradetrail.errors import UsageError


class GeneratedWorld:
    """The world of ``seed`` from ``start`` to ``end``; see ``simulators.world.records.World``."""

    def __init__(self, seed: int, start: date, end: date) -> None:
        """Name the world. Raises UsageError when it would have no days."""
        if end < start:
            raise UsageError(f"the simulated days end ({end}) before they start ({start})")
        self.seed = seed
        self.start = start
        self.end = end

    @cached_property
    def prices(self) -> PriceTable:
        """Make the daily prices, with some weeks before the first day."""
        return generated_market.make_prices(self.seed, self.start, self.end)

    @cached_property
    def assets(self) -> dict[str, Asset]:
        """Make the companies."""
        return generated_market.make_assets()

    @property
    def companies(self) -> dict[str, Asset]:
        """Return the companies, which are all known by name."""
        return self.assets

    @cached_property
    def congress(self) -> list[CongressRow]:
        """Make the disclosures of members of Congress."""
        return generated_congress.make_congress(self.seed, self.start, self.end)

    @cached_property
    def insiders(self) -> list[InsiderRow]:
        """Make the disclosures of insiders."""
        return generated_insiders.make_insiders(self.seed, self.start, self.end, self.prices)

    @cached_property
    def committees(self) -> list[CommitteeSnapshot]:
        """Make the committee snapshots."""
        return generated_members.make_snapshots(self.seed, self.start)

    def check(self) -> None:
        """Make everything; a generated world is never broken."""
        _ = (self.prices, self.assets, self.congress, self.insiders, self.committees)
