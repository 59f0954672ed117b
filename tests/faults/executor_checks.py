"""What must hold of an executor's log whatever was done to its processes. Pure: events in, violations out.

Nothing here is taken from the executor: what may follow what is said once more, in other words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.faults.plain_log import Place, Seen
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
)

FINAL = {DecisionStatus.EXECUTED, DecisionStatus.FAILED, DecisionStatus.CANCELLED}
# How far an execution has come. It never falls back, and nothing follows what is over.
_OVER = 4
_RANK = {
    OrderStatus.SUBMITTING: 0,
    OrderStatus.UNKNOWN: 0,
    OrderStatus.SUBMITTED: 1,
    OrderStatus.ACCEPTED: 2,
    OrderStatus.PARTIALLY_FILLED: 3,
    OrderStatus.FILLED: _OVER,
    OrderStatus.REJECTED: _OVER,
    OrderStatus.CANCELLED: _OVER,
    OrderStatus.EXPIRED: _OVER,
    OrderStatus.REPLACED: _OVER,
    OrderStatus.ERROR: _OVER,
}


@dataclass
class Attempt:
    """One execution as the log tells it."""

    intent: OrderSubmitting
    updates: list[OrderUpdated] = field(default_factory=list)

    @property
    def status(self) -> OrderStatus:
        """Return its status now."""
        return self.updates[-1].status if self.updates else OrderStatus.SUBMITTING

    @property
    def is_over(self) -> bool:
        """Tell whether nothing can follow."""
        return _RANK[self.status] == _OVER

    @property
    def is_known(self) -> bool:
        """Tell whether the outcome of its POST is known."""
        return _RANK[self.status] > 0


@dataclass
class Story:
    """One decision and all that came of it, in the order of the log."""

    decision: DecisionMade
    attempts: dict[str, Attempt] = field(default_factory=dict)
    ends: list[str] = field(default_factory=list)
    """Its final outcomes, in words; exactly one is right."""
    status: DecisionStatus = DecisionStatus.PENDING

    @property
    def is_settled(self) -> bool:
        """Tell whether it is over, or all its orders are known to be at the broker."""
        attempts = self.attempts.values()
        return bool(self.ends) or (bool(attempts) and all(each.is_known for each in attempts))


def stories(seen: Iterable[Seen]) -> dict[str, Story]:
    """Return each decision's story by its id; what belongs to none is left out, ``orphans`` finds it."""
    found: dict[str, Story] = {}
    for each in seen:
        event = each.event
        if isinstance(event, DecisionMade):
            found.setdefault(event.decision_id, Story(event))
            continue
        story = found.get(getattr(event, "decision_id", None) or "")
        if story is None:
            continue
        if isinstance(event, OrderSubmitting):
            story.attempts.setdefault(event.execution_id, Attempt(event))
            story.status = DecisionStatus.EXECUTING
        elif isinstance(event, OrderUpdated):
            if event.execution_id in story.attempts:
                story.attempts[event.execution_id].updates.append(event)
            story.status = event.decision_status
            if event.decision_status in FINAL:
                story.ends.append(f"{event.status} of attempt {event.attempt_number}")
        elif isinstance(event, OrderBlocked):
            story.ends.append(f"blocked by {event.control}")
            story.status = DecisionStatus.FAILED
        elif isinstance(event, OperatorAnswered) and event.decision_status in FINAL:
            story.ends.append("cancelled while it waited")
            story.status = DecisionStatus.CANCELLED
    return found


def violations_of(seen: Sequence[Seen], decided: Collection[str]) -> list[str]:
    """Return every way in which the log contradicts itself; ``decided`` are the ids of all decisions published."""
    told = stories(seen)
    return [
        *_repeats(seen),
        *(f"decision {name} is not in the log" for name in decided if name not in told),
        *_outcomes(told),
        *_executions(told),
        *_orphans(seen, told),
        *_order(seen),
        *_held(seen),
        *_acts(seen),
    ]


def _repeats(seen: Iterable[Seen]) -> list[str]:
    """No event of an executor is there twice."""
    ids = Counter(s.event.event_id for s in seen if s.event.service == "executor")
    return [f"event {name} is in the log {count} times" for name, count in ids.items() if count > 1]


def _outcomes(told: Mapping[str, Story]) -> list[str]:
    """Every decision has exactly one final outcome."""
    return [
        f"{story.decision.symbol}: decision {name} has {len(story.ends)} final outcomes: {story.ends}"
        for name, story in told.items()
        if len(story.ends) != 1
    ]


def _executions(told: Mapping[str, Story]) -> list[str]:
    """Every intent has one outcome, reached by lawful steps; attempts are numbered one by one."""
    found = []
    for name, story in told.items():
        numbers = [each.intent.attempt_number for each in story.attempts.values()]
        if numbers != list(range(1, len(numbers) + 1)):
            found.append(f"decision {name} has attempts {numbers}")
        for execution_id, attempt in story.attempts.items():
            what = f"{story.decision.symbol}: execution {execution_id}"
            if not attempt.is_over:
                found.append(f"{what} is left {attempt.status}")
            found += [f"{what} {text}" for text in _unlawful(attempt)]
    return found


