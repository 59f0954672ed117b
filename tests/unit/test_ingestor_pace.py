"""Rate classes are counted here, and a run waits for its turn, or is told that its turn is too far away."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.ingestor.settings import IngestorSettings
from services.ingestor.sources.http import Exchange, HttpEdge, Limits
from services.ingestor.sources.pace import Allowance, Pace
from services.ingestor.sources.vendor import Vendor
from services.ingestor.trouble import ErrorCode, RunTrouble
from tradetrail.events.generated import CallPurpose

BULK, LIVE = "/beta/bulk/x", "/beta/live/x"


class Time:
    """Monotonic time that only passes when somebody waits."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now_s


class Calls:
    """Keeps what is recorded, and lets time pass for who waits."""

    def __init__(self, time: Time) -> None:
        self._time = time
        self.left: list[int | None] = []
        self.said: list[str | None] = []
        self.vendor: Vendor | None = None

    def now(self) -> datetime:
        return datetime(2024, 1, 2, tzinfo=UTC)

    def record(self, exchange: Exchange, *, rate_limit_remaining: int | None, **_: Any) -> str:
        self.left.append(rate_limit_remaining)
        return "call"

    def wait(self, seconds: float) -> None:
        self._time.waits.append(seconds)
        self._time.now_s += seconds
        assert self.vendor is not None
        self.said.append(self.vendor.waiting)


class Edge(HttpEdge):
    """Answers with an empty list."""

    def __init__(self) -> None:
        super().__init__("http://vendor", None, Limits(1, 1, 1, 1_000))
        self.asked = 0

    def get(self, path: str, query: Any) -> Exchange:
        self.asked += 1
        return Exchange(path, query, {}, 200, body=json.dumps([]).encode())


class Setting:
    """A vendor of two rate classes, and what it works with."""

    def __init__(self, wait_s_max: float = 3_700) -> None:
        self.time = Time()
        self.edge = Edge()
        self.calls = Calls(self.time)
        classes = [Allowance("/beta/bulk/", 2, 3_600, self.time), Allowance("/b", 3, 60, self.time)]
        pace = Pace(classes, wait_s_max, 60)
        self.vendor = Vendor(self.edge, "vendor", CallPurpose.DISCLOSURES, pace)
        self.calls.vendor = self.vendor

    def ask(self, path: str) -> None:
        self.vendor.ask(self.calls, path, {})


def test_what_is_left_is_counted_and_the_next_request_waits_for_its_turn() -> None:
    here = Setting()
    for _ in range(2):
        here.ask(BULK)
        here.time.now_s += 600
    assert here.time.waits == []
    here.ask(BULK)
    assert here.calls.left == [1, 0, 0]
    # The first request leaves the hour 3,600 s after it was made, 1,200 s ago.
    assert here.time.waits == [2_400]
    assert here.vendor.waiting is None


def test_a_wait_is_told_while_it_lasts() -> None:
    here = Setting()
    for _ in range(3):
        here.ask(BULK)
    (said,) = here.calls.said
    assert said is not None
    assert "2 requests to /beta/bulk/ in 3600 s" in said


def test_classes_are_counted_apart() -> None:
    here = Setting()
    for path in (BULK, BULK, LIVE, LIVE, LIVE):
        here.ask(path)
    assert here.time.waits == []
    assert here.calls.left == [1, 0, 2, 1, 0]
    here.ask(LIVE)
    assert here.time.waits == [60]


def test_a_turn_too_far_away_fails_before_anything_is_asked() -> None:
    here = Setting(wait_s_max=100)
    for _ in range(2):
        here.ask(BULK)
    with pytest.raises(RunTrouble, match="was not asked") as failed:
        here.ask(BULK)
    assert failed.value.code is ErrorCode.RATE_LIMITED
    assert failed.value.details["next_allowed_in_s"] == 3_600
    assert here.edge.asked == 2
    assert here.time.waits == []


def test_a_path_of_no_class_is_not_paced() -> None:
    here = Setting()
    for _ in range(10):
        here.ask("/other")
    assert here.calls.left == [None] * 10
    assert here.time.waits == []


def test_the_classes_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [(c.prefix, c.requests, c.per_s) for c in IngestorSettings().rate_classes] == [
        ("/beta/bulk/", 5, 3_600),
        ("/beta/live/", 100, 60),
    ]
    told = [{"prefix": "/beta/live/insiders", "requests": 10, "per_s": 60}]
    monkeypatch.setenv("TRADETRAIL_INGESTOR_RATE_CLASSES", json.dumps(told))
    (one,) = IngestorSettings().rate_classes
    assert one.model_dump() == told[0]
