"""Real records, from the folder TRADETRAIL_DATA_DIR, come out of the simulator whole and in time."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.world import World, open_world
from tests.contract.quiver_server import Client, quiver

FOLDER = os.environ.get("TRADETRAIL_DATA_DIR")
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FOLDER, reason="set TRADETRAIL_DATA_DIR to a folder of real records"),
]
PAGE_SIZE = 5000


@pytest.fixture(scope="module")
def world() -> World:
    return open_world(Path(str(FOLDER)))


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[Client]:
    with quiver(world, "2035-01-01T00:00:00Z") as running:
        yield running


def paged(client: Client, path: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    page = 1
    while True:
        part = client.rows(path, page=page, page_size=PAGE_SIZE)
        rows += part
        if len(part) < PAGE_SIZE:
            return rows
        page += 1


def test_pages_hold_every_row_once(client: Client, world: World) -> None:
    numbers = ("ExcessReturn", "PriceChange", "SPYChange")
    served = Counter(
        repr([item for item in row.items() if item[0] not in numbers])
        for row in paged(client, "/beta/bulk/congresstrading")
    )
    known = Counter(
        repr([item for item in row.fields.items() if item[0] not in numbers])
        for row in world.congress
    )
    assert served == known
    assert len(paged(client, "/beta/live/insiders")) == len(world.insiders)
    assert len(client.rows("/beta/bulk/congresstrading")) == len(world.congress)


def test_the_busiest_day_does_not_fit_the_live_endpoint(client: Client, world: World) -> None:
    per_day = Counter((row.reported_on, row.fields["House"]) for row in world.congress)
    (day, chamber), count = per_day.most_common(1)[0]
    if count <= 500:
        pytest.skip(f"no day of this folder has more than 500 rows of a chamber: {day} has {count}")
    for path, expected in (("live", 500), ("bulk", count)):
        rows = client.rows(f"/beta/{path}/congresstrading", date=f"{day:%Y%m%d}")
        assert sum(row["House"] == chamber for row in rows) == expected


def test_every_day_shows_what_was_reported_by_the_day_before(world: World) -> None:
    days = sorted({row.reported_on for row in world.congress})
    middle = days[len(days) // 2]
    with quiver(world, f"{middle.isoformat()}T12:00:00Z") as client:
        newest = client.rows("/beta/live/congresstrading")[0]["ReportDate"]
        assert newest < middle.isoformat()
        expected = sum(row.reported_on < middle for row in world.congress)
        assert client.book()["visible"]["congress_rows"] == expected
