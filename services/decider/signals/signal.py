"""What a strategy answers, and what it must offer. A strategy is pure: no clock, no network, no randomness."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from services.decider.signals.order_shape import OrderSettings
from services.decider.views.view import Disclosure, Trigger, View
from tradetrail.events.generated import DeclineReason, ReferenceFact, RuleResult, Side


@dataclass(frozen=True, slots=True)
class Signal:
    """A strategy's reading of a view. ``decline`` set: no trade comes of it, and ``text`` says why.

    ``strength`` is 0 to 10, ``confidence`` 0 to 1; ``used`` are the records it rests on, in log order, ``facts`` the
    reference facts.
    """

    side: Side | None
    strength: Decimal
    confidence: Decimal
    trigger_event: str
    used: tuple[Disclosure, ...]
    consensus: bool
    rules: tuple[RuleResult, ...]
    decline: DeclineReason | None = None
    text: str = ""
    facts: tuple[ReferenceFact, ...] = ()


class Strategy(Protocol):
    """A strategy: its name and version, which data sources set it off, and its rules as one pure function.

    A class of it also has ``settings_type``, the settings it is made with; a module of ``strategies`` names the class
    ``STRATEGY``. See docs/strategies.md.
    """

    name: str
    version: str
    data_sources: frozenset[str]

    @property
    def order(self) -> OrderSettings:
        """Return what its orders look like."""

    def evaluate(self, view: View, trigger: Trigger) -> Signal:
        """Return the signal of ``view`` as of ``trigger``; the same inputs give the same signal, always."""

    def configuration(self) -> dict[str, Any]:
        """Return every threshold with its value, JSON-ready."""


def rule_result(
    name: str, value: Decimal, threshold: Decimal | None, passed: bool, explanation: str
) -> RuleResult:
    """Return how one rule came out, for the rationale; ``threshold`` is None where none applies."""
    return RuleResult(
        rule=name, value=value, threshold=threshold, passed=passed, explanation=explanation
    )
