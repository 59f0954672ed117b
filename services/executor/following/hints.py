"""Hints of the stream, sorted: which of our orders to look at, which are not ours. Monotonic seconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.executor.following.mute import MuteWatch
from services.executor.following.stream import Hint
from services.executor.recording.desk import Desk
from services.executor.state.book import Execution

# Hinted orders that wait to be looked at; more, and everything is looked at instead.
HINTED_MAX = 10_000
# An order can be told of before its POST is answered; after this (POSTs have 10 s) it is none of ours.
STRANGER_AFTER_S = 15.0
_TIDY_EVERY_S = 1.0


class Hints:
    """What the stream told, until it was looked at."""

    def __init__(self, desk: Desk, watch: MuteWatch) -> None:
        """Tell ``desk`` of fills and ``watch`` that the stream speaks."""
        self._desk = desk
        self._watch = watch
        self._hinted_at: dict[str, float] = {}
        self._tidied_at = 0.0
        self.strangers: set[str] = set()
        """Orders that are not in the book: whoever looks them up takes them from here."""

    def take(self, hints: Sequence[Hint], followed: Iterable[Execution], at: float) -> bool:
        """Take hints in; return whether everything is to be looked at."""
        is_all = False
        ours = {each.broker_order_id: each for each in followed} if hints else {}
        for hint in hints:
            if hint.order_id is None:
                is_all = True
                continue
            self._watch.told(hint.order_id, at)
            if hint.fill is not None:
                self._desk.hear(hint.fill)
            execution = ours.get(hint.order_id)
            if execution is None or not _is_known(execution, hint):
                self._hinted_at.setdefault(hint.order_id, at)
        if len(self._hinted_at) > HINTED_MAX:
            self._hinted_at.clear()
            return True
        self._tidy(at)
        return is_all

    def among(self, followed: Iterable[Execution]) -> list[Execution]:
        """Return those of ``followed`` that a hint names."""
        if not self._hinted_at:
            return []
        return [each for each in followed if each.broker_order_id in self._hinted_at]

    def looking_at(self, execution: Execution) -> None:
        """Take note that a look begins: a hint from here on asks for another one."""
        self._hinted_at.pop(execution.broker_order_id or "", None)

    def _tidy(self, at: float) -> None:
        """Sort out, now and then, hints that name no open order of ours."""
        if at - self._tidied_at < _TIDY_EVERY_S:
            return
        self._tidied_at = at
        old = [each for each, since in self._hinted_at.items() if at - since > STRANGER_AFTER_S]
        if not old:
            return
        executions = self._desk.book.executions.values()
        open_ids = {e.broker_order_id for e in self._desk.book.open.values()}
        known = {each.broker_order_id for each in executions}
        for order_id in old:
            if order_id not in open_ids:
                del self._hinted_at[order_id]
            if order_id not in known:
                self.strangers.add(order_id)


def _is_known(execution: Execution, hint: Hint) -> bool:
    """Tell whether a hint says what is recorded already: a repetition, or the echo of a poll."""
    return hint.status == execution.broker_status and hint.filled_qty == execution.filled_qty_total
