"""What the decider remembers: the running state of every symbol of its partitions, folded from the log.

The live service and a replay fold the same events through it, so that both see the same views.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.decider.view import SymbolState, Trigger, View, triggering_records
from tradetrail.events.generated import (
    Cause,
    DecisionMade,
    DisclosureRecorded,
    DisclosureWithdrawn,
    SymbolDataReady,
)
from tradetrail.log.codec import Codec
from tradetrail.log.entry import Entry, read_entry
from tradetrail.log.reader import Place, end_offsets, read_range
from tradetrail.settings import SharedSettings

# The rest of a symbol's events say nothing that a view holds.
_FOLDED = frozenset(
    {DisclosureRecorded.TYPE, DisclosureWithdrawn.TYPE, SymbolDataReady.TYPE, DecisionMade.TYPE}
)


class Memory:
    """The states of some partitions. Used by one thread."""

    def __init__(self, shared: SharedSettings, codec: Codec) -> None:
        """Begin without any partition."""
        self._shared = shared
        self._codec = codec
        self._states: dict[Place, dict[str, SymbolState]] = {}

    def begin(self, places: Iterable[Place]) -> None:
        """Begin these partitions with nothing seen of them."""
        self._states.update({place: {} for place in places})

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
            self._states.pop(place, None)

    def fold(self, entry: Entry) -> Trigger | None:
        """Take one event in log order; return the trigger when it is one."""
        message = entry.message
        if entry.decoded is None:
            # The key names the symbol even when the body can't be read.
            symbol = (message.key or b"").decode(errors="replace")
            where = f"{message.topic}/{message.partition}/{message.offset}"
            state = self._state(message.place, symbol)
            state.incomplete = f"the event at {where} can't be read: {entry.bad}"
            return None
        if entry.decoded.type_name not in _FOLDED:
            return None
        event = entry.decoded.event
        if event.symbol is None:
            return None
        place = Cause(
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            event_id=event.event_id,
        )
        return self._state(message.place, event.symbol).fold(event, place)

    def view(self, place: Place, trigger: Trigger, strategy: str) -> View:
        """Return what ``strategy`` may see of the trigger's symbol, as folded so far."""
        return self._state(place, trigger.symbol).view(strategy)

    def mark_acted(self, place: Place, symbol: str, decision: DecisionMade) -> None:
        """Remember that a decision's records set off a trade; a repeat changes nothing."""
        records: Iterable[str] = triggering_records(decision)
        self._state(place, symbol).mark_acted(decision.strategy_name, records)

    def _state(self, place: Place, symbol: str) -> SymbolState:
        return self._states[place].setdefault(symbol, SymbolState())
