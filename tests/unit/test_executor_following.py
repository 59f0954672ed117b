"""The pure parts of following: when to look, whether the stream is mute, what a list says word for word."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from decimal import Decimal

import pytest

from services.executor.broker.guarded_http import Exchange
from services.executor.broker.order_list import rows_as_received
from services.executor.broker.outcomes import Away
from services.executor.broker.pace import Pace
from services.executor.following.mute import MuteWatch
from services.executor.following.schedule import SOON_S, YIELD_INTERVALS_MAX, Schedule
from services.executor.following.stream import Hint, backoff_s, parse_hint
from services.executor.following.troubles import KNOWN_WORDS, trouble_of
from services.executor.reconciling.discoveries import Discoveries, matter_of
from services.executor.state.statuses import TERMINAL, execution_status
from tests.unit.executor_events import ACCOUNT, EVENTS, NOW
from tradetrail.events.generated import BrokerOrderDiscovered, OrderStatus, Side

WITHIN_S, EVERY_S = 5.0, 10.0
CONNECTED_AT, LOOKED_AT = 10.0, 20.0


def suspecting() -> MuteWatch:
    """Return a watch to whom a poll just brought a change, at 30 s."""
    watch = MuteWatch(WITHIN_S)
    watch.found("o", 30.0, LOOKED_AT, CONNECTED_AT)
    return watch


def test_a_stream_is_mute_when_it_does_not_tell_in_time() -> None:
    watch = suspecting()
    assert not watch.judge(34.9, CONNECTED_AT)
    assert watch.judge(35.0, CONNECTED_AT)
    assert watch.is_mute
    assert not watch.judge(99.0, CONNECTED_AT), "said once"
    watch.told("another", 100.0)
    assert not watch.is_mute


@pytest.mark.parametrize("told_at", [16.0, 25.0, 33.0], ids=["before", "meanwhile", "after"])
def test_a_stream_that_tells_is_not_mute(told_at: float) -> None:
    watch = MuteWatch(WITHIN_S)
    if told_at < 30:
        watch.told("o", told_at)
    watch.found("o", 30.0, LOOKED_AT, CONNECTED_AT)
    if told_at > 30:
        watch.told("o", told_at)
    assert not watch.judge(99.0, CONNECTED_AT)


def test_another_orders_message_says_nothing_of_this_one() -> None:
    watch = suspecting()
    watch.told("another", 31.0)
    assert watch.judge(35.0, CONNECTED_AT)


@pytest.mark.parametrize("connected_at", [None, 25.0], ids=["away", "reconnected"])
def test_what_happened_while_the_stream_was_away_does_not_make_it_mute(
    connected_at: float | None,
) -> None:
    watch = MuteWatch(WITHIN_S)
    watch.found("o", 30.0, LOOKED_AT, connected_at)
    assert not watch.judge(99.0, connected_at)
    watch = suspecting()
    assert not watch.judge(35.0, None)
    assert not watch.judge(99.0, 36.0)


def answer(remaining: int, status: int = 200) -> Exchange:
    """Return an answer that tells of the rate limit, whose window ends in half a minute."""
    headers = {
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(int(time.time()) + 30),
    }
    return Exchange("GET", "/v2/orders", {}, status_code=status, headers=headers)


@pytest.mark.parametrize(
    ("remaining", "has_waiting", "waits"),
    [(150, True, False), (10, False, False), (10, True, True)],
    ids=["plenty", "nothing-waits", "scarce"],
)
def test_polls_let_orders_go_first_when_requests_are_scarce_but_not_for_ever(
    remaining: int, has_waiting: bool, waits: bool
) -> None:
    pace = Pace(3)
    pace.heard(answer(remaining))
    schedule = Schedule(EVERY_S, pace)
    assert not schedule.is_due(0.0, has_waiting=has_waiting)
    assert schedule.is_due(EVERY_S, has_waiting=has_waiting) is not waits
    assert schedule.is_due(EVERY_S * (1 + YIELD_INTERVALS_MAX), has_waiting=has_waiting)


def test_nothing_is_asked_for_while_the_broker_says_429() -> None:
    pace = Pace(3)
    pace.failed("too many requests", answer(0, 429))
    schedule = Schedule(EVERY_S, pace)
    schedule.ask_for_all()
    assert not schedule.is_due(0.0, has_waiting=False)
    assert not schedule.may_hint(has_waiting=False)


def test_a_mute_stream_is_polled_for_more_often_and_a_failed_look_again() -> None:
    schedule = Schedule(EVERY_S, Pace(3))
    assert not schedule.is_due(0.0, has_waiting=False)
    schedule.begun(10.0, is_mute=True)
    assert schedule.is_due(12.0, has_waiting=False)
    schedule.begun(12.0, is_mute=False)
    assert not schedule.is_due(12.0, has_waiting=False)
    schedule.ask_soon()
    assert not schedule.is_due(13.0, has_waiting=False)
    assert schedule.is_due(13.0 + SOON_S, has_waiting=False)
    schedule.begun(14.0, is_mute=False)
    schedule.ended(Away("HTTP 502", answer(150, 502)), was_for_all=True)
    assert not schedule.is_due(14.0, has_waiting=False), "not at once"
    assert schedule.is_due(16.0, has_waiting=False)
    assert schedule.is_for_all, "a snapshot that failed is still owed"


ROWS: tuple[list[dict[str, object]], ...] = (
    [],
    [{}],
    [
        {"id": "a", "legs": [{"id": "b"}, None], "text": 'a ] and a , and a \\ and a "'},
        {"qty": 1.5},
    ],
    [{"é": "\n"}, {"nested": {"list": [[], [1, [2]]]}}, {"last": True}],
)


@pytest.mark.parametrize("rows", ROWS, ids=["none", "empty", "quoted", "nested"])
@pytest.mark.parametrize("indent", [None, 1], ids=["dense", "indented"])
def test_rows_are_told_word_for_word(rows: list[dict[str, object]], indent: int | None) -> None:
    body = json.dumps(rows, indent=indent)
    texts = list(rows_as_received(body))
    assert [json.loads(text) for text in texts] == rows
    assert all(text in body for text in texts)


def test_backoff_grows_and_is_never_the_same() -> None:
    assert max(backoff_s(1) for _ in range(100)) <= 1.0
    pauses = {backoff_s(20) for _ in range(100)}
    assert len(pauses) > 90
    assert max(pauses) <= 30.0


def test_a_message_that_is_no_update_hints_at_everything_or_nothing() -> None:
    assert parse_hint(b'{"stream": "listening", "data": {}}') is None
    assert parse_hint(b'{"stream": "trade_updates", "data": {"order": 5}}') == Hint(None)
    assert parse_hint(b"\xff not JSON") == Hint(None)
    odd = {"stream": "trade_updates", "data": {"event": "fill", "order": {"id": "o"}, "qty": "x"}}
    assert parse_hint(json.dumps(odd)) == Hint("o")


def test_every_word_that_ends_an_order_is_known_and_an_unknown_one_is_told() -> None:
    for word in KNOWN_WORDS - {"pending_cancel", "suspended"}:
        assert trouble_of(word) is None
    assert "unknown to us" in (trouble_of("held_for_ransom") or "")
    assert execution_status("held_for_ransom", is_partly_filled=False) not in TERMINAL


def test_shares_that_the_broker_takes_back_are_told() -> None:
    assert trouble_of("new", Decimal(4), Decimal(4)) is None
    assert "taken back" in (trouble_of("new", Decimal(3), Decimal(4)) or "")


def found(word: str, filled: str) -> BrokerOrderDiscovered:
    """Return that an order of another's was found in a state."""
    return BrokerOrderDiscovered(
        event_id=f"{word}-{filled}",
        **EVENTS.stamp.envelope(NOW),
        account=ACCOUNT,
        broker_order_id="b",
        strategy_name="manual",
        side=Side.BUY,
        quantity=Decimal(10),
        broker_status=word,
        filled_qty_total=Decimal(filled),
        submitted_at=NOW - timedelta(hours=1),
        raw_response="{}",
    )


def test_discoveries_go_forward_only() -> None:
    known = Discoveries()
    for word, filled, is_new in (
        ("pending_new", "0", True),
        ("new", "0", False),
        ("partially_filled", "4", True),
        ("new", "0", False),
        ("partially_filled", "4.0", False),
        ("canceled", "4", True),
        ("filled", "10", False),
    ):
        event = found(word, filled)
        matter = matter_of(word, Decimal(filled))
        assert known.is_new("b", matter) is is_new, (word, filled)
        known.fold(event)
    assert known.states["b"] == (OrderStatus.CANCELLED, Decimal(4))


def test_discoveries_that_are_over_are_forgotten_and_open_ones_are_not() -> None:
    known = Discoveries()
    known.fold(found("new", "0"))
    known.forget(NOW)
    assert known.open_before(NOW) == ["b"]
    known.fold(found("filled", "10"))
    assert known.open_before(NOW) == []
    known.forget(NOW)
    assert not known.states
    assert not known.submitted_at
