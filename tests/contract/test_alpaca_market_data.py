"""Market data of the simulated Alpaca, read with alpaca-py: nothing of the future, pages, splits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.contract.alpaca_client import Alpaca, refused
from tests.contract.alpaca_sdk import (
    Adjustment,
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockSnapshotRequest,
    TimeFrame,
)

OPEN = "2020-08-25T13:31:00+00:00"
CLOSED = "2020-08-25T20:00:00+00:00"


def closes(alpaca: Alpaca, symbol: str = "ACME", **options: Any) -> list[float]:
    """Return the closes that a request for all daily bars gets."""
    asked = {"start": datetime(2020, 1, 1, tzinfo=UTC)} | options
    request = StockBarsRequest(symbol_or_symbols=symbol, timeframe=TimeFrame.Day, **asked)
    bars = alpaca.prices.get_stock_bars(request).data
    return [bar.close for bar in bars.get(symbol, [])]


def test_a_bar_is_known_from_its_session_s_close_on(alpaca: Alpaca) -> None:
    assert closes(alpaca) == [101]
    alpaca.control(now="2020-08-25T19:59:59+00:00")
    assert closes(alpaca) == [101]
    alpaca.control(now=CLOSED)
    assert closes(alpaca) == [101, 102]
    assert closes(alpaca, end=datetime(2030, 1, 1, tzinfo=UTC)) == [101, 102]


def test_the_latest_price_is_the_open_while_the_session_runs_then_the_close(
    alpaca: Alpaca,
) -> None:
    told = []
    for now in ("2020-08-25T11:00:01+00:00", OPEN, "2020-08-25T19:59:59+00:00", CLOSED):
        alpaca.control(now=now)
        trade = alpaca.prices.get_stock_latest_trade(
            StockLatestTradeRequest(symbol_or_symbols="ACME")
        )["ACME"]
        told.append((trade.price, trade.timestamp.isoformat()))
    assert told == [
        (101, "2020-08-24T20:00:00+00:00"),
        (101, "2020-08-25T13:30:00+00:00"),
        (101, "2020-08-25T13:30:00+00:00"),
        (102, "2020-08-25T20:00:00+00:00"),
    ]


def test_the_day_s_range_does_not_show_while_it_runs(alpaca: Alpaca) -> None:
    alpaca.control(now="2020-08-28T15:00:00+00:00")
    snapshot = alpaca.prices.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="ACME"))
    today, before = snapshot["ACME"].daily_bar, snapshot["ACME"].previous_daily_bar
    assert (today.open, today.high, today.low, today.close, today.volume) == (100,) * 4 + (0,)
    assert (before.open, before.high, before.low, before.close) == (99, 101, 97, 100)
    assert today.timestamp.isoformat() == "2020-08-28T04:00:00+00:00"
    bar = alpaca.prices.get_stock_latest_bar(StockLatestBarRequest(symbol_or_symbols="ACME"))
    assert (bar["ACME"].high, bar["ACME"].low) == (100, 100)


def test_quotes_stand_at_the_latest_price(alpaca: Alpaca) -> None:
    quotes = alpaca.prices.get_stock_latest_quote(
        StockLatestQuoteRequest(symbol_or_symbols=["ACME", "SPLT", "LATE", "WHAT"])
    )
    assert {s: (q.bid_price, q.ask_price) for s, q in quotes.items()} == {
        "ACME": (101, 101),
        "SPLT": (402, 402),
    }


def test_start_and_end_are_the_bars_midnights_in_new_york(alpaca: Alpaca) -> None:
    alpaca.control(now="2020-08-29T12:00:00+00:00")
    every = closes(alpaca)
    midnight = datetime(2020, 8, 26, 4, tzinfo=UTC)
    assert closes(alpaca, start=midnight) == every[2:]
    assert closes(alpaca, start=midnight.replace(second=1)) == every[3:]
    assert closes(alpaca, end=midnight) == every[:3]
    assert closes(alpaca, end=midnight.replace(hour=3)) == every[:2]
    query = {"timeframe": "1Day", "start": "2020-08-26", "end": "2020-08-27"}
    bars = alpaca.call("GET", "/stocks/ACME/bars", params=query).json()["bars"]
    assert [bar["t"] for bar in bars] == ["2020-08-26T04:00:00Z"]


def test_many_symbols_come_in_pages(alpaca: Alpaca) -> None:
    alpaca.control(now="2020-09-03T12:00:00+00:00")
    query = {
        "symbols": "SPLT,ACME,HOLE,WHAT",
        "timeframe": "1Day",
        "start": "2020-01-01",
        "limit": 3,
    }
    pages: list[dict[str, Any]] = []
    token: str | None = ""
    while token is not None:
        page = alpaca.call("GET", "/stocks/bars", params=query | {"page_token": token}).json()
        pages.append(page["bars"])
        token = page["next_page_token"]
    assert [sum(map(len, page.values())) for page in pages] == [3, 3, 3, 3, 3, 3]
    assert [list(page) for page in pages] == [
        ["ACME"],
        ["ACME"],
        ["ACME", "HOLE"],
        ["HOLE", "SPLT"],
        ["SPLT"],
        ["SPLT"],
    ]
    request = StockBarsRequest(
        symbol_or_symbols=["SPLT", "ACME"],
        timeframe=TimeFrame.Day,
        start=datetime(2020, 1, 1, tzinfo=UTC),
    )
    bars = alpaca.prices.get_stock_bars(request).data
    assert {symbol: len(of) for symbol, of in bars.items()} == {"ACME": 8, "SPLT": 8}


@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_pages_keep_the_order_asked_for(alpaca: Alpaca, sort: str) -> None:
    alpaca.control(now="2020-09-03T12:00:00+00:00")
    query = {"timeframe": "1Day", "start": "2020-01-01", "sort": sort, "limit": "5"}
    first = alpaca.call("GET", "/stocks/ACME/bars", params=query).json()
    query["page_token"] = first["next_page_token"]
    second = alpaca.call("GET", "/stocks/ACME/bars", params=query).json()
    times = [bar["t"] for bar in first["bars"] + second["bars"]]
    assert times == sorted(times, reverse=sort == "desc")
    assert (len(times), second["next_page_token"]) == (8, None)


def test_only_splits_that_have_happened_adjust_prices(alpaca: Alpaca) -> None:
    alpaca.control(now="2020-08-31T19:00:00+00:00")
    assert closes(alpaca, "SPLT", adjustment=Adjustment.SPLIT)[-1] == 416
    alpaca.control(now="2020-08-31T20:00:00+00:00")
    assert closes(alpaca, "SPLT")[-2:] == [416, 107]
    assert closes(alpaca, "SPLT", adjustment=Adjustment.SPLIT)[-2:] == [104, 107]
    part = closes(
        alpaca,
        "SPLT",
        adjustment=Adjustment.ALL,
        end=datetime(2020, 8, 28, 12, tzinfo=UTC),
    )
    assert part[-1] == 104


def test_requests_that_make_no_sense(alpaca: Alpaca) -> None:
    for path in (
        "/stocks/bars?timeframe=1Day",
        "/stocks/ACME/bars?timeframe=1Min",
        "/stocks/ACME/bars?timeframe=1Day&start=soon",
        "/stocks/ACME/bars?timeframe=1Day&limit=0",
        "/stocks/ACME/bars?timeframe=1Day&page_token=%21",
    ):
        answer = alpaca.call("GET", path)
        assert (answer.status_code, list(answer.json())) == (400, ["message"])
    assert alpaca.call("GET", "/stocks/WHAT/trades/latest").status_code == 404
    assert closes(alpaca, "WHAT") == []


def test_market_data_asks_for_the_keys_too(alpaca: Alpaca) -> None:
    alpaca.prices._api_key = "wrong"
    assert refused(lambda: closes(alpaca))[0] == 401
