"""Lanes: requests side by side, their results on the asker's thread, failures loud, an end in time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from services.executor.broker import lanes as module
from services.executor.broker.lanes import Lanes
from services.executor.broker.trading_api import Broker
from services.executor.settings import ExecutorSettings
from tests.eventually import eventually
from tradetrail.alpaca_settings import AlpacaSettings

WAIT_S = 60.0


def _broker(url: str = "http://127.0.0.1:9") -> Broker:
    # Its own deadline is longer than any lane may take to close.
    return Broker(AlpacaSettings(url=url), ExecutorSettings(request_total_s=60), paper=True)


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    lanes = Lanes(_broker, 2)
    yield lanes
    lanes.close()


def _finish_one(lanes: Lanes) -> None:
    assert lanes.wait(WAIT_S)
    lanes.finish()


def test_requests_overlap_and_end_on_the_askers_thread(lanes: Lanes) -> None:
    both_are_there = threading.Barrier(2)
    results: list[tuple[str, str]] = []

    def request(broker: Broker) -> str:
        both_are_there.wait(WAIT_S)
        return threading.current_thread().name

    def then(lane: str) -> None:
        results.append((lane, threading.current_thread().name))

    assert lanes.ask("a", request, then)
    assert lanes.ask("b", request, then)
    assert (lanes.free, lanes.is_busy("a"), lanes.is_busy("b")) == (0, True, True)
    while len(results) < 2:
        _finish_one(lanes)
    here = threading.current_thread().name
    assert sorted(results) == [("lane-0", here), ("lane-1", here)]
    assert (lanes.free, lanes.is_busy("a")) == (2, False)


def test_nothing_is_asked_without_a_free_lane_or_twice_under_a_key(lanes: Lanes) -> None:
    may_end = threading.Event()
    assert lanes.ask("a", lambda _: may_end.wait(WAIT_S), lambda _: None)
    assert not lanes.ask("a", lambda _: True, lambda _: None)
    assert lanes.ask("b", lambda _: may_end.wait(WAIT_S), lambda _: None)
    assert not lanes.ask("c", lambda _: True, lambda _: None)
    may_end.set()
    while lanes.free < 2:
        _finish_one(lanes)
    assert lanes.ask("c", lambda _: True, lambda _: None)


def test_a_key_is_busy_until_its_result_is_taken(lanes: Lanes) -> None:
    assert lanes.ask("a", lambda _: 1, lambda _: None)
    assert lanes.wait(WAIT_S)
    assert lanes.is_busy("a")
    lanes.finish()
    assert not lanes.is_busy("a")


def test_a_then_may_ask_again_at_once_on_the_same_lane(lanes: Lanes) -> None:
    brokers: list[int] = []

    def then(broker: int) -> None:
        brokers.append(broker)
        if len(brokers) < 3:
            assert lanes.ask("a", id, then)

    assert lanes.ask("a", id, then)
    while len(brokers) < 3:
        _finish_one(lanes)
    # The lane used last is used next, and keeps its connections.
    assert len(set(brokers)) == 1


def test_what_a_request_raises_reaches_the_asker(lanes: Lanes) -> None:
    def request(broker: Broker) -> None:
        raise KeyError("a bug in a lane")

    assert lanes.ask("a", request, lambda _: None)
    assert lanes.wait(WAIT_S)
    with pytest.raises(KeyError, match="a bug in a lane"):
        lanes.finish()
    assert (lanes.free, lanes.is_busy("a")) == (2, False)


def test_a_broker_that_cannot_be_opened_is_told_too() -> None:
    def refuse() -> Broker:
        raise ValueError("no broker")

    lanes = Lanes(refuse, 1)
    assert lanes.ask("a", lambda _: None, lambda _: None)
    assert lanes.wait(WAIT_S)
    with pytest.raises(ValueError, match="no broker"):
        lanes.finish()
    lanes.close()


def test_closing_cuts_a_request_that_has_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        lanes = Lanes(lambda: _broker(f"http://127.0.0.1:{deaf.getsockname()[1]}"), 1)
        results: list[object] = []
        assert lanes.ask("a", lambda broker: broker.account(), results.append)
        began_at = time.monotonic()
        lanes.close()
        eventually(lambda: "lane-0" not in {thread.name for thread in threading.enumerate()})
        # The request by itself would have taken a minute.
        assert time.monotonic() - began_at < WAIT_S / 2
        assert results == []


def test_closing_without_work_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSE_WAIT_S", WAIT_S)
    lanes = Lanes(_broker, 4)
    began_at = time.monotonic()
    lanes.close()
    assert time.monotonic() - began_at < WAIT_S
