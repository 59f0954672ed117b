"""The strategies that can run, by name: every file of ``strategies`` gives one. A new one is one new file."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from services.decider import strategies
from services.decider.signal import Strategy
from tradetrail.errors import Fatal, UsageError
from tradetrail.settings import load


@cache
def available() -> dict[str, Any]:
    """Return the class of each strategy by its name. Raises Fatal for a file without one and a name that two share."""
    found: dict[str, Any] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(strategies.__path__)):
        kind = getattr(import_module(f"{strategies.__name__}.{module}"), "STRATEGY", None)
        if kind is None:
            raise Fatal(
                f"services/decider/strategies/{module}.py names no STRATEGY: let it, or move it"
            )
        if kind.name in found:
            raise Fatal(
                f"services/decider/strategies/{module}.py is a second {kind.name}: rename one"
            )
        found[kind.name] = kind
    return found


def strategies_named(names: Sequence[str]) -> list[Strategy]:
    """Return the strategies of these names, each under its configuration; UsageError for an unknown name."""
    kinds = available()
    if unknown := [name for name in names if name not in kinds]:
        raise UsageError(f"unknown strategies {unknown}; there are {sorted(kinds)}")
    if len(set(names)) < len(names):
        raise UsageError(f"a strategy stands twice in TRADETRAIL_DECIDER_STRATEGIES: {list(names)}")
    return [kinds[name](load(kinds[name].settings_type)) for name in names]
