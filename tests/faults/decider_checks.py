"""What must hold of a decider's log whatever was done to its processes. Pure: events in, violations out.

The log is given whole, place by place in order. Two logs of the same disclosures are compared by what their answers
say: positions are told apart by the events that stand there, and what names a process or an instant plays no part.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults.plain_log import Place, Seen
from tradetrail.events import to_datum
from tradetrail.events.generated import (
    ApiCallRecorded,
    CallPurpose,
    Cause,
    DecisionDeclined,
    DecisionMade,
    OperatorActed,
    SourceRecord,
    SymbolDataReady,
)
from tradetrail.manual_orders import STRATEGY as MANUAL
from tradetrail.settings import canonical_json

Answer = DecisionMade | DecisionDeclined
# Who made it, when, under which call ids (a batch shares calls, and batches differ), how far another topic was read.
_NOT_COMPARED = frozenset({"instance", "occurred_at", "api_call_ids", "reference_through"})
_POSITION = re.compile(r"(\S+)/(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Log:
    """A log as read: its committed events, and where values stand that nobody can read."""

    seen: Sequence[Seen]
    unreadable: Sequence[tuple[Place, int]] = ()

    def names(self) -> dict[tuple[str, int, int], str]:
        """Return what stands at each position: an event's id; of what can't be read, its number in its partition."""
        found = {(s.topic, s.partition, s.offset): s.event.event_id for s in self.seen}
        numbers: Counter[Place] = Counter()
        for place, offset in self.unreadable:
            numbers[place] += 1
            found[*place, offset] = f"unreadable {numbers[place]}"
        return found

    def answers(self) -> list[tuple[Seen, Answer]]:
        """Return the decider's answers with their places."""
        return [(s, s.event) for s in self.seen if isinstance(s.event, Answer)]


def violations_of(log: Log, strategies: Mapping[str, Collection[str]]) -> list[str]:
    """Return every way in which the log contradicts itself; ``strategies`` are those that a data source sets off."""
    return [
        *_repeats(log),
        *_each_trigger_once(log, strategies),
        *_order(log),
        *_positions(log),
        *_calls(log),
    ]


def _repeats(log: Log) -> list[str]:
    """No event of a decider is there twice."""
    ids = Counter(s.event.event_id for s in log.seen if s.event.service == "decider")
    return [f"event {name} is in the log {count} times" for name, count in ids.items() if count > 1]


def _each_trigger_once(log: Log, strategies: Mapping[str, Collection[str]]) -> list[str]:
    """Every trigger is answered once by each strategy that it concerns, and nothing else is answered."""
    wanted: Counter[tuple[str, str]] = Counter()
    for seen in log.seen:
        if isinstance(seen.event, SymbolDataReady):
            wanted.update(
                (seen.event.event_id, name) for name in strategies[seen.event.data_source]
            )
        elif isinstance(seen.event, OperatorActed):
            # The same order under the same key counts once.
            wanted[seen.event.event_id, MANUAL] = 1
    there = Counter(
        (e.cause.event_id if e.cause else "?", e.strategy_name) for _, e in log.answers()
    )
    found = [
        f"trigger {trigger} is answered {there[trigger, strategy]} times by {strategy}"
        for trigger, strategy in wanted
        if there[trigger, strategy] != 1
    ]
    return found + [f"{name} answers {trigger}, no trigger" for trigger, name in there - wanted]


def _order(log: Log) -> list[str]:
    """The answers of a symbol stand in the order of its triggers."""
    newest: dict[str, tuple[int, str]] = {}
    found = []
    for _, event in log.answers():
        trigger = event.cause.offset if event.cause else -1
        before, name = newest.get(event.symbol or "", (-1, ""))
        if trigger < before:
            found.append(
                f"{event.symbol}: {event.decision_id} stands behind {name}, a later answer"
            )
        else:
            newest[event.symbol or ""] = (trigger, event.decision_id)
    return found


def _positions(log: Log) -> list[str]:
    """Whatever an answer names by its position stands there, and not behind its trigger; the answer does."""
    names = log.names()
    found = []
    for seen, event in log.answers():
        cause, what = event.cause, f"{event.symbol}: {event.decision_id}"
        if cause is None:
            found.append(f"{what} names no trigger")
            continue
        if (cause.topic, cause.partition) != seen.place or cause.offset >= seen.offset:
            found.append(f"{what} does not stand behind its trigger")
        if event.view_through != cause.offset:
            found.append(
                f"{what} saw through {event.view_through}, its trigger is at {cause.offset}"
            )
        all_named: list[Cause | SourceRecord] = [cause, *event.rationale.source_data.records]
        for named in all_named:
            if names.get((named.topic, named.partition, named.offset)) != named.event_id:
                found.append(f"{what} names {named.event_id} where it does not stand")
            if named.offset > event.view_through or (named.topic, named.partition) != seen.place:
                found.append(f"{what} names {named.event_id}, which it can't have seen")
    return found


