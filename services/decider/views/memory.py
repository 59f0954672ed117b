"""What the decider remembers: the look-back of every symbol of its partitions, folded from the log.

The live service and a replay fold the same events through it, so that both see the same views. What a view holds is a
function of the log alone (``symbol_state``); decided here is what has to be read and kept for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.decider.views.manual_acts import ManualTrigger
from services.decider.views.pending import Kind, Kinds, Pending
from services.decider.views.symbol_state import CLOCK_MARGIN, SymbolState, Unreadable, earlier
from services.decider.views.view import Trigger, View
from tradetrail.events import CATALOGUE
from tradetrail.events.generated import (
    Cause,
    DecisionMade,
    DisclosureRecorded,
    DisclosureWithdrawn,
    OperatorActed,
    SymbolDataReady,
)
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.entry import Entry, read_entry
from tradetrail.log.event_head import occurred_at, occurred_micros
from tradetrail.log.kafka import open_consumer
from tradetrail.log.reader import Place, Received, end_offsets, read_messages
from tradetrail.log.window_start import window_starts
from tradetrail.settings import SharedSettings

# The rest of a symbol's events say nothing that a view holds.
_FOLDED = frozenset(
    {DisclosureRecorded.TYPE, DisclosureWithdrawn.TYPE, SymbolDataReady.TYPE, DecisionMade.TYPE}
)
# A person's act asks for an answer, but no view holds anything of it.
_READ = _FOLDED | {OperatorActed.TYPE}
# The client stops fetching when it holds so much, and by default looks again after a second, long after it is gone.
LONG_READS: dict[str, Any] = {
    "queued.max.messages.kbytes": 16_384,
    "fetch.queue.backoff.ms": 10,
}
# When an event was appended plays no part here.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Partition:
    """The states of one partition. ``undated`` stand in its symbols too: nothing told yet when they were.

    ``pending`` are by key what a start read and nobody asked for yet.
    """

    symbols: dict[str, SymbolState] = field(default_factory=dict)
    pending: dict[bytes, Pending] = field(default_factory=dict)
    undated: list[Unreadable] = field(default_factory=list)
    pruned_at: datetime | None = None


class Memory:
    """The states of some partitions. Used by one thread."""

    def __init__(self, shared: SharedSettings, codec: Codec, lookback_days: int) -> None:
        """Begin without any partition; views hold ``lookback_days`` days before their triggers."""
        self._shared = shared
        self._codec = codec
        self._lookback = timedelta(days=lookback_days)
        self._partitions: dict[Place, _Partition] = {}
        self._kinds = Kinds(codec, _kind_of)

    def begin(self, places: Iterable[Place]) -> None:
        """Begin these partitions with nothing seen of them."""
        self._partitions.update({place: _Partition() for place in places})

    def take(self, committed: dict[Place, int]) -> None:
        """Read the look-back of each partition up to its committed offset, and the decisions already made beyond it.

        A decision counts from its trigger's offset on, wherever its own event stands: those of triggers before the
        committed offset may stand after it. Nothing is decoded before its symbol is asked for.
        """
        self.begin(committed)
        known = {place: offset for place, offset in committed.items() if offset > 0}
        starts = window_starts(self._shared, known, self._lookback + CLOCK_MARGIN)
        # To the high watermark: an answer of ours whose transaction is only just ending must not be missed.
        ends = end_offsets(self._shared, known, committed_only=False)
        consumer = open_consumer(self._shared, **LONG_READS)
        try:
            for place, offset, message in read_messages(consumer, starts, ends):
                is_ahead = offset >= known[place]
                self.keep(place, offset, message.key(), message.value(), is_ahead)
        finally:
            consumer.close()

    def keep(
        self, place: Place, offset: int, key: bytes | None, value: bytes | None, is_ahead: bool
    ) -> None:
        """Keep an event of the look-back undecoded; ``is_ahead`` of what was processed, only a decision.

        Comes in log order, before anything is folded.
        """
        kind = self._kinds.of(value)
        partition = self._partitions[place]
        if is_ahead:
            if kind is not Kind.DECISION:
                return
        else:
            if partition.undated:
                _date(partition, value)
            if kind is Kind.OTHER:
                return
            if kind is Kind.UNREADABLE or occurred_micros(value) is None:
                self.fold(read_entry(self._codec, Received(*place, offset, key, value, _NEVER)))
                return
        pending = partition.pending.get(key or b"")
        if pending is None:
            pending = partition.pending[key or b""] = Pending()
        pending.add(offset, value or b"")

    def forget(self, places: Sequence[Place]) -> None:
        """Drop the states of these partitions."""
        for place in places:
            self._partitions.pop(place, None)

    def fold(self, entry: Entry) -> Trigger | ManualTrigger | None:
        """Take one event in log order; return the trigger when it is one."""
        message = entry.message
        self.saw(message)
        partition = self._partitions[message.place]
        if entry.decoded is None:
            self._fold_unreadable(partition, message, entry.bad)
            return None
        if entry.decoded.type_name not in _READ:
            return None
        event = entry.decoded.event
        where = Cause(
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            event_id=event.event_id,
        )
        if isinstance(event, OperatorActed):
            # Under its key, for there its answer goes, whatever the act itself names.
            symbol = _symbol_of(message)
            return self._state(message.place, symbol).ask(event, where, symbol)
        if event.symbol is None:
            return None
        trigger = self._state(message.place, event.symbol).fold(event, where)
        if trigger is not None:
            self._prune(partition, trigger.occurred_at)
        return trigger

    def saw(self, message: Received) -> None:
        """Let an event, of whatever type, date those before it that can't be read and don't tell."""
        _date(self._partitions[message.place], message.value)

    def view(self, place: Place, trigger: Trigger, strategy: str) -> View:
        """Return what ``strategy`` may see of the trigger's symbol, through the trigger's offset.

        Whatever was folded since changes nothing.
        """
        return self._state(place, trigger.symbol).view(strategy, trigger)

    def mark_acted(self, place: Place, symbol: str, decision: DecisionMade) -> None:
        """Remember that a decision's records set off a trade; a repeat changes nothing."""
        self._state(place, symbol).mark_acted(decision)

    @property
    def symbol_count(self) -> int:
        """Return of how many symbols something is kept."""
        return sum(
            len(p.symbols.keys() | {key.decode(errors="replace") for key in p.pending})
            for p in self._partitions.values()
        )

    @property
    def size(self) -> int:
        """Return how many events are kept, decoded or not."""
        return sum(
            sum(map(len, p.pending.values())) + sum(state.size for state in p.symbols.values())
            for p in self._partitions.values()
        )

    def _state(self, place: Place, symbol: str) -> SymbolState:
        partition = self._partitions[place]
        found = partition.symbols.get(symbol)
        if found is None:
            found = partition.symbols[symbol] = SymbolState(self._lookback)
        pending = partition.pending.pop(symbol.encode(), None)
        if pending is not None:
            self._decode(place, symbol, found, pending)
        return found

    def _decode(self, place: Place, symbol: str, state: SymbolState, pending: Pending) -> None:
        topic, partition = place
        for offset, value in pending.take():
            message = Received(topic, partition, offset, symbol.encode(), value, _NEVER)
            entry = read_entry(self._codec, message)
            if entry.decoded is None:
                self._fold_unreadable(self._partitions[place], message, entry.bad)
                continue
            event = entry.decoded.event
            where = Cause(topic=topic, partition=partition, offset=offset, event_id=event.event_id)
            if isinstance(event, OperatorActed):
                state.ask(event, where, symbol)
            else:
                state.keep(event, where)

    def _fold_unreadable(
        self, partition: _Partition, message: Received, bad: BadEvent | None
    ) -> None:
        """Make the symbol's views incomplete, unless the event is of a type that they hold nothing of."""
        if self._kinds.of(message.value) in (Kind.OTHER, Kind.ASKED):
            return
        at = occurred_at(message.value)
        where = f"{message.topic}/{message.partition}/{message.offset}"
        text = f"the event at {where} can't be read: {bad}"
        unreadable = Unreadable(at, message.offset, text)
        # The key names the symbol even when the body can't be read.
        state = partition.symbols.setdefault(_symbol_of(message), SymbolState(self._lookback))
        state.unreadable.append(unreadable)
        if at is None:
            partition.undated.append(unreadable)

    def _prune(self, partition: _Partition, now: datetime) -> None:
        """Drop what no later view reaches, once a day of the partition's own time."""
        if partition.pruned_at is not None and now - partition.pruned_at < CLOCK_MARGIN:
            return
        partition.pruned_at = now
        before = earlier(now, self._lookback + CLOCK_MARGIN)
        for symbol, state in list(partition.symbols.items()):
            state.prune(before)
            if state.is_empty:
                del partition.symbols[symbol]
        for key, pending in list(partition.pending.items()):
            pending.prune(before)
            if not pending:
                del partition.pending[key]


def _symbol_of(message: Received) -> str:
    return (message.key or b"").decode(errors="replace")


def _kind_of(type_name: str) -> Kind:
    if type_name == DecisionMade.TYPE:
        return Kind.DECISION
    if type_name == OperatorActed.TYPE:
        return Kind.ASKED
    if type_name in _FOLDED:
        return Kind.FOLDED
    return Kind.OTHER if type_name in CATALOGUE else Kind.UNREADABLE


def _date(partition: _Partition, value: bytes | None) -> None:
    """Let an event whose first bytes can be read tell when those before it were that can't."""
    if partition.undated and (at := occurred_at(value)) is not None:
        for unreadable in partition.undated:
            unreadable.at = at
        partition.undated.clear()
