"""The strategies that can run, by name. A new one is one file in ``strategies`` and its line below."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.decider.signal import Strategy
from services.decider.strategies.congressional import (
    CongressionalSettings,
    CongressionalTradingStrategy,
)
from tradetrail.errors import UsageError
from tradetrail.settings import load

AVAILABLE: dict[str, Callable[[], Strategy]] = {
    CongressionalTradingStrategy.name: lambda: CongressionalTradingStrategy(
        load(CongressionalSettings)
    ),
}


def strategies_named(names: Sequence[str]) -> list[Strategy]:
    """Return the strategies of these names, each under its configuration; UsageError for an unknown name."""
    if unknown := [name for name in names if name not in AVAILABLE]:
        raise UsageError(f"unknown strategies {unknown}; there are {sorted(AVAILABLE)}")
    return [AVAILABLE[name]() for name in names]
