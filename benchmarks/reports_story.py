"""One step of what the reports' benchmark seeds: encoded events in log order, and what reports must find of them."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from zoneinfo import ZoneInfo

from benchmarks.reports_samples import CONGRESS, DECLINES, INSIDER, SIDES
from benchmarks.reports_shape import CONTROL, RUNS, STRIDE, WATCHED, YEAR, Lane, Size, symbol_of
from benchmarks.reports_templates import Template, day, decimal, instant, number
from tradetrail.log.reader import Place, Received

_MIDNIGHT = {"hour": 0, "tzinfo": ZoneInfo("America/New_York")}
_SINCE = datetime(YEAR[0].year, YEAR[0].month, YEAR[0].day, **_MIDNIGHT).astimezone(UTC)
_UNTIL = datetime(YEAR[1].year + 1, 1, 1, **_MIDNIGHT).astimezone(UTC)
_NAMES = {symbol: name for name, symbol in WATCHED.items()}
_SECOND, _APPENDED_AFTER = timedelta(seconds=1), timedelta(milliseconds=5)
# Of a thousand answers; the others are declines.
_MADE = 450
# What becomes of decisions, and of how many in ten thousand. Open ones are few at any time.
_ENDS = {
    "filled": 7_700,
    "filled in parts": 1_000,
    "blocked": 800,
    "rejected": 290,
    "expired": 100,
    "cancelled": 100,
    "unknown": 3,
    "open": 3,
    "waiting": 4,
}
_END_NAMES, _END_WEIGHTS = list(_ENDS), list(accumulate(_ENDS.values()))
# What the broker says after an intent.
_STATES = {
    "filled": ("accepted", "filled"),
    "filled in parts": ("accepted", "partly", "rest filled"),
    "rejected": ("rejected",),
    "expired": ("accepted", "partly", "expired"),
    "cancelled": ("accepted", "cancelled"),
    "unknown": ("unknown",),
    "open": ("accepted",),
}
_EXECUTED = ("filled", "filled in parts")
_FAILED = ("blocked", "rejected", "expired")
# Shares, and of these the first part.
_QUANTITIES = [(n, n * 2 // 5) for n in (5, 10, 25, 40, 100, 250)]


class Step:
    """One step of a lane."""

    def __init__(self, templates: dict[str, Template], size: Size, lane: Lane, step: int) -> None:
        """Begin with nothing; ``events`` makes them."""
        self._templates = templates
        self._lane = lane
        self._want = size.step_events
        self._is_first = step == 0
        self._chance = random.Random(f"{size.seed} {lane.number} {step}")
        self._at, self._takes = size.when(step)
        self.starts: dict[Place, int] = dict.fromkeys(lane.places, step * STRIDE)
        self.ends: dict[Place, int] = dict.fromkeys(lane.places, (step + 1) * STRIDE)
        self._next = dict(self.starts)
        self._values: dict[str, bytes] = {}
        self._events: list[Received] = []
        self.tally: Counter[str] = Counter()

    def events(self) -> list[Received]:
        """Return the step's events; ``tally`` is complete after that."""
        run = self._id()
        self._values["run"], self._values["call"] = run, self._id()
        self._dates(self._at)
        if self._is_first:
            self._put("configuration", self._lane.places[-1], b"decider", self._at)
        self._put("started", (RUNS, self._lane.number), b"congress", self._at)
        self._put("account", (RUNS, self._lane.number), b"account", self._at)
        ranks, reached = list(self._lane.shares), list(accumulate(self._lane.shares.values()))
        while len(self._events) < self._want:
            at = self._at + self._takes * (len(self._events) / self._want)
            [rank] = self._chance.choices(ranks, cum_weights=reached)
            self._values["run"] = run
            self._story(rank, at)
        self._put("halt", (CONTROL, self._lane.number), self._values["symbol"], self._at)
        end = self._at + self._takes * 0.999
        self._put("completed", (RUNS, self._lane.number), b"congress", end)
        self.tally["events"] = len(self._events)
        return self._events

    def _story(self, rank: int, at: datetime) -> None:
        """Tell of records about a symbol, of the answer to them, and of what became of it."""
        values, chance, symbol = self._values, self._chance, symbol_of(rank)
        place, key = self._lane.place(rank), symbol.encode()
        values["symbol"], values["partition"] = key, number(place[1])
        self._dates(at)
        side = SIDES[chance.random() < 0.4]
        shares, part = chance.choice(_QUANTITIES)
        values["quantity"], values["fill"] = decimal(Decimal(shares)), decimal(Decimal(part))
        values["filled"] = decimal(Decimal(shares - part))
        values["price"] = decimal(Decimal(chance.randrange(1_000, 40_000)).scaleb(-2))
        for _ in range(1 if chance.random() < 0.6 else 2):
            values["record"] = self._id()
            values["recorded"] = number(self._next[place])
            kind = "congress" if chance.random() < 0.75 else "insider"
            values["record_event"] = self._put(f"{kind} {side}", place, key, at)
        values["triggered"] = number(self._next[place])
        self._put("ready", place, key, at + _SECOND)
        strategy = CONGRESS if chance.random() < 0.7 else INSIDER
        values["decision"] = self._id()
        at += 2 * _SECOND
        if chance.randrange(1_000) >= _MADE:
            reason = chance.choice(DECLINES)[0]
            self._put(f"declined {strategy} {side} {reason}", place, key, at)
            self._count(symbol, "declined", at)
            return
        values["call"] = self._id()
        self._put("call", place, key, at)
        self._put(f"made {strategy} {side}", place, key, at)
        self._count(symbol, "decisions", at)
        [end] = chance.choices(_END_NAMES, cum_weights=_END_WEIGHTS)
        last = self._end(end, side, place, key, at + _SECOND)
        if end in _EXECUTED or end in _FAILED:
            self._count(symbol, "executed" if end in _EXECUTED else "failed", last)
        if end in _EXECUTED or end == "expired":
            filled_at = last - 40 * _SECOND if end == "expired" else last
            self._count(symbol, "trades", filled_at)
            self._count(symbol, f"shares {side}", filled_at, part if end == "expired" else shares)

    def _end(self, end: str, side: str, place: Place, key: bytes, at: datetime) -> datetime:
        """Tell what became of a decision; return when that was."""
        if end == "waiting":
            return at
        if end == "blocked":
            self._put("blocked", place, key, at)
            return at
        self._values["execution"], self._values["order"] = self._id(), self._id()
        self._put(f"submitting {side}", place, key, at)
        for state in _STATES[end]:
            at += 40 * _SECOND
            self._put(state, place, key, at)
        return at

    def _put(self, name: str, place: Place, key: bytes, at: datetime) -> bytes:
        """Append an event; return its id."""
        event_id = self._values["event"] = self._id()
        self._values["at"] = instant(at)
        value = self._templates[name].filled(self._values)
        offset = self._next[place]
        self._events.append(Received(*place, offset, key, value, at + _APPENDED_AFTER))
        self._next[place] = offset + 1
        return event_id

    def _count(self, symbol: str, what: str, at: datetime, count: int = 1) -> None:
        self.tally[f"all {what}"] += count
        if symbol in _NAMES and _SINCE <= at < _UNTIL:
            self.tally[f"{_NAMES[symbol]} {what}"] += count

    def _dates(self, at: datetime) -> None:
        self._values["reported_on"] = day(at.date())
        self._values["traded_on"] = day(at.date() - timedelta(days=20))

    def _id(self) -> bytes:
        text = f"{self._chance.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}".encode()
