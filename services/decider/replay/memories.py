"""The decider's memory, once for each look-back that a configuration names: views differ by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from services.decider.views.manual_acts import ManualTrigger
from services.decider.views.memory import Memory
from services.decider.views.view import Trigger, View
from tradetrail.events.generated import DecisionMade
from tradetrail.log.entry import Entry
from tradetrail.log.reader import Place, Received


class Memories:
    """Memories that fold the same events; as many as look-backs, which are seldom more than one."""

    def __init__(self, make: Callable[[int], Memory], lookbacks_days: Iterable[int]) -> None:
        """Keep a memory, made by ``make``, for each of these look-backs, days."""
        self._memories = {days: make(days) for days in sorted(set(lookbacks_days))}

    def begin(self, place: Place) -> None:
        """Begin a partition with nothing seen of it."""
        for memory in self._memories.values():
            memory.begin([place])

    def forget(self, place: Place) -> None:
        """Drop what is kept of a partition."""
        for memory in self._memories.values():
            memory.forget([place])

    def fold(self, entry: Entry) -> Mapping[int, Trigger | ManualTrigger]:
        """Take one event in log order; return the trigger by look-back when it is one, else nothing."""
        found = {days: memory.fold(entry) for days, memory in self._memories.items()}
        return {days: trigger for days, trigger in found.items() if trigger is not None}

    def saw(self, message: Received) -> None:
        """Let an event that is not folded date those before it that can't be read."""
        for memory in self._memories.values():
            memory.saw(message)

    def view(self, days: int, place: Place, trigger: Trigger, strategy: str) -> View:
        """Return what ``strategy`` may see on ``trigger`` with a look-back of ``days`` days."""
        return self._memories[days].view(place, trigger, strategy)

    def mark_acted(self, place: Place, symbol: str, decision: DecisionMade) -> None:
        """Remember that a decision's records set off a trade."""
        for memory in self._memories.values():
            memory.mark_acted(place, symbol, decision)
