"""The decider's edge on the simulated Alpaca: what one reading asks, keeps, and never waits longer for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from services.decider.contexts.alpaca_edge import AlpacaContext
from services.decider.contexts.bars import bars_of
from services.decider.contexts.context import ContextAway, Reading
from services.decider.contexts.rate_limit import WINDOW_S
from tests.contract.alpaca_client import Alpaca, stop
from tests.contract.alpaca_server import KEYS
from tradetrail.alpaca_settings import AlpacaSettings
from tradetrail.errors import Retryable

NOW = datetime(2020, 9, 1, 11, tzinfo=UTC)
PATHS = ["/v2/account", "/v2/positions", "/v2/stocks/bars"]


def edge_on(
    alpaca: Alpaca,
    data: Alpaca | None = None,
    reserve: int = 0,
    asked_to_stop: threading.Event | None = None,
) -> AlpacaContext:
    urls = {"url": alpaca.url, "data_url": (data or alpaca).url}
    keys = {"key_id": KEYS.key_id, "secret_key": KEYS.secret_key}
    return AlpacaContext(
        AlpacaSettings.model_validate(urls | keys), reserve, asked_to_stop or threading.Event()
    )


def read(edge: AlpacaContext, *symbols: str, wait_s: float = 60.0) -> Reading:
    until = time.monotonic() + wait_s
    return edge.read(symbols, NOW, with_portfolio=True, until=until)


def closes(reading: Reading) -> dict[str, list[str]]:
    return {symbol: [str(bar.close) for bar in bars] for symbol, bars in reading.bars.items()}


def test_one_reading_asks_once_for_each_and_keeps_the_calls_in_a_fixed_order(
    start: Callable[..., Alpaca],
) -> None:
    alpaca = start(now=NOW.isoformat())
    held = {"ACME": {"qty": "3.5", "avg_entry_price": "100"}}
    alpaca.control(account={"positions": held})
    reading = read(edge_on(alpaca), "HOLE", "ACME", "NOPRICE")
    assert closes(reading) == {
        "ACME": ["101.0", "102.0", "99.0", "100.0", "110.0", "110.0"],
        "HOLE": ["50.0", "52.0"],
        "NOPRICE": [],
    }
    portfolio = reading.portfolio
    assert portfolio is not None
    assert portfolio.positions == {"ACME": Decimal("3.5")}
    assert [call.exchange.endpoint for call in reading.calls] == PATHS
    assert all(call.exchange.headers["x-ratelimit-remaining"] for call in reading.calls)
    assert reading.calls[-1].symbols == ("ACME", "HOLE", "NOPRICE")
    stop(alpaca)


def test_a_long_answer_is_read_page_by_page(start: Callable[..., Alpaca]) -> None:
    alpaca = start(now=NOW.isoformat())
    edge = edge_on(alpaca)
    whole = read(edge, "ACME", "HOLE", "SPLT").bars
    until = time.monotonic() + 60
    paged = bars_of(edge._market.ask, ["ACME", "HOLE", "SPLT"], NOW, until, page_rows=3)
    assert paged == whole
    assert len(edge._market.calls) > 3
    stop(alpaca)


def test_a_symbol_that_alpaca_takes_for_none_spoils_no_other(alpaca: Alpaca) -> None:
    alpaca.fault("status", status=400, path="/v2/stocks/bars", message="invalid symbol: HOLE")
    alpaca.fault(
        "status", status=400, path="/v2/stocks/bars", message="invalid symbol: HOLE", skip=2
    )
    reading = read(edge_on(alpaca), "ACME", "HOLE", "SPLT")
    assert {symbol for symbol, bars in reading.bars.items() if bars} == {"ACME", "SPLT"}
    asked = [call.symbols for call in reading.calls[2:]]
    assert asked == [("ACME", "HOLE", "SPLT"), ("ACME", "SPLT"), ("HOLE",)]
    assert [call.is_answered for call in reading.calls[2:]] == [False, True, False]


def refused(edge: AlpacaContext) -> ContextAway:
    """Return why a reading was refused; the first two may fall into another minute each."""
    for _ in range(3):
        try:
            read(edge, "ACME")
        except ContextAway as error:
            return error
    raise AssertionError("three readings were all allowed")


@pytest.mark.parametrize(
    ("limit", "reserve", "said"),
    [(2, 0, "0 requests are left"), (4, 50, "2 are kept for orders")],
)
def test_nothing_is_asked_beyond_what_the_limit_leaves_to_contexts(
    start: Callable[..., Alpaca], limit: int, reserve: int, said: str
) -> None:
    # The answer that reaches the limit says so already: no 429 is ever seen, and nothing more is asked.
    trading, data = start(rate_limit=limit), start()
    edge = edge_on(trading, data, reserve=reserve)
    error = refused(edge)
    assert said in str(error)
    assert error.calls == ()
    assert 0 < error.again_at - time.monotonic() <= WINDOW_S
    # The market data API counts for itself.
    until = time.monotonic() + 60
    assert "ACME" in edge.read(["ACME"], NOW, with_portfolio=False, until=until).bars
    stop(trading)
    stop(data)


@pytest.mark.parametrize("status", [429, 503])
def test_a_refused_call_is_kept_with_those_that_worked(alpaca: Alpaca, status: int) -> None:
    alpaca.fault("status", status=status, path="/v2/positions", headers={"Retry-After": "9"})
    with pytest.raises(ContextAway, match=str(status)) as caught:
        read(edge_on(alpaca), "ACME")
    calls = caught.value.calls
    assert [call.exchange.endpoint for call in calls] == PATHS
    assert [call.is_answered for call in calls] == [True, False, True]
    assert (caught.value.again_at > time.monotonic() + 5) is (status == 429)


def test_a_reading_ends_with_its_wait_also_in_the_middle_of_an_answer(alpaca: Alpaca) -> None:
    alpaca.fault("latency", latency_ms=60_000, path="/v2/account")
    with pytest.raises(ContextAway, match=r"no whole answer within [34]") as caught:
        read(edge_on(alpaca), "ACME", wait_s=4)
    assert [call.exchange.status_code for call in caught.value.calls] == [None, 200, 200]


def test_a_reading_ends_when_the_process_is_asked_to_stop(alpaca: Alpaca) -> None:
    alpaca.fault("latency", latency_ms=60_000, path="/v2/account")
    asked_to_stop = threading.Event()
    edge = edge_on(alpaca, asked_to_stop=asked_to_stop)
    timer = threading.Timer(0.2, asked_to_stop.set)
    timer.start()
    with pytest.raises(Retryable, match="asked to stop"):
        read(edge, "ACME")
    timer.join()
    # Its threads are not left behind either: what they waited for was cut off.
    edge._threads.shutdown(wait=True)
    assert [call.exchange.status_code for call in edge._account.calls] == [None]
