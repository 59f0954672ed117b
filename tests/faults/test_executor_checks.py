"""The campaign's checks find what they are for: logs and books are doctored, and each time they say so."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from tests.faults import executor_audit, executor_book_checks, executor_checks
from tests.faults.executor_audit import Audited
from tests.faults.executor_book_checks import Account, Limits
from tests.faults.executor_checks import Woken, done_too_late
from tests.faults.made_events import sample_event
from tests.faults.plain_log import Seen
from tradetrail.events import Event
from tradetrail.events.generated import (
    BrokerOrderDiscovered,
    DecisionMade,
    DecisionStatus,
    OperatorActed,
    OperatorAnswered,
    OrderBlocked,
    OrderStatus,
    OrderSubmitting,
    OrderUpdated,
    Side,
)

PLACE = ("log", 0)
DAY = "2020-08-27T13:31:00."


@dataclass
class World:
    """A log, a book and what is known of them; each test spoils one thing."""

    events: list[Any]
    book: dict[str, Any]
    hides: bool = False
    forbidden: tuple[str, ...] = ()
    quiet: tuple[tuple[dict[str, int], dict[str, int]], ...] = ()
    limits: Limits = field(default_factory=lambda: Limits(Decimal(5000), 5, Decimal(4000)))

    def found(self) -> list[str]:
        seen = [Seen(*PLACE, n, event) for n, event in enumerate(self.events)]
        account = Account(
            book=self.book,
            held={"ACME": Decimal(5)},
            limits=self.limits,
            prices={"ACME": Decimal(100), "SPLT": Decimal(400)},
            hides=self.hides,
            forbidden=self.forbidden,
            quiet=self.quiet,
        )
        decided = ["d1", "d2", "d3"]
        return executor_checks.violations_of(seen, decided) + executor_book_checks.violations_of(
            seen, account
        )

    def at(self, event_id: str) -> int:
        return next(n for n, e in enumerate(self.events) if e.event_id == event_id)

    def change(self, event_id: str, **facts: Any) -> None:
        self.events[self.at(event_id)] = replace(self.events[self.at(event_id)], **facts)

    def drop(self, event_id: str) -> None:
        del self.events[self.at(event_id)]

    def add(self, event: Event) -> None:
        self.events.append(event)


def decision(name: str, symbol: str, side: Side = Side.BUY) -> DecisionMade:
    return sample_event(
        DecisionMade,
        event_id=f"made-{name}",
        service="decider",
        decision_id=name,
        story_id=name,
        symbol=symbol,
        side=side,
    )


def intent(name: str, symbol: str, qty: int, **facts: Any) -> OrderSubmitting:
    given: dict[str, Any] = {
        "event_id": f"intent-{name}",
        "service": "executor",
        "instance": "one",
        "decision_id": name,
        "execution_id": f"e-{name}",
        "client_order_id": f"c-{name}",
        "symbol": symbol,
        "side": Side.BUY,
        "quantity": Decimal(qty),
        "limit_price": None,
        "attempt_number": 1,
    }
    return sample_event(OrderSubmitting, **given | facts)


def update(
    name: str,
    number: int,
    status: OrderStatus,
    total: int = 0,
    fill: int | None = None,
    **facts: Any,
) -> OrderUpdated:
    now = {
        OrderStatus.FILLED: DecisionStatus.EXECUTED,
        OrderStatus.REJECTED: DecisionStatus.FAILED,
        OrderStatus.ERROR: DecisionStatus.FAILED,
        OrderStatus.CANCELLED: DecisionStatus.FAILED,
    }
    given: dict[str, Any] = {
        "event_id": f"update-{name}-{number}",
        "service": "executor",
        "instance": "one",
        "decision_id": name,
        "execution_id": f"e-{name}",
        "client_order_id": f"c-{name}",
        "symbol": "ACME" if name in ("d1", "d2") else "SPLT",
        "status": status,
        "decision_status": now.get(status, DecisionStatus.EXECUTING),
        "attempt_number": 1,
        "filled_qty_total": Decimal(total),
        "fill_qty": None if fill is None else Decimal(fill),
        "fill_price": None if fill is None else Decimal(100 if name != "d3" else 400),
        "error_message": None,
    }
    return sample_event(OrderUpdated, **given | facts)


def order(name: str, symbol: str, qty: int, number: int, status: str = "filled") -> dict[str, Any]:
    return {
        "id": f"b-{name}",
        "client_order_id": f"c-{name}",
        "symbol": symbol,
        "side": "buy",
        "qty": str(qty),
        "limit_price": None,
        "filled_qty": str(qty if status == "filled" else 0),
        "status": status,
        "created_at": f"{DAY}{number:09d}Z",
        "changes": [],
    }


def fill(name: str, symbol: str, qty: int, price: int, position: int) -> dict[str, Any]:
    return {
        "client_order_id": f"c-{name}",
        "symbol": symbol,
        "side": "buy",
        "qty": str(qty),
        "price": str(price),
        "cash_change": str(-qty * price),
        "position_qty": str(position),
    }


def world() -> World:
    """Return two decisions on one symbol, one on another; unknown, sent again and filled; in parts; refused."""
    unknown, again, parts = (
        OrderStatus.UNKNOWN,
        OrderStatus.SUBMITTING,
        OrderStatus.PARTIALLY_FILLED,
    )
    events: list[Event] = [
        *(decision("d1", "ACME"), decision("d2", "ACME"), decision("d3", "SPLT")),
        *(intent("d1", "ACME", 10), update("d1", 1, unknown), update("d1", 2, again)),
        intent("d3", "SPLT", 2),
        *(update("d1", 3, parts, 4, 4), update("d1", 4, OrderStatus.FILLED, 10, 6)),
        *(intent("d2", "ACME", 3), update("d2", 1, OrderStatus.REJECTED)),
        *(update("d3", 1, OrderStatus.ACCEPTED), update("d3", 2, OrderStatus.FILLED, 2, 2)),
    ]
    book = {
        "account": {"starting_cash": "10000", "cash": "8200"},
        "orders": [order("d1", "ACME", 10, 1), order("d3", "SPLT", 2, 2)],
        "fills": [
            fill("d1", "ACME", 4, 100, 9),
            fill("d1", "ACME", 6, 100, 15),
            fill("d3", "SPLT", 2, 400, 2),
        ],
        "positions": [{"symbol": "ACME", "qty": "15"}, {"symbol": "SPLT", "qty": "2"}],
        "order_posts": {"c-d1": 2, "c-d2": 1, "c-d3": 1},
        "changed_order_posts": [],
        "refused_duplicates": {},
    }
    return World(events, deepcopy(book))


def test_a_whole_log_and_its_book_agree() -> None:
    assert world().found() == []


def blocked(name: str, symbol: str) -> OrderBlocked:
    return sample_event(
        OrderBlocked,
        event_id=f"blocked-{name}",
        service="executor",
        decision_id=name,
        symbol=symbol,
    )


def _missing_outcome(w: World) -> None:
    w.drop("update-d3-2")


def _no_outcome(w: World) -> None:
    w.drop("update-d3-1")
    w.drop("update-d3-2")


def _got_swapped(w: World) -> None:
    w.book["orders"][0]["created_at"] = f"{DAY}000000005Z"
    w.book["orders"].append(order("d2", "ACME", 3, 0, "rejected"))


def _two_outcomes(w: World) -> None:
    w.add(blocked("d2", "ACME"))


def _swapped(w: World) -> None:
    first, second = w.at("intent-d1"), w.at("intent-d2")
    lot = w.events[second : second + 2]
    del w.events[second : second + 2]
    w.events[first:first] = lot


def _not_held(w: World) -> None:
    lot = w.events.pop(w.at("intent-d2"))
    w.events.insert(w.at("update-d1-2"), lot)


def _book(*path: Any, value: Any) -> Callable[[World], None]:
    def change(w: World) -> None:
        part: Any = w.book
        for each in path[:-1]:
            part = part[each]
        part[path[-1]] = value

    return change


def _extra_order(w: World) -> None:
    w.book["orders"].append(order("dx", "ACME", 1, 9, "expired"))


def _limited(**facts: Any) -> Callable[[World], None]:
    def change(w: World) -> None:
        w.limits = replace(w.limits, **facts)

    return change


def _event(event_id: str, **facts: Any) -> Callable[[World], None]:
    return lambda w: w.change(event_id, **facts)


def _added(*events: Event) -> Callable[[World], None]:
    return lambda w: w.events.extend(events)


def _halted(w: World) -> None:
    w.forbidden = ("d3",)


def _not_quiet(w: World) -> None:
    w.quiet = (({"c-d1": 1}, {"c-d1": 1, "c-d3": 1}),)


def _act(number: int) -> Event:
    return sample_event(OperatorActed, event_id=f"act-{number}", service="cli", symbol="ACME")


def _answer(number: int, event_id: str) -> Event:
    return sample_event(
        OperatorAnswered,
        event_id=event_id,
        service="executor",
        act_id=f"act-{number}",
        decision_id="d1",
        decision_status=None,
    )


DOCTORED: dict[str, tuple[Callable[[World], None], str]] = {
    "an outcome is missing": (_missing_outcome, "decision d3 has 0 final outcomes"),
    "two outcomes": (_two_outcomes, "decision d2 has 2 final outcomes"),
    "a decision is missing": (lambda w: w.drop("made-d2"), "decision d2 is not in the log"),
    "an event is there twice": (
        _added(update("d3", 2, OrderStatus.FILLED, 2, 2)),
        "event update-d3-2 is in the log 2 times",
    ),
    "an intent has no outcome": (
        _no_outcome,
        "e-d3 is left submitting",
    ),
    "an update without an intent": (lambda w: w.drop("intent-d3"), "without an intent"),
    "two intents of one execution": (
        _added(intent("d3", "SPLT", 2, event_id="again")),
        "has two intents",
    ),
    "an intent of no decision": (_added(intent("dx", "ACME", 1)), "e-dx is of no decision"),
    "an attempt left out": (_event("intent-d3", attempt_number=2), "has attempts [2]"),
    "something after the end": (
        _added(update("d3", 3, OrderStatus.CANCELLED, 2)),
        "became cancelled after filled",
    ),
    "back to unknown": (
        _added(update("d3", 3, OrderStatus.UNKNOWN, 2)),
        "became unknown after filled",
    ),
    "an error of what the broker has": (
        _event("update-d3-2", status=OrderStatus.ERROR),
        "became error after accepted",
    ),
    "a total falls": (_event("update-d1-4", filled_qty_total=Decimal(3)), "had 4 filled, then 3"),
    "decisions are swapped": (_swapped, "d1 came after d2, a later decision"),
    "a symbol is not held": (_not_held, "e-d2 began while ['e-d1'] was unknown"),
    "blocked, never made": (_added(blocked("dx", "ACME")), "was blocked, and never made"),
    "a post too many": (_book("order_posts", "c-d1", value=3), "posted 3 times, announced 2"),
    "a post without an intent": (_book("order_posts", "c-x", value=1), "has no intent of it"),
    "two bodies": (_book("changed_order_posts", value=["c-d1"]), "with two bodies"),
    "sent again though it was there": (
        _book("refused_duplicates", value={"c-d1": 1}),
        "again although the broker had it",
    ),
    "an order that the log lacks": (_extra_order, "and the log lacks it"),
    "an order twice": (
        lambda w: w.book["orders"].append(w.book["orders"][0]),
        "is at the broker 2 times",
    ),
    "an order that the broker lacks": (lambda w: w.book["orders"].pop(), "the broker has none"),
    "another quantity": (_book("orders", 1, "qty", value="3"), "intended was"),
    "another side": (_book("orders", 1, "side", value="sell"), "intended was"),
    "another limit": (_book("orders", 1, "limit_price", value="399"), "intended was"),
    "another status": (_book("orders", 1, "status", value="canceled"), "canceled at the broker"),
    "a fill is lost": (_event("update-d1-3", fill_qty=None), "fills of 6, total 10, broker 10"),
    "a fill is doubled": (_event("update-d1-4", fill_qty=Decimal(10)), "fills of 14, total 10"),
    "the broker filled less": (_book("orders", 0, "filled_qty", value="9"), "broker 9"),
    "another price": (_event("update-d3-2", fill_price=Decimal(399)), "fills worth 798 USD"),
    "cash is short": (_book("account", "cash", value="8100"), "cash is 8100"),
    "a position is too large": (_book("positions", 0, "qty", value="16"), "the position is 16"),
    "the broker got them swapped": (
        _got_swapped,
        "ACME: the broker got c-d1 after a later one",
    ),
    "the day's value": (_limited(daily_notional_usd=Decimal(1799)), "worth 1800.00 USD"),
    "the day's count": (_limited(daily_order_count=1), "there are 2 orders of 2020-08-27"),
    "the position's value": (_limited(position_usd=Decimal(1499)), "the position was 1500.00 USD"),
    "a short": (_book("fills", 0, "position_qty", value="-1"), "1 shares were sold short"),
    "money that was not there": (_book("account", "starting_cash", value="1000"), "800 USD were"),
    "an act without an answer": (_added(_act(1)), "act-1 has 0 answers"),
    "an act with two answers": (
        _added(_act(1), _answer(1, "one"), _answer(1, "other")),
        "act-1 has 2 answers",
    ),
    "sent after a halt": (_not_quiet, "c-d3 was posted after a halt was acknowledged"),
    "sent under a halt": (_halted, "d3 came under a halt"),
}


@pytest.mark.parametrize("name", DOCTORED)
def test_a_doctored_log_or_book_is_found_out(name: str) -> None:
    doctor, complaint = DOCTORED[name]
    spoilt = world()
    doctor(spoilt)
    assert [text for text in spoilt.found() if complaint in text], spoilt.found()


def test_an_act_with_its_answer_is_in_order() -> None:
    answered = world()
    answered.events += [_act(1), _answer(1, "one")]
    assert answered.found() == []


def test_what_an_ended_order_did_not_fill_is_given_back() -> None:
    ended = world()
    early = order("d2", "ACME", 3, 0, "rejected")
    early["changes"] = [{"at": f"{DAY}0Z", "status": "rejected", "filled_qty": "0"}]
    ended.book["orders"].append(early)
    ended.limits = replace(ended.limits, daily_notional_usd=Decimal(1800))
    assert not [text for text in ended.found() if "above the limit" in text]
    early["changes"] = []
    assert [text for text in ended.found() if "worth 2100.00 USD, above the limit" in text]


def test_an_order_that_was_hidden_may_come_again() -> None:
    hidden = world()
    hidden.book["refused_duplicates"] = {"c-d1": 1}
    hidden.hides = True
    assert hidden.found() == []


def test_an_order_that_was_discovered_is_known() -> None:
    late = world()
    _extra_order(late)
    late.add(
        sample_event(
            BrokerOrderDiscovered,
            event_id="discovered",
            service="executor",
            broker_order_id="b-dx",
            symbol="ACME",
            filled_qty_total=Decimal(0),
            decision_id=None,
        )
    )
    assert late.found() == []


def test_one_that_woke_must_neither_write_nor_send() -> None:
    seen = [Seen(*PLACE, n, event) for n, event in enumerate(world().events)]
    posts = {"c-d1": 1}
    assert done_too_late(seen, [Woken("one", {PLACE: 13}, posts, posts)]) == []
    assert done_too_late(seen, [Woken("another", {PLACE: 2}, posts, posts)]) == []
    late = done_too_late(seen, [Woken("one", {PLACE: 12}, posts, {"c-d1": 2})])
    assert late == [
        "one woke and wrote tradetrail.events.OrderUpdated at log/0/12",
        "one woke and sent an order",
    ]


AUDITED = Audited(
    {"d1": "executed", "d2": "failed", "d3": "executed"},
    {
        "e-d1": ("filled", Decimal(10)),
        "e-d2": ("rejected", Decimal(0)),
        "e-d3": ("filled", Decimal(2)),
    },
    [
        ("e-d1", Decimal(4), Decimal(100)),
        ("e-d1", Decimal(6), Decimal(100)),
        ("e-d3", Decimal(2), Decimal(400)),
    ],
)


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        ({"decisions": dict(AUDITED.decisions) | {"d1": "executing"}}, "executing in the database"),
        ({"decisions": {}}, "decision d1 is executed in the log, None in the database"),
        ({"executions": dict(AUDITED.executions) | {"ex": ("filled", Decimal(1))}}, "execution ex"),
        ({"fills": AUDITED.fills[1:]}, "is not in the database"),
        ({"fills": [*AUDITED.fills, AUDITED.fills[0]]}, "is in the database alone"),
    ],
    ids=["status", "missing", "more", "fill-lost", "fill-doubled"],
)
def test_a_doctored_database_is_found_out(facts: dict[str, Any], complaint: str) -> None:
    told = executor_checks.stories(Seen(*PLACE, n, e) for n, e in enumerate(world().events))
    assert executor_audit.violations_of(told, AUDITED) == []
    found = executor_audit.violations_of(told, replace(AUDITED, **facts))
    assert [text for text in found if complaint in text], found
