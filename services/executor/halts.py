"""Which halts are in force, folded from operators' acts. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from tradetrail.events.generated import OperatorAct, OperatorActed

EVERYTHING = "everything"


@dataclass(slots=True)
class Halts:
    """Halted scopes: ``everything``, ``symbol:AAPL``, ``strategy:Name``; a bare name halts a symbol or strategy."""

    scopes: set[str] = field(default_factory=set)

    def fold(self, event: OperatorActed) -> None:
        """Take in a halt or resume; resuming everything lifts every halt."""
        if event.act is OperatorAct.HALT:
            self.scopes.add(event.scope)
        elif event.act is OperatorAct.RESUME and event.scope == EVERYTHING:
            self.scopes.clear()
        elif event.act is OperatorAct.RESUME:
            self.scopes.discard(event.scope)

    def stops(self, symbol: str, strategy_name: str) -> str | None:
        """Return the halted scope that stops an order, or None."""
        candidates = (
            EVERYTHING,
            f"symbol:{symbol}",
            f"strategy:{strategy_name}",
            symbol,
            strategy_name,
        )
        return next((scope for scope in candidates if scope in self.scopes), None)
