"""What a what-if changes: thresholds by name, a strategy that was not on, another version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from services.decider.catalogue import available
from services.decider.replay.asked import Asked, Override
from services.decider.replay.configurations import (
    SCOPE,
    Configurations,
    NotRunnable,
    released,
    said,
    sealed,
)
from services.decider.settings import DeciderSettings
from services.decider.signals.signal import Strategy
from tradetrail.errors import UsageError
from tradetrail.manual_orders import STRATEGY as MANUAL

# What else is among the decider's settings decides nothing once market and portfolio are recorded.
DECIDER_THRESHOLDS = ("position_fraction", "lookback_days")

_S = TypeVar("_S", bound=BaseSettings)


@dataclass(frozen=True, slots=True)
class Changed:
    """A configuration as the what-if has it: the decider's settings and the strategies that run, by name."""

    settings: DeciderSettings
    strategies: Mapping[str, Strategy]


class Changes:
    """Turns recorded configurations into those of the what-if, each once."""

    def __init__(self, asked: Asked, configurations: Configurations) -> None:
        """Change what was ``asked`` for, which ``check_names`` has found to be there."""
        self._asked = asked
        self._configurations = configurations
        self._changed: dict[str, Changed] = {}

    @property
    def is_whatif(self) -> bool:
        """Tell whether anything is other than recorded: a threshold, a version, or a strategy that was never on."""
        asked = self._asked
        if asked.overrides or asked.version is not None:
            return True
        if asked.strategy in (None, MANUAL):
            return False
        return not self._configurations.names(asked.strategy)

    def of(self, digest: str) -> Changed:
        """Return a recorded configuration, changed. Raises NotRunnable, and UsageError for a value out of bounds."""
        if digest not in self._changed:
            recorded = self._configurations.recorded(digest)
            settings = self._settings(recorded.settings)
            names = [name for name in recorded.versions if self._asked.wants(name)]
            if self._asked.strategy is not None and not names:
                names = [self._asked.strategy]
            strategies = {name: self._strategy(digest, name) for name in names}
            self._changed[digest] = Changed(settings, strategies)
        return self._changed[digest]

    def check(self) -> set[int]:
        """Make every recorded configuration, so that a wrong value is told at once; return the look-backs, days."""
        lookbacks = set()
        for digest in self._configurations.hashes:
            try:
                lookbacks.add(self.of(digest).settings.lookback_days)
            except NotRunnable:
                continue
        return lookbacks

    def _settings(self, recorded: DeciderSettings) -> DeciderSettings:
        values = {name: getattr(recorded, name) for name in type(recorded).model_fields}
        for override in self._asked.overrides:
            if self._concerns_decider(override):
                values[override.name] = _value(override.text)
        return _made(DeciderSettings, values, SCOPE)

    def _strategy(self, digest: str, name: str) -> Strategy:
        recorded = self._configurations.recorded(digest)
        version = self._asked.version or recorded.versions.get(name) or available()[name].version
        if version == recorded.versions.get(name):
            # Nothing of a version that was on may be left to a default.
            self._configurations.strategy(digest, name, version)
        kind = released(name, version)
        # A strategy that was off, and a threshold that only the other version has, are as they come.
        values = {
            each: field.get_default() for each, field in kind.settings_type.model_fields.items()
        }
        thresholds = recorded.thresholds.get(name, {})
        values |= {each: value for each, value in thresholds.items() if each in values}
        for override in self._asked.overrides:
            if override.owner in (None, name) and override.name in values:
                values[override.name] = _value(override.text)
        strategy: Strategy = kind(_made(kind.settings_type, values, name))
        return strategy

    def _concerns_decider(self, override: Override) -> bool:
        if override.owner is not None:
            return override.owner == SCOPE
        # A name that strategies have too means theirs.
        kinds = chosen(self._asked).values()
        return not any(override.name in kind.settings_type.model_fields for kind in kinds)


def check_names(asked: Asked) -> None:
    """Raise UsageError for a strategy, version or threshold that there is not, with those there are."""
    kinds = chosen(asked)
    for override in asked.overrides:
        owners: dict[str, Iterable[str]] = {SCOPE: DECIDER_THRESHOLDS}
        owners |= {name: kind.settings_type.model_fields for name, kind in kinds.items()}
        if override.owner is not None:
            owners = {override.owner: owners.get(override.owner, ())}
        if not any(override.name in names for names in owners.values()):
            asked_for = f"{override.owner}.{override.name}" if override.owner else override.name
            raise UsageError(
                f"there is no threshold {asked_for!r} here; there are:\n{listed(kinds)}"
            )


def chosen(asked: Asked) -> dict[str, Any]:
    """Return the class of each strategy that is asked for. Raises UsageError for one that there is not."""
    if asked.strategy == MANUAL and not asked.overrides and asked.version is None:
        return {}
    if asked.strategy is not None:
        try:
            version = asked.version or available()[asked.strategy].version
            return {asked.strategy: released(asked.strategy, version)}
        except (KeyError, NotRunnable) as error:
            reason = str(error) if isinstance(error, NotRunnable) else f"no {asked.strategy}"
            raise UsageError(f"{reason}; the strategies are {sorted(available())}") from error
    if asked.version is not None:
        raise UsageError("--strategy-version goes with --strategy NAME: name whose version it is")
    return available()


def listed(kinds: Mapping[str, Any]) -> str:
    """Return every threshold with what it means and its unit, a line each."""
    lines = [
        f"  {SCOPE}.{name}: {DeciderSettings.model_fields[name].description}"
        for name in DECIDER_THRESHOLDS
    ]
    for owner, kind in sorted(kinds.items()):
        fields = kind.settings_type.model_fields.items()
        lines += [f"  {owner}.{name}: {field.description}" for name, field in fields]
    return "\n".join(lines)


def _value(text: str) -> Any:
    """Return a value as typed; one of several parts is JSON."""
    if not text.startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _made(kind: type[_S], values: Mapping[str, Any], owner: str) -> _S:
    """Return settings of these values, every one of them given. Raises UsageError for one out of bounds."""
    try:
        return sealed(kind, values)
    except ValidationError as error:
        wrong = {str(each) for e in error.errors() for each in e["loc"]}
        meant = [
            f"{owner}.{name}: {field.description}"
            for name, field in kind.model_fields.items()
            if name in wrong
        ]
        raise UsageError("; ".join([f"{owner}: {said(error)}", *meant])) from error
