"""The executor's edge to the market data on the simulated Alpaca: last prices, many at once, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from services.executor.broker.outcomes import Away
from services.executor.broker.prices import LastPrices, Prices
from services.executor.controls import LastPrice
from services.executor.settings import ExecutorSettings
from tests.contract.alpaca_client import Alpaca
from tests.contract.alpaca_server import KEYS
from tests.eventually import eventually
from tradetrail.alpaca_settings import AlpacaSettings

IN_SESSION = "2020-08-25T13:31:00+00:00"
MONDAYS_CLOSE = datetime(2020, 8, 24, 20, tzinfo=UTC)
TUESDAYS_OPEN = datetime(2020, 8, 25, 13, 30, tzinfo=UTC)


def _prices(url: str, key_id: str = KEYS.key_id) -> Prices:
    keys = {"key_id": key_id, "secret_key": KEYS.secret_key}
    alpaca = AlpacaSettings.model_validate({"url": "http://nowhere", "data_url": url, **keys})
    return Prices(alpaca, ExecutorSettings(request_total_s=1.0))


@pytest.fixture
def prices(alpaca: Alpaca) -> Iterator[Prices]:
    """Return the edge to a fresh simulator."""
    edge = _prices(alpaca.url)
    yield edge
    edge.close()


def test_one_request_tells_the_last_price_of_each_symbol_and_when_it_was(
    alpaca: Alpaca, prices: Prices
) -> None:
    before = prices.read(["SPLT", "ACME", "NOPRICE", "ACME"])
    assert isinstance(before, LastPrices)
    assert before.prices == {
        "ACME": LastPrice(Decimal(101), MONDAYS_CLOSE),
        "SPLT": LastPrice(Decimal(402), MONDAYS_CLOSE),
    }
    (asked,) = before.asked
    assert asked.symbols == ("ACME", "NOPRICE", "SPLT")
    assert asked.call.request["query"] == {"symbols": "ACME,NOPRICE,SPLT"}
    assert (asked.call.endpoint, asked.call.status_code) == ("/v2/stocks/trades/latest", 200)
    alpaca.control(now=IN_SESSION)
    during = prices.read(["PNNY", "HOLE"])
    assert isinstance(during, LastPrices)
    assert during.prices == {
        "PNNY": LastPrice(Decimal("0.55"), TUESDAYS_OPEN),
        # No price today: the last one is Monday's.
        "HOLE": LastPrice(Decimal(50), MONDAYS_CLOSE),
    }


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "status", "status": 503, "body": "html"}, "HTTP 503"),
        ({"kind": "status", "status": 429, "message": "too many requests"}, "HTTP 429"),
        ({"kind": "status", "status": 400, "message": "invalid feed"}, "HTTP 400"),
        ({"kind": "drop", "count": 2}, "market data: "),
        ({"kind": "truncate"}, "can't be read"),
        ({"kind": "latency", "latency_ms": 3000}, "no answer within 1 s"),
    ],
    ids=["503", "429", "400", "drop", "truncate", "late"],
)
def test_market_data_that_is_away_says_so(
    alpaca: Alpaca, prices: Prices, fault: dict[str, Any], words: str
) -> None:
    alpaca.control(fault={"path": "/v2/stocks/trades/latest", **fault})
    away = prices.read(["ACME"])
    assert isinstance(away, Away)
    assert away.reason.startswith("market data: " if "read" not in words else "the market data")
    assert words in away.reason
    eventually(lambda: prices.read(["ACME"]), lambda told: isinstance(told, LastPrices))


def test_keys_that_are_refused_and_a_closed_port_are_away_too(alpaca: Alpaca) -> None:
    for edge in (_prices(alpaca.url, "wrong"), _prices("http://127.0.0.1:9")):
        assert isinstance(edge.read(["ACME"]), Away)
        edge.close()


def test_a_symbol_that_spoils_the_request_spoils_no_others(alpaca: Alpaca, prices: Prices) -> None:
    refusal = {"kind": "status", "status": 400, "message": "invalid symbol: X Y"}
    path = {"path": "/v2/stocks/trades/latest"}
    # The whole is refused, then the half with the spoiler; the rest is told.
    alpaca.control(fault={**refusal, **path, "count": 2})
    told = prices.read(["ACME", "SPLT", "X Y"])
    assert isinstance(told, LastPrices)
    assert [(each.symbols, each.call.status_code) for each in told.asked] == [
        (("ACME", "SPLT", "X Y"), 400),
        (("SPLT", "X Y"), 400),
        (("X Y",), 200),
        (("SPLT",), 200),
        (("ACME",), 200),
    ]
    assert set(told.prices) == {"ACME", "SPLT"}
    assert sum("ACME" in each.symbols for each in told.asked) == 2


def test_a_symbol_that_is_refused_alone_has_no_price(alpaca: Alpaca, prices: Prices) -> None:
    path = {"path": "/v2/stocks/trades/latest"}
    alpaca.control(fault={"kind": "status", "status": 400, "message": "invalid symbol", **path})
    told = prices.read(["X Y"])
    assert isinstance(told, LastPrices)
    assert told.prices == {}
