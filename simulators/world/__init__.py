"""The world that the simulators show: prices, companies, disclosures and committee seats, read or invented."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from simulators.world.folder import FolderWorld
from simulators.world.generated import GeneratedWorld
from simulators.world.prices import Bar, Prices, market_symbol
from simulators.world.records import (
    Asset,
    CommitteeSnapshot,
    CongressRow,
    InsiderRow,
    World,
)

__all__ = [
    "DEFAULT_END",
    "DEFAULT_SEED",
    "DEFAULT_START",
    "Asset",
    "Bar",
    "CommitteeSnapshot",
    "CongressRow",
    "InsiderRow",
    "Prices",
    "World",
    "market_symbol",
    "open_world",
]

# The demo's half year, when nobody asks for other days.
DEFAULT_SEED = 1
DEFAULT_START = date(2024, 1, 2)
DEFAULT_END = date(2024, 6, 28)


def open_world(
    data: Path | None,
    seed: int = DEFAULT_SEED,
    start: date = DEFAULT_START,
    end: date = DEFAULT_END,
) -> World:
    """Return the world of the folder ``data``, or the one made from ``seed`` for ``start`` to ``end``.

    A folder's records are all there, whatever the days; ``seed``, ``start`` and ``end`` shape only an invented world.
    Raises UsageError when the folder does not exist; parts raise it when they are first asked for.
    """
    return FolderWorld(data) if data is not None else GeneratedWorld(seed, start, end)