def _calls(log: Log) -> list[str]:
    """Each call that an answer names is on record once, whole, and was for what the answer says."""
    chunks: defaultdict[str, list[ApiCallRecorded]] = defaultdict(list)
    for seen in log.seen:
        if isinstance(seen.event, ApiCallRecorded):
            chunks[seen.event.call_id].append(seen.event)
    found = []
    for _, event in log.answers():
        market, portfolio = event.rationale.market_context, event.rationale.portfolio_context
        named = dict.fromkeys(market.api_call_ids if market else (), CallPurpose.MARKET_CONTEXT)
        named |= dict.fromkeys(
            portfolio.api_call_ids if portfolio else (), CallPurpose.PORTFOLIO_CONTEXT
        )
        for call_id, purpose in named.items():
            there = chunks[call_id]
            what = f"{event.symbol}: {event.decision_id} names call {call_id}, which"
            whole = list(range(there[0].chunk_count)) if there else []
            if not there or sorted(chunk.chunk_index for chunk in there) != whole:
                found.append(f"{what} is on record in {len(there)} parts and should be whole, once")
            elif {chunk.purpose for chunk in there} != {purpose}:
                found.append(f"{what} was for {there[0].purpose}, not for {purpose}")
    return found


def differences(log: Log, reference: Log, prefixes: tuple[str, str]) -> list[str]:
    """Return where the sequence of answers of a symbol differs from an undisturbed decider's.

    ``prefixes`` are the topic prefixes of the two logs.
    """
    one, other = _sequences(log, prefixes[0]), _sequences(reference, prefixes[1])
    found = []
    for symbol in sorted(one.keys() | other.keys()):
        mine, theirs = one.get(symbol, []), other.get(symbol, [])
        if len(mine) != len(theirs):
            found.append(f"{symbol}: {len(mine)} answers, undisturbed {len(theirs)}")
        for number, (a, b) in enumerate(zip(mine, theirs, strict=False)):
            if a != b:
                found.append(f"{symbol}: answer {number + 1} differs: {_told(a, b)}")
                # One that is missing shifts all the others: the first says it.
                break
    return found


def _sequences(log: Log, prefix: str) -> dict[str, list[dict[str, Any]]]:
    names = log.names()
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for seen, event in log.answers():
        datum = {"type": event.TYPE, "place": seen.place, **to_datum(event)}
        datum["view_through"] = names.get((*seen.place, event.view_through))
        datum["place"] = (seen.topic.removeprefix(prefix), seen.partition)
        found[event.symbol or ""].append(_comparable(datum, names, prefix))
    return found


def _comparable(value: Any, names: Mapping[tuple[str, int, int], str], prefix: str) -> Any:
    """Return a part of an answer without what may differ between two logs of the same disclosures."""
    if isinstance(value, Mapping):
        dropped = _NOT_COMPARED
        if "offset" in value:
            # What stands there is named beside it, and ``violations_of`` sees that it does.
            dropped |= {"offset", "topic", "partition"}
        return {k: _comparable(v, names, prefix) for k, v in value.items() if k not in dropped}
    if isinstance(value, list | tuple):
        return [_comparable(item, names, prefix) for item in value]
    if isinstance(value, str) and prefix in value:

        def named(match: re.Match[str]) -> str:
            place = (match[1], int(match[2]), int(match[3]))
            return names.get(place, "a position where nothing stands")

        return _POSITION.sub(named, value).replace(prefix, "")
    return value


def _told(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Return the parts that differ, as canonical JSON."""
    parts = [
        f"{key} is {_json(one.get(key))}, undisturbed {_json(other.get(key))}"
        for key in one.keys() | other.keys()
        if one.get(key) != other.get(key)
    ]
    return "; ".join(sorted(parts))


def _json(value: Any) -> str:
    return canonical_json(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | bool | None) else str(value)


@dataclass(frozen=True, slots=True)
class Woken:
    """One that was frozen until others had answered all that stood before these offsets."""

    instance: str
    ends: Mapping[Place, int]


def answered_too_late(log: Log, woken: Iterable[Woken]) -> list[str]:
    """Return what a woken one wrote, from then on, of what others had answered meanwhile."""
    found = []
    for each in woken:
        for seen in log.seen:
            event = seen.event
            end = each.ends.get(seen.place, 0)
            is_its = event.service == "decider" and event.instance == each.instance
            if is_its and seen.offset >= end and event.cause and event.cause.offset < end:
                found.append(
                    f"{each.instance} woke and wrote {event.TYPE} at {seen.topic}/{seen.partition}/{seen.offset}"
                )
    return found
