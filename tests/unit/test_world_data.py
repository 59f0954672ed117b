"""Real records, from the folder TRADETRAIL_DATA_DIR, are read to the last row."""

from __future__ import annotations

import gzip
import os
import time
from datetime import date
from pathlib import Path

import pytest

from simulators.world import World, open_world

FOLDER = os.environ.get("TRADETRAIL_DATA_DIR")
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FOLDER, reason="set TRADETRAIL_DATA_DIR to a folder of real records"),
]


@pytest.fixture(scope="module")
def folder() -> Path:
    return Path(str(FOLDER))


@pytest.fixture(scope="module")
def world(folder: Path) -> World:
    return open_world(folder)


def lines(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def test_every_disclosure_is_there(folder: Path, world: World) -> None:
    assert len(world.congress) == len(lines(folder / "congress_v1.jsonl.gz"))
    assert len(world.insiders) == len(lines(folder / "insiders.jsonl.gz"))
    assert not [row for row in world.congress if any(key.startswith("_") for key in row.fields)]
    assert len(world.committees) == len(list(folder.glob("committees_*.json.gz")))


def test_every_symbol_day_has_one_bar(folder: Path, world: World) -> None:
    days = set()
    for path in sorted(folder.glob("ohlcv*.csv.gz")):
        header, *rows = lines(path)
        assert header.startswith("symbol,date,open")
        for row in rows:
            symbol, day, opened = row.split(",")[:3]
            if opened and float(opened) > 0:
                days.add((symbol.replace("-", "."), day))
    prices = world.prices
    bars = [
        (bar.symbol, bar.session_on.isoformat())
        for symbol in prices.symbols()
        for bar in prices.bars(symbol, date.min, date.max)
    ]
    assert len(bars) == len(set(bars)) == prices.bars_count
    assert set(bars) == days


def test_reading_it_takes_seconds(folder: Path) -> None:
    started_s = time.process_time()
    open_world(folder).check()
    assert time.process_time() - started_s < 8
