"""A world made of the files of one folder: real records in the vendors' shapes.

Each part reads its own files, once, when it is first asked for, and checks every line of them: a simulator that shows
prices does not pay for disclosures. Keys that start with ``_`` are provenance and are never served.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from simulators.world import folder_disclosures, folder_prices
from simulators.world.files import all_files, missing, one_file
from simulators.world.prices import PriceTable
from simulators.world.records import Asset, CommitteeSnapshot, CongressRow, InsiderRow
from tradetrail.errors import UsageError


class FolderWorld:
    """The records of ``folder``; see ``simulators.world.records.World``."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is read yet, except that it is one. Raises UsageError otherwise."""
        self.folder = folder
        if not folder.is_dir():
            raise missing(folder, "")

    @cached_property
    def prices(self) -> PriceTable:
        """Read ``ohlcv*.csv``: the file with a ``split`` column wins for its symbols' days."""
        prices = folder_prices.read_prices(all_files(self.folder, "ohlcv*.csv"))
        if not prices.symbols():
            raise UsageError(
                f"{self.folder}: no line of ohlcv*.csv has a price; nothing could trade"
            )
        return prices

    @cached_property
    def companies(self) -> dict[str, Asset]:
        """Read ``symbols.csv``."""
        return folder_prices.read_assets(one_file(self.folder, "symbols.csv"))

    @cached_property
    def assets(self) -> dict[str, Asset]:
        """Return the companies, and what only the price files know."""
        assets = dict(self.companies)
        for symbol in self.prices.symbols():
            assets.setdefault(symbol, Asset(symbol, symbol, None))
        return assets

    @cached_property
    def congress(self) -> list[CongressRow]:
        """Read ``congress_v1.jsonl``."""
        return folder_disclosures.read_congress(one_file(self.folder, "congress_v1.jsonl"))

    @cached_property
    def insiders(self) -> list[InsiderRow]:
        """Read ``insiders.jsonl``."""
        return folder_disclosures.read_insiders(one_file(self.folder, "insiders.jsonl"))

    @cached_property
    def committees(self) -> list[CommitteeSnapshot]:
        """Read ``committees_*.json``, oldest first."""
        paths = all_files(self.folder, "committees_*.json")
        snapshots = [folder_disclosures.read_committees(path) for path in paths]
        return sorted(snapshots, key=lambda snapshot: snapshot.as_of)

    def check(self) -> None:
        """Read everything. Raises UsageError for the first thing that is missing or broken."""
        one_file(self.folder, "congress_v1.jsonl")
        one_file(self.folder, "insiders.jsonl")
        all_files(self.folder, "committees_*.json")
        all_files(self.folder, "ohlcv*.csv")
        one_file(self.folder, "symbols.csv")
        _ = (self.assets, self.congress, self.insiders, self.committees)
