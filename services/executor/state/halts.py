"""Which halts are in force, folded from operators' acts, and which acts await an answer. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tradetrail.events.generated import OperatorAct, OperatorActed
from tradetrail.operator_acts import EVERYTHING, HALTING, cancels_open


@dataclass(frozen=True, slots=True)
class Halt:
    """A halt in force: by which act, who gave it, why, and whether open orders are to be cancelled. UTC."""

    scope: str
    act_id: str
    operator: str
    why: str
    since: datetime
    cancels_open: bool

    def covers(self, symbol: str, strategy_name: str) -> bool:
        """Tell whether it stops an order."""
        return self.scope in _candidates(symbol, strategy_name)


@dataclass(slots=True)
class Halts:
    """Halted scopes: ``everything``, ``symbol:AAPL``, ``strategy:Name``; a bare name halts a symbol or strategy.

    ``asked`` holds halts and resumes with their offsets, oldest first, until they are answered; ``to_reconcile`` what
    asks for a reconciliation. The same act again changes nothing, and is asked again.
    """

    in_force: dict[str, Halt] = field(default_factory=dict)
    asked: deque[tuple[int, OperatorActed]] = field(default_factory=deque)
    to_reconcile: deque[tuple[int, OperatorActed]] = field(default_factory=deque)
    _seen: set[str] = field(default_factory=set)

    @property
    def scopes(self) -> set[str]:
        """Return what is halted."""
        return set(self.in_force)

    def fold(self, event: OperatorActed, offset: int = 0) -> None:
        """Take in an act of the control topic; resuming everything lifts every halt."""
        if event.act is OperatorAct.RECONCILE:
            self.to_reconcile.append((offset, event))
        if event.act in HALTING:
            self.asked.append((offset, event))
        if event.event_id in self._seen:
            return
        self._seen.add(event.event_id)
        if event.act is OperatorAct.HALT:
            self.in_force[event.scope] = _halt(event, self.in_force.get(event.scope))
        elif event.act is OperatorAct.RESUME and event.scope == EVERYTHING:
            self.in_force.clear()
        elif event.act is OperatorAct.RESUME:
            self.in_force.pop(event.scope, None)

    def stops(self, symbol: str, strategy_name: str) -> str | None:
        """Return the halted scope that stops an order, or None."""
        return next(
            (scope for scope in _candidates(symbol, strategy_name) if scope in self.in_force), None
        )

    def cancelling(self) -> list[Halt]:
        """Return the halts in force under which open orders are cancelled."""
        return [halt for halt in self.in_force.values() if halt.cancels_open]

    def told(self) -> dict[str, str]:
        """Return what is halted, by whom, since when and why."""
        return {
            scope: f"{halt.operator}, {halt.since.isoformat()}: {halt.why}"
            for scope, halt in sorted(self.in_force.items())
        }

    def drop(self, is_answered: Callable[[int], bool]) -> None:
        """Forget acts from the front that were answered already, or asked of others."""
        for queue in (self.asked, self.to_reconcile):
            while queue and is_answered(queue[0][0]):
                queue.popleft()


def _halt(event: OperatorActed, before: Halt | None) -> Halt:
    """Return the halt an act makes; one that asks for cancellation keeps asking until it is lifted."""
    if before is not None and before.cancels_open and not cancels_open(event):
        return before
    return Halt(
        event.scope,
        event.event_id,
        event.operator,
        event.why,
        event.occurred_at,
        cancels_open(event),
    )


def _candidates(symbol: str, strategy_name: str) -> tuple[str, ...]:
    return (
        EVERYTHING,
        f"symbol:{symbol}",
        f"strategy:{strategy_name}",
        symbol,
        strategy_name,
    )
