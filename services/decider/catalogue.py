"""The strategies that can run, by name: every file of ``strategies`` gives one. A new one is one new file.

Earlier versions, which only replays run, are the files of ``strategies.released``.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from services.decider import strategies
from services.decider.signals.signal import Strategy
from services.decider.strategies import released as earlier
from tradetrail.errors import Fatal, UsageError
from tradetrail.settings import load


@cache
def available() -> dict[str, Any]:
    """Return the class of each strategy by its name. Raises Fatal for a file without one and a name that two share."""
    found: dict[str, Any] = {}
    for module, kind in _kinds_in(strategies):
        if kind.name in found:
            raise Fatal(f"{module} is a second {kind.name}: rename one")
        found[kind.name] = kind
    return found


@cache
def versions() -> dict[tuple[str, str], Any]:
    """Return every class by name and version, present and earlier ones. Raises Fatal when two share both."""
    found: dict[tuple[str, str], Any] = {}
    for module, kind in (*_kinds_in(strategies), *_kinds_in(earlier)):
        if (kind.name, kind.version) in found:
            raise Fatal(f"{module} is a second {kind.name} {kind.version}: number one of them anew")
        found[kind.name, kind.version] = kind
    return found


def released(name: str, version: str) -> Any:
    """Return the class of a version of a strategy, to replay what it decided. Raises UsageError for an unknown one."""
    if (name, version) in versions():
        return versions()[name, version]
    known = sorted(number for each, number in versions() if each == name)
    if known:
        raise UsageError(f"there is no {name} {version}; its versions here are {', '.join(known)}")
    names = sorted({each for each, _ in versions()})
    raise UsageError(f"there is no strategy {name}; there are {', '.join(names)}")


def _kinds_in(package: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield each module's path and the class it names, in the order of the modules."""
    modules = (info for info in pkgutil.iter_modules(package.__path__) if not info.ispkg)
    for module in sorted(info.name for info in modules):
        dotted = f"{package.__name__}.{module}"
        path = f"{dotted.replace('.', '/')}.py"
        kind = getattr(import_module(dotted), "STRATEGY", None)
        if kind is None:
            raise Fatal(f"{path} names no STRATEGY: let it, or move it")
        yield path, kind


def strategies_named(names: Sequence[str]) -> list[Strategy]:
    """Return the strategies of these names, each under its configuration; UsageError for an unknown name."""
    kinds = available()
    if unknown := [name for name in names if name not in kinds]:
        raise UsageError(f"unknown strategies {unknown}; there are {sorted(kinds)}")
    if len(set(names)) < len(names):
        raise UsageError(f"a strategy stands twice in TRADETRAIL_DECIDER_STRATEGIES: {list(names)}")
    return [kinds[name](load(kinds[name].settings_type)) for name in names]
