"""How contexts are read: many symbols at once, spoilers found, rate limits waited out, waits that end."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from services.decider.contexts.bars import REQUESTS_MAX, SYMBOLS_MAX, Refused, bars_of
from services.decider.contexts.context import Call, ContextAway, Portfolio, Reading
from services.decider.contexts.context_wait import ContextWait
from services.decider.contexts.rate_limit import WINDOW_S, RateLimit
from services.decider.settings import DeciderSettings
from tradetrail.errors import Retryable
from tradetrail.events.generated import CallPurpose
from tradetrail.exchange import Exchange
from tradetrail.log.kafka import POLL_INTERVAL_MS_MAX
from tradetrail.redaction import remember

# A Friday's morning, New York: the last finished session is Thursday's.
NOW = datetime(2024, 3, 15, 11, tzinfo=UTC)
DAYS = [datetime(2024, 3, day, 4, tzinfo=UTC) for day in (12, 13, 14)]


class Vendor:
    """Alpaca's bars endpoint: pages, symbols it does not know, symbols it takes for none."""

    def __init__(self, *, unknown: Sequence[str] = (), invalid: Sequence[str] = ()) -> None:
        self.unknown, self.invalid = set(unknown), set(invalid)
        self.names_them = True
        self.asked: list[tuple[str, ...]] = []

    def __call__(
        self, path: str, until: float, query: dict[str, Any], symbols: tuple[str, ...]
    ) -> Any:
        self.asked.append(symbols)
        assert query["symbols"] == ",".join(symbols)
        if bad := sorted(self.invalid & set(symbols)):
            raise Refused(
                400, f"invalid symbol: {bad[0]}" if self.names_them else "invalid symbols"
            )
        rows = [
            (symbol, {"t": f"{day:%Y-%m-%dT%H:%M:%SZ}", "c": Decimal(number + 1), "v": 10})
            for symbol in symbols
            if symbol not in self.unknown
            for number, day in enumerate(DAYS)
        ]
        begin = int(query.get("page_token", 0))
        page = rows[begin : begin + query["limit"]]
        bars: dict[str, list[Any]] = {}
        for symbol, row in page:
            bars.setdefault(symbol, []).append(row)
        end = begin + len(page)
        return {"bars": bars, "next_page_token": str(end) if end < len(rows) else None}


def read(vendor: Vendor, symbols: Sequence[str], **options: Any) -> dict[str, list[int]]:
    found = bars_of(vendor, symbols, NOW, until=0.0, **options)
    return {symbol: [int(bar.close) for bar in bars] for symbol, bars in found.items()}


def test_many_symbols_share_requests_and_an_unknown_one_has_no_bars() -> None:
    symbols = [f"S{number:03}" for number in range(SYMBOLS_MAX + 1)]
    vendor = Vendor(unknown=["S007"])
    found = read(vendor, symbols)
    assert [len(chunk) for chunk in vendor.asked] == [SYMBOLS_MAX, 1]
    assert found.pop("S007") == []
    assert set(map(tuple, found.values())) == {(1, 2, 3)}


