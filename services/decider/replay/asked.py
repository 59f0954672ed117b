"""What a person asks a replay for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from tradetrail.reports.period import since_until


@dataclass(frozen=True, slots=True)
class Override:
    """A threshold with another value; ``owner`` is a strategy or ``decider``, None for whoever has it."""

    owner: str | None
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Which triggers (by their New York day), of which symbol, answered by which strategy, and what is to be other."""

    first: date | None = None
    last: date | None = None
    symbol: str | None = None
    strategy: str | None = None
    version: str | None = None
    overrides: tuple[Override, ...] = ()
    since: datetime | None = field(init=False)
    until: datetime | None = field(init=False)

    def __post_init__(self) -> None:
        """Find the period's instants. Raises UsageError for a period that makes no sense."""
        since, until = since_until(self.first, self.last)
        object.__setattr__(self, "since", since)
        object.__setattr__(self, "until", until)

    def holds(self, instant: datetime) -> bool:
        """Tell whether an instant lies in the period."""
        return (self.since is None or self.since <= instant) and (
            self.until is None or instant < self.until
        )

    def wants(self, strategy: str) -> bool:
        """Tell whether a strategy's answers are asked for."""
        return self.strategy is None or self.strategy == strategy
