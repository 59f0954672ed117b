"""What the decider remembers: the look-back of every symbol of its partitions, folded from the log.

The live service and a replay fold the same events through it, so that both see the same views. What a view holds is a
function of the log alone (``symbol_state``); decided here is what has to be read and kept for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.decider.event_head import occurred_at
from services.decider.manual_acts import ManualTrigger
from services.decider.symbol_state import SymbolState, Unreadable
from services.decider.view import Trigger, View
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
from tradetrail.log.reader import Place, Received, end_offsets, read_range
from tradetrail.settings import SharedSettings

# The rest of a symbol's events say nothing that a view holds.
_FOLDED = frozenset(
    {DisclosureRecorded.TYPE, DisclosureWithdrawn.TYPE, SymbolDataReady.TYPE, DecisionMade.TYPE}
)
# A person's act asks for an answer, but no view holds anything of it.
_READ = _FOLDED | {OperatorActed.TYPE}
# Clocks of several producers differ: within a partition a later event occurred at most half of this before an earlier
# one. What is that much older than the look-back is neither read nor kept.
CLOCK_MARGIN = timedelta(days=1)


@dataclass(slots=True)
class _Partition:
    """The states of one partition. ``undated`` stand in its symbols too: nothing told yet when they were."""

    symbols: dict[str, SymbolState] = field(default_factory=dict)
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

    def begin(self, places: Iterable[Place]) -> None:
        """Begin these partitions with nothing seen of them."""
        self._partitions.update({place: _Partition() for place in places})

    def take(self, committed: dict[Place, int]) -> None:
        """Fold each partition up to its committed offset, and the decisions already made beyond it.

        A decision counts from its trigger's offset on, wherever its own event stands: those of triggers before the
        committed offset may stand after it.
        """
        self.begin(committed)
        # To the high watermark: an answer of ours whose transaction is only just ending must not be missed.
        ends = end_offsets(self._shared, committed, committed_only=False)
        for message in read_range(self._shared, dict.fromkeys(committed, 0), ends):
            entry = read_entry(self._codec, message)
            if message.offset < committed[message.place]:
                self.fold(entry)
            elif entry.decoded is not None and isinstance(entry.decoded.event, DecisionMade):
                decision = entry.decoded.event
                if decision.cause and decision.cause.offset < committed[message.place]:
                    self.mark_acted(message.place, decision.symbol or "", decision)

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
            return self._state(partition, symbol).ask(event, where, symbol)
        if event.symbol is None:
            return None
        trigger = self._state(partition, event.symbol).fold(event, where)
        if trigger is not None:
            self._prune(partition, trigger.occurred_at)
        return trigger

    def saw(self, message: Received) -> None:
        """Let an event, of whatever type, date those before it that can't be read and don't tell."""
        partition = self._partitions[message.place]
        if partition.undated and (at := occurred_at(message.value)) is not None:
            for unreadable in partition.undated:
                unreadable.at = at
            partition.undated.clear()

    def view(self, place: Place, trigger: Trigger, strategy: str) -> View:
        """Return what ``strategy`` may see of the trigger's symbol, through the trigger's offset.

        Whatever was folded since changes nothing.
        """
        return self._state(self._partitions[place], trigger.symbol).view(strategy, trigger)

    def mark_acted(self, place: Place, symbol: str, decision: DecisionMade) -> None:
        """Remember that a decision's records set off a trade; a repeat changes nothing."""
        self._state(self._partitions[place], symbol).mark_acted(decision)

    @property
    def symbol_count(self) -> int:
        """Return how many symbols there is something of."""
        return sum(len(partition.symbols) for partition in self._partitions.values())

    def _state(self, partition: _Partition, symbol: str) -> SymbolState:
        found = partition.symbols.get(symbol)
        if found is None:
            found = partition.symbols[symbol] = SymbolState(self._lookback)
        return found

    def _fold_unreadable(
        self, partition: _Partition, message: Received, bad: BadEvent | None
    ) -> None:
        """Make the symbol's views incomplete, unless the event is of a type that they hold nothing of."""
        if self._is_of_no_interest(message):
            return
        at = occurred_at(message.value)
        where = f"{message.topic}/{message.partition}/{message.offset}"
        text = f"the event at {where} can't be read: {bad}"
        unreadable = Unreadable(at, message.offset, text)
        # The key names the symbol even when the body can't be read.
        self._state(partition, _symbol_of(message)).unreadable.append(unreadable)
        if at is None:
            partition.undated.append(unreadable)

    def _is_of_no_interest(self, message: Received) -> bool:
        try:
            type_name = self._codec.type_name(message.value)
        except BadEvent:
            return False
        return type_name in CATALOGUE and type_name not in _FOLDED

    def _prune(self, partition: _Partition, now: datetime) -> None:
        """Drop what no later view reaches, once a day of the partition's own time."""
        if partition.pruned_at is not None and now - partition.pruned_at < CLOCK_MARGIN:
            return
        partition.pruned_at = now
        for symbol, state in list(partition.symbols.items()):
            state.prune(now - self._lookback - CLOCK_MARGIN)
            if state.is_empty:
                del partition.symbols[symbol]


def _symbol_of(message: Received) -> str:
    return (message.key or b"").decode(errors="replace")