@pytest.mark.parametrize("page_rows", [1, 2, 4, 100])
def test_pages_are_followed_and_joined(page_rows: int) -> None:
    vendor = Vendor()
    assert read(vendor, ["A", "B", "C"], page_rows=page_rows) == {s: [1, 2, 3] for s in "ABC"}
    assert len(vendor.asked) == -(-9 // page_rows)


@pytest.mark.parametrize("names_them", [True, False])
def test_a_symbol_that_spoils_a_request_is_asked_alone_and_spoils_no_other(
    names_them: bool,
) -> None:
    symbols = [f"S{number:02}" for number in range(40)]
    vendor = Vendor(invalid=["S07", "S31"])
    vendor.names_them = names_them
    found = read(vendor, symbols)
    assert {symbol for symbol, closes in found.items() if not closes} == {"S07", "S31"}
    assert {("S07",), ("S31",)} <= set(vendor.asked)
    assert len(vendor.asked) <= (5 if names_them else 2 * 2 * 6)


def test_what_is_refused_for_another_reason_is_no_verdict_on_a_symbol() -> None:
    def refuse(path: str, until: float, query: Any, symbols: tuple[str, ...]) -> Any:
        raise Refused(400, "end should not be before start")

    with pytest.raises(Refused, match="HTTP 400: end should not"):
        bars_of(refuse, ["A", "B"], NOW, 0.0)


def test_a_refusal_that_echoes_a_secret_shows_no_part_of_it() -> None:
    secret = "s3cret-of-the-account"
    remember(secret)
    shown = str(Refused(403, "x" * (300 - len(secret) // 2) + secret))
    assert secret[:4] not in shown


def test_a_vendor_that_refuses_every_symbol_is_not_asked_without_end() -> None:
    symbols = [f"S{number:03}" for number in range(REQUESTS_MAX)]
    vendor = Vendor(invalid=symbols)
    with pytest.raises(ValueError, match="more than"):
        read(vendor, symbols)
    assert len(vendor.asked) == REQUESTS_MAX


def test_a_running_session_and_a_price_of_zero_are_no_bars() -> None:
    def ask(path: str, until: float, query: Any, symbols: tuple[str, ...]) -> Any:
        closes = [("2024-03-13", 0), ("2024-03-14", 2), ("2024-03-15", 3)]
        rows = [{"t": f"{day}T04:00:00Z", "c": close, "v": 1} for day, close in closes]
        return {"bars": {"A": rows}, "next_page_token": None}

    assert [bar.close for bar in bars_of(ask, ["A"], NOW, 0.0)["A"]] == [2]


def answer(status: int = 200, **headers: str) -> Exchange:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Exchange("GET", "/v2/account", {}, status, None, b"{}", named, 1)


def limited(remaining: int, limit: int) -> Exchange:
    return answer(
        x_ratelimit_remaining=str(remaining), x_ratelimit_limit=str(limit), x_ratelimit_reset="1030"
    )


@pytest.mark.parametrize(
    ("heard", "wait_s"),
    [
        (answer(x_ratelimit_remaining="51", x_ratelimit_reset="1030"), 0),
        (answer(x_ratelimit_remaining="50", x_ratelimit_reset="1030"), 30),
        (answer(x_ratelimit_remaining="0", x_ratelimit_reset="9999"), WINDOW_S),
        (limited(remaining=11, limit=20), 0),
        (limited(remaining=10, limit=20), 30),
        (answer(429, x_ratelimit_remaining="0", x_ratelimit_reset="1030"), 30),
        (answer(429, retry_after="7", x_ratelimit_reset="1030"), 7),
        (answer(429, retry_after="3600"), WINDOW_S),
        (answer(429, x_ratelimit_reset="900"), 0.2),
        (answer(429), 15),
        (answer(503), 0),
        (answer(), 0),
    ],
)
def test_a_rate_limit_is_waited_out_as_told(heard: Exchange, wait_s: float) -> None:
    now = [100.0]
    limit = RateLimit(50, lambda: now[0], lambda: 1000.0)
    limit.heard(heard)
    assert limit.again_at() == (100.0 + wait_s if wait_s else 0.0)
    now[0] += wait_s
    assert limit.again_at() == 0.0


class Trouble:
    """A source that is away ``times`` times, and says when to come again."""

    def __init__(self, times: int, again_in_s: float = 0.0) -> None:
        self.left, self.again_in_s, self.tries = times, again_in_s, 0

    def read(
        self, symbols: Sequence[str], now: datetime, *, with_portfolio: bool, until: float
    ) -> Reading:
        self.tries += 1
        call = Call(CallPurpose.PORTFOLIO_CONTEXT, answer(429 if self.left else 200), None)
        if self.left:
            self.left -= 1
            again_at = time.monotonic() + self.again_in_s if self.again_in_s else 0.0
            raise ContextAway("away", (call,), again_at)
        return Reading(Portfolio(Decimal(1), Decimal(1), {}), {}, (call,))


def wait_for(source: Trouble, wait_s: float, stop: threading.Event | None = None) -> Reading:
    waits = ContextWait(source, stop or threading.Event())
    try:
        until = time.monotonic() + wait_s
        return waits.read(["A"], NOW, with_portfolio=True, until=until)
    finally:
        assert waits.waiting is None


def test_a_refusal_is_waited_for_as_told_and_its_call_kept() -> None:
    source = Trouble(times=1, again_in_s=0.3)
    began = time.monotonic()
    reading = wait_for(source, 10)
    assert time.monotonic() - began >= 0.3
    assert source.tries == 2
    assert [c.exchange.status_code for c in (*reading.failed, *reading.calls)] == [429, 200]


def test_what_comes_after_the_wait_is_not_waited_for() -> None:
    source = Trouble(times=9, again_in_s=60.0)
    with pytest.raises(ContextAway) as caught:
        wait_for(source, 30)
    assert source.tries == len(caught.value.calls) == 1


def test_a_wait_is_used_to_its_end_and_all_its_calls_are_kept() -> None:
    source = Trouble(times=99)
    began = time.monotonic()
    with pytest.raises(ContextAway) as caught:
        wait_for(source, 1.2)
    assert time.monotonic() - began >= 1.2
    # At once, after half a second, and at the end.
    assert source.tries == len(caught.value.calls) == 3


def test_a_wait_ends_as_soon_as_the_process_is_asked_to_stop() -> None:
    stop = threading.Event()
    timer = threading.Timer(0.1, stop.set)
    timer.start()
    source = Trouble(times=99, again_in_s=100.0)
    with pytest.raises(Retryable, match="asked to stop"):
        wait_for(source, 200, stop)
    timer.join()
    assert source.tries == 1


def test_no_wait_outlasts_the_groups_patience() -> None:
    longest = next(
        m.le for m in DeciderSettings.model_fields["context_wait_s"].metadata if hasattr(m, "le")
    )
    assert longest <= POLL_INTERVAL_MS_MAX / 1000 - 30
    assert DeciderSettings().context_wait_s > WINDOW_S
