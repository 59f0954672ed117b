"""When orders wait: the account's rate limit by the answers' headers, and a broker that is away."""

from __future__ import annotations

import time
from functools import partial

import pytest

from services.executor.broker import pace as module
from services.executor.broker.guarded_http import Exchange
from services.executor.broker.pace import Pace
from tests.eventually import eventually

RESERVE = 3


def _answer(remaining: int, reset_in_s: float = 30.0, status: int = 200) -> Exchange:
    headers = {
        "x-ratelimit-limit": "200",
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(int(time.time() + reset_in_s)),
    }
    return Exchange("GET", "/v2/account", {}, status_code=status, headers=headers)


def _no_answer() -> Exchange:
    return Exchange("GET", "/v2/account", {}, error="ConnectionError: refused")


def _opens(pace: Pace) -> bool:
    """Ask at this moment: what a type checker knows of an attribute outlives the moment."""
    return pace.is_open


def _tries(pace: Pace) -> bool:
    return pace.is_trying


def test_orders_have_what_the_reserve_and_requests_under_way_leave() -> None:
    pace = Pace(RESERVE)
    assert pace.room(5) is None
    pace.heard(_answer(10))
    assert (pace.room(0), pace.room(5), pace.room(9)) == (7, 2, 0)
    assert pace.is_open
    assert pace.is_scarce


def test_within_a_window_the_lowest_number_is_the_latest() -> None:
    pace = Pace(RESERVE)
    pace.heard(_answer(100))
    pace.heard(_answer(98))
    pace.heard(_answer(99))
    assert pace.room(0) == 95


def test_a_new_window_begins_anew() -> None:
    pace = Pace(RESERVE)
    pace.heard(_answer(5, reset_in_s=10))
    pace.heard(_answer(199, reset_in_s=50))
    assert pace.room(0) == 196
    assert not pace.is_scarce


def test_a_used_up_limit_closes_until_its_reset_and_says_so() -> None:
    pace = Pace(RESERVE)
    pace.heard(_answer(RESERVE))
    assert not pace.is_open
    assert not pace.is_limited
    assert str(pace.reason).startswith("rate limit used up")
    # A look-up may still go, and its answer says the same: the reason stays as it is.
    before = pace.reason
    pace.heard(_answer(RESERVE - 1))
    assert pace.reason == before


def test_a_window_that_is_over_says_nothing_any_more() -> None:
    pace = Pace(RESERVE)
    pace.heard(_answer(0, reset_in_s=-5))
    eventually(partial(_opens, pace))
    assert pace.room(0) is None
    assert pace.reason is None


def test_a_429_forbids_every_request_until_the_reset() -> None:
    pace = Pace(RESERVE)
    pace.failed("HTTP 429", _answer(0, status=429))
    assert pace.is_limited
    assert not _opens(pace)
    assert not _tries(pace)


def test_the_market_datas_limit_is_not_the_accounts() -> None:
    pace = Pace(RESERVE)
    pace.failed("HTTP 429", _answer(0, status=429), is_market_data=True)
    assert not pace.is_limited
    assert pace.room(0) is None
    assert not _opens(pace)


def test_failures_under_way_together_count_once_and_an_answer_opens_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Not over before the test is.
    monkeypatch.setattr(module, "_BACKOFF_S_MIN", 60.0)
    monkeypatch.setattr(module, "_BACKOFF_S_MAX", 60.0)
    pace = Pace(RESERVE)
    for _ in range(8):
        pace.failed("refused", _no_answer())
    assert not _opens(pace)
    assert _tries(pace)
    assert pace.reason == "broker: refused"
    pace.heard(_answer(100))
    assert _opens(pace)
    assert not _tries(pace)
    assert pace.reason is None