def _unlawful(attempt: Attempt) -> list[str]:
    found, before, total = [], OrderStatus.SUBMITTING, attempt.intent.quantity * 0
    for update in attempt.updates:
        is_back = _RANK[update.status] < _RANK[before]
        is_error_at_broker = update.status is OrderStatus.ERROR and _RANK[before] > 0
        if _RANK[before] == _OVER or is_back or is_error_at_broker:
            found.append(f"became {update.status} after {before}")
        if update.filled_qty_total < total:
            found.append(f"had {total} filled, then {update.filled_qty_total}")
        before, total = update.status, update.filled_qty_total
    return found


def _orphans(seen: Iterable[Seen], told: Mapping[str, Story]) -> list[str]:
    """Nothing speaks of a decision or an execution that never began."""
    known = {name for story in told.values() for name in story.attempts}
    found = []
    begun: set[str] = set()
    for each in seen:
        event = each.event
        if isinstance(event, OrderSubmitting):
            if event.decision_id not in told:
                found.append(f"intent {event.execution_id} is of no decision")
            if event.execution_id in begun:
                found.append(f"execution {event.execution_id} has two intents")
            begun.add(event.execution_id)
        elif isinstance(event, OrderUpdated) and event.execution_id not in known:
            found.append(f"execution {event.execution_id} became {event.status} without an intent")
        elif isinstance(event, OrderBlocked) and event.decision_id not in told:
            found.append(f"decision {event.decision_id} was blocked, and never made")
    return found


def _order(seen: Iterable[Seen]) -> list[str]:
    """Decisions of a symbol are acted on in their order; what a person cancelled stands aside."""
    numbers: dict[str, int] = {}
    newest: dict[str, tuple[int, str]] = {}
    acted: set[str] = set()
    found = []
    for each in seen:
        event = each.event
        if isinstance(event, DecisionMade):
            numbers.setdefault(event.decision_id, len(numbers))
        elif isinstance(event, OrderSubmitting | OrderBlocked) and event.decision_id not in acted:
            acted.add(event.decision_id)
            number, symbol = numbers.get(event.decision_id, -1), event.symbol or ""
            before, name = newest.get(symbol, (-1, ""))
            if number < before:
                found.append(f"{symbol}: {event.decision_id} came after {name}, a later decision")
            newest[symbol] = max((before, name), (number, event.decision_id))
    return found


def _held(seen: Iterable[Seen]) -> list[str]:
    """While the outcome of a POST is not known, nothing else of its symbol is sent."""
    unknown: defaultdict[str, dict[str, str]] = defaultdict(dict)
    found = []
    for each in seen:
        event, symbol = each.event, each.event.symbol or ""
        if isinstance(event, OrderSubmitting):
            others = [name for name in unknown[symbol] if name != event.execution_id]
            if others:
                found.append(f"{symbol}: {event.execution_id} began while {others} was unknown")
            unknown[symbol][event.execution_id] = event.decision_id
        elif isinstance(event, OrderUpdated) and _RANK[event.status] > 0:
            unknown[symbol].pop(event.execution_id, None)
    return found


def _acts(seen: Iterable[Seen]) -> list[str]:
    """Each act of a person on an order is answered once."""
    asked: dict[str, OperatorActed] = {}
    answers: Counter[str] = Counter()
    for each in seen:
        event = each.event
        if isinstance(event, OperatorActed):
            asked[event.event_id] = event
        elif isinstance(event, OperatorAnswered) and event.act_id in asked:
            answers[event.act_id] += 1
    return [
        f"{act.symbol}: {act.act} {act_id} has {answers[act_id]} answers"
        for act_id, act in asked.items()
        if answers[act_id] != 1
    ]


@dataclass(frozen=True, slots=True)
class Woken:
    """One that was frozen until others had done everything: the log's ends and the POSTs before it woke and after."""

    instance: str
    ends: Mapping[Place, int]
    posts_before: Mapping[str, int]
    posts_after: Mapping[str, int]


def done_too_late(seen: Iterable[Seen], woken: Iterable[Woken]) -> list[str]:
    """Return what a woken one wrote, or sent, of what others had done meanwhile."""
    found = []
    for each in woken:
        found += [
            f"{each.instance} woke and wrote {s.event.TYPE} at {s.topic}/{s.partition}/{s.offset}"
            for s in seen
            if s.event.instance == each.instance
            and isinstance(s.event, OrderSubmitting | OrderUpdated | OrderBlocked)
            and s.offset >= each.ends.get(s.place, 0)
        ]
        if each.posts_before != each.posts_after:
            found.append(f"{each.instance} woke and sent an order")
    return found


def discovered(seen: Iterable[Seen]) -> dict[str, BrokerOrderDiscovered]:
    """Return what the log says it found at the broker, newest, by the broker's order id."""
    return {
        s.event.broker_order_id: s.event for s in seen if isinstance(s.event, BrokerOrderDiscovered)
    }
