"""The simulated QuiverQuant's endpoints answer in the vendor's shapes, and never before their time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simulators.world import Asset
from tests.contract.quiver_server import (
    Client,
    SmallWorld,
    committee_snapshot,
    congress_row,
    insider_row,
    quiver,
)

V1_FIELDS = [
    "Representative",
    "BioGuideID",
    "ReportDate",
    "TransactionDate",
    "Ticker",
    "Transaction",
    "Range",
    "House",
    "District",
    "Amount",
    "Party",
    "last_modified",
    "TickerType",
    "Description",
    "ExcessReturn",
    "PriceChange",
    "SPYChange",
]
SENATOR = {"Representative": "Zed Q Sample", "House": "Senate", "District": None}


@pytest.fixture
def client() -> Iterator[Client]:
    world = SmallWorld(
        congress=[
            congress_row("2024-02-05", Ticker="MSFT"),
            congress_row("2024-03-04", **SENATOR, BioGuideID="S990002", Ticker="BRK.B"),
            congress_row("2024-03-05", Amount="15001.0", Range="$15,001 - $50,000"),
        ],
        insiders=[
            insider_row("2024-02-01T00:00:00.000", TransactionCode="M", PricePerShare=0),
            insider_row("2024-03-05T21:44:37.000", uploaded="2024-03-05T21:45:26.820"),
            insider_row("2024-03-06T15:00:00.000", TransactionCode="S", Ticker="MSFT"),
        ],
        committees=[
            committee_snapshot("2023-06-01", "Old Chair"),
            committee_snapshot("2024-02-01", "New Chair"),
        ],
        assets={
            "OLD": Asset("OLD", "Old Corp.", None),
            "AAPL": Asset("AAPL", "Apple, Inc.", "Information Technology", "Computers"),
        },
    )
    with quiver(world, "2024-03-20T11:00:00Z") as running:
        yield running


def test_live_rows_are_v1_newest_first(client: Client) -> None:
    rows = client.rows("/beta/live/congresstrading")
    assert [row["ReportDate"] for row in rows] == ["2024-03-05", "2024-03-04", "2024-02-05"]
    assert list(rows[0]) == V1_FIELDS
    assert rows[0]["Amount"] == "15001.0"
    assert rows[0]["last_modified"] == "2024-03-06"


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"date": "20240304"}, 1),
        ({"date": "2024-03-04"}, 1),
        ({"date": "20240306"}, 0),
        ({"representative": "Ada Example"}, 2),
        ({"representative": "zed"}, 1),
        ({"date_from": "20240304", "nonsense": "1"}, 3),
    ],
)
def test_live_takes_date_and_representative_and_ignores_the_rest(
    client: Client, wanted: dict[str, str], count: int
) -> None:
    assert len(client.rows("/beta/live/congresstrading", **wanted)) == count


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({}, 3),
        ({"ticker": "brk.b"}, 1),
        ({"bioguide_id": "E990001"}, 2),
        ({"date": "20240205"}, 1),
        ({"name": "Zed Q Sample"}, 1),
        ({"normalized": "true"}, 3),
        ({"page": "1", "page_size": "2"}, 2),
        ({"page": "2", "page_size": "2"}, 1),
        ({"page": "3", "page_size": "2"}, 0),
    ],
)
def test_bulk_takes_filters_and_pages(client: Client, wanted: dict[str, str], count: int) -> None:
    assert len(client.rows("/beta/bulk/congresstrading", **wanted)) == count


@pytest.mark.parametrize("version", ["V2", "v2"])
def test_bulk_version_2_has_its_own_shape(client: Client, version: str) -> None:
    rows = client.rows("/beta/bulk/congresstrading", version=version, page=1, page_size=10)
    assert list(rows[1]) == [
        "Ticker",
        "TickerType",
        "Company",
        "Traded",
        "Transaction",
        "Trade_Size_USD",
        "Status",
        "Subholding",
        "Description",
        "Name",
        "BioGuideID",
        "Filed",
        "Party",
        "District",
        "Chamber",
        "Comments",
        "Quiver_Upload_Time",
        "excess_return",
        "State",
        "last_modified",
    ]
    assert rows[1]["Name"] == "Sample, Zed Q"
    assert rows[1]["State"] == "WA"
    assert isinstance(rows[1]["excess_return"], str)
    assert rows[1]["Quiver_Upload_Time"] == "2024-03-05"
    assert {row["Trade_Size_USD"] for row in rows} == {
        "1001.0",
        "$1,001 - $15,000",
        "$15,001 - $50,000",
    }


def test_historical_is_by_ticker(client: Client) -> None:
    assert len(client.rows("/beta/historical/congresstrading/AAPL")) == 1
    assert client.rows("/beta/historical/congresstrading/NONE") == []


@pytest.mark.parametrize(
    ("chamber", "name_field", "count"), [("house", "Representative", 2), ("senate", "Senator", 1)]
)
def test_chamber_endpoints_rename_fields(
    client: Client, chamber: str, name_field: str, count: int
) -> None:
    rows = client.rows(f"/beta/live/{chamber}trading")
    assert len(rows) == count
    assert name_field in rows[0]
    assert "Date" in rows[0]
    assert "TransactionDate" not in rows[0]
    ticker = rows[0]["Ticker"]
    assert client.rows(f"/beta/historical/{chamber}trading/{ticker}") == rows[:1]


def test_insiders_have_the_vendors_fields_newest_first(client: Client) -> None:
    rows = client.rows("/beta/live/insiders")
    assert [row["fileDate"][:10] for row in rows] == ["2024-03-06", "2024-03-05", "2024-02-01"]
    assert list(rows[0]) == [
        "Ticker",
        "Date",
        "Name",
        "AcquiredDisposedCode",
        "TransactionCode",
        "Shares",
        "PricePerShare",
        "SharesOwnedFollowing",
        "fileDate",
        "officerTitle",
        "isDirector",
        "isOfficer",
        "isTenPercentOwner",
        "isOther",
        "directOrIndirectOwnership",
        "uploaded",
    ]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"date": "20240305"}, 1),
        ({"uploaded": "20240306"}, 1),
        ({"ticker": "aapl"}, 2),
        ({"limit_codes": "true"}, 2),
        ({"limit_codes": "false"}, 3),
        ({"page": "2", "page_size": "2"}, 1),
        ({"date_from": "20240305"}, 3),
    ],
)
def test_insiders_take_filters_and_pages(
    client: Client, wanted: dict[str, str], count: int
) -> None:
    assert len(client.rows("/beta/live/insiders", **wanted)) == count


@pytest.mark.parametrize("which", ["bulk", "live"])
def test_politicians_count_their_visible_trades(client: Client, which: str) -> None:
    rows = client.rows(f"/beta/{which}/congress/politicians", chamber="House", party="Democrat")
    assert [(row["BioGuideID"], row["TradeCount"], row["TradeVolume"]) for row in rows] == [
        ("E990001", 2, 16002.0)
    ]
    assert client.rows(f"/beta/{which}/congress/politicians", state="TX") == []


def test_committees_come_in_the_public_data_sets_shape(client: Client) -> None:
    committees = client.rows("/congress-legislators/committees-current.json")
    assert committees[0]["type"] == "house"
    assert committees[0]["thomas_id"] == "HSAG"
    assert committees[0]["house_committee_id"] == "AG"
    assert committees[0]["subcommittees"] == [{"name": "Forestry", "thomas_id": "15"}]
    answer = client.get("/congress-legislators/committee-membership-current.json")
    assert answer.headers["Last-Modified"] == "Thu, 01 Feb 2024 00:00:00 GMT"
    seats: dict[str, Any] = answer.json()
    assert list(seats) == ["HSAG", "HSAG15"]
    assert seats["HSAG"] == [
        {
            "name": "New Chair",
            "party": "majority",
            "rank": 1,
            "title": "Chair",
            "bioguide": "E990001",
        }
    ]
    legislators = client.rows("/congress-legislators/legislators-current.json")
    assert legislators[0]["id"] == {"bioguide": "E990001"}
    assert legislators[0]["terms"][0] == {
        "type": "rep",
        "start": "2023-01-03",
        "end": "2025-01-03",
        "state": "WA",
        "district": 4,
        "party": "Democrat",
    }


def test_sectors_come_as_a_desks_file(client: Client) -> None:
    answer = client.get("/sectors.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.text.splitlines() == [
        "symbol,name,sector,industry",
        'AAPL,"Apple, Inc.",Information Technology,Computers',
        "OLD,Old Corp.,,",
    ]


def test_the_retired_committee_api_is_gone(client: Client) -> None:
    assert client.get("/congress/v1/118/house/committees.json").status_code == 410


def test_nothing_is_served_before_the_day_after_its_report() -> None:
    world = SmallWorld([congress_row("2024-03-05")], committees=[committee_snapshot("2024-01-01")])
    with quiver(world, "2024-03-06T04:59:59Z") as client:
        assert client.rows("/beta/live/congresstrading") == []
        assert client.rows("/beta/bulk/congresstrading") == []
        client.control(now="2024-03-06T05:00:00Z")
        assert len(client.rows("/beta/live/congresstrading")) == 1


def test_an_insider_row_is_known_from_its_stamp_or_the_day_after() -> None:
    world = SmallWorld(
        insiders=[
            insider_row("2024-03-05T00:00:00.000", Ticker="DAY"),
            insider_row(
                "2024-03-05T21:44:37.000", uploaded="2024-03-05T21:45:26.820", Ticker="STAMP"
            ),
        ],
        committees=[committee_snapshot("2024-01-01")],
    )
    with quiver(world, "2024-03-05T21:45:26Z") as client:
        assert client.rows("/beta/live/insiders") == []
        client.control(now="2024-03-05T21:45:27Z")
        assert [row["Ticker"] for row in client.rows("/beta/live/insiders")] == ["STAMP"]
        client.control(now="2024-03-06T05:00:00Z")
        assert [row["Ticker"] for row in client.rows("/beta/live/insiders")] == ["DAY", "STAMP"]


def test_live_is_capped_per_chamber_and_bulk_is_not() -> None:
    house = [congress_row("2024-03-05", Description=str(number)) for number in range(581)]
    senate = [congress_row("2024-03-04", **SENATOR) for _ in range(3)]
    world = SmallWorld(senate + house, committees=[committee_snapshot("2024-01-01")])
    with quiver(world) as client:
        rows = client.rows("/beta/live/congresstrading")
        assert sum(row["House"] == "Representatives" for row in rows) == 500
        assert sum(row["House"] == "Senate" for row in rows) == 3
        assert len(client.rows("/beta/live/housetrading")) == 500
        assert len(client.rows("/beta/bulk/congresstrading")) == 584


def test_the_daily_numbers_change_every_simulated_day_and_nothing_else_does(client: Client) -> None:
    numbers = ("ExcessReturn", "PriceChange", "SPYChange")
    before = client.rows("/beta/live/congresstrading")
    assert client.rows("/beta/live/congresstrading") == before
    client.control(now="2024-03-21T11:00:00Z")
    after = client.rows("/beta/live/congresstrading")
    for old, new in zip(before, after, strict=True):
        assert all(isinstance(new[name], float) and old[name] != new[name] for name in numbers)
        assert {k: v for k, v in old.items() if k not in numbers} == {
            k: v for k, v in new.items() if k not in numbers
        }


def test_the_snapshot_is_the_one_valid_on_the_date() -> None:
    world = SmallWorld(
        committees=[
            committee_snapshot("2023-06-01", "Old Chair"),
            committee_snapshot("2024-02-01", "New Chair"),
        ]
    )
    path = "/congress-legislators/committee-membership-current.json"
    with quiver(world, "2023-01-01T12:00:00Z") as client:
        assert client.get(path).json()["HSAG"][0]["name"] == "Old Chair"
        client.control(now="2024-02-01T04:59:00Z")
        assert client.get(path).json()["HSAG"][0]["name"] == "Old Chair"
        client.control(now="2024-02-01T05:00:00Z")
        assert client.get(path).json()["HSAG"][0]["name"] == "New Chair"


def test_any_dirt_is_served_by_every_endpoint() -> None:
    dirt = {
        "Amount": "much",
        "Ticker": None,
        "TransactionDate": None,
        "Range": 5,
        "Description": None,
    }
    world = SmallWorld(
        [congress_row("2024-03-05", **dirt)], committees=[committee_snapshot("2024-01-01")]
    )
    with quiver(world) as client:
        assert client.rows("/beta/live/congresstrading")[0]["Amount"] == "much"
        assert len(client.rows("/beta/live/housetrading")) == 1
        assert len(client.rows("/beta/bulk/congresstrading", version="V2", ticker="")) == 1
        assert client.rows("/beta/live/congress/politicians")[0]["TradeVolume"] == 0
