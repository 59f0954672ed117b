"""Asks the broker for an accepted order that a person settles: its answers are the evidence that it has lost it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from services.executor.broker.looking import Seen
from services.executor.broker.outcomes import Away
from services.executor.broker.searching import look_everywhere
from services.executor.recording.desk import Desk
from services.executor.state.book import Execution
from services.executor.state.entries import State


@dataclass(frozen=True, slots=True)
class _Brought:
    """What an inquiry brought, and what the log said of the order when it began."""

    state: State
    seen: Seen


class Inquirer:
    """Inquires for one act at a time each; trouble with the broker begins it anew."""

    def __init__(self, desk: Desk) -> None:
        """Work at ``desk``."""
        self._desk = desk
        self._brought: dict[str, _Brought] = {}

    def step(self, act_id: str, execution: Execution) -> Seen | None:
        """Do what is due for an act; return, once, what the broker says: never Away, never older than the log."""
        desk = self._desk
        brought = self._brought.pop(act_id, None)
        if brought is not None and brought.state == execution.state:
            return brought.seen
        if desk.pace.is_open:
            desk.lanes.ask(
                execution.execution_id,
                partial(look_everywhere, execution=execution, heard=desk.heard),
                partial(self._ended, act_id, execution.state),
            )
        return None

    def _ended(self, act_id: str, state: State, seen: Seen) -> None:
        pace = self._desk.pace
        if isinstance(seen.answer, Away):
            pace.failed(seen.answer.reason, seen.answer.call)
            return
        for call, _ in seen.calls:
            pace.heard(call)
        self._brought[act_id] = _Brought(state, seen)
