"""The configurations that decisions were made under: every setting from the record, none from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from services.decider import catalogue
from services.decider.settings import DeciderSettings
from services.decider.signals.signal import Strategy
from tradetrail.errors import Poison, UsageError
from tradetrail.events.generated import ConfigurationRecorded
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.reader import read_all
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings, configuration_hash

SCOPE = "decider"
# The decider's settings that no decision depends on once its context is recorded: a record may lack them.
UNDECIDING = frozenset({"context_wait_s", "rate_limit_reserve", "die_at"})

_S = TypeVar("_S", bound=BaseSettings)


class NotRunnable(Poison):
    """A decision can't be made again: its configuration or its strategy's version is not to be had."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded configuration of the decider: its settings, and each strategy's version and settings by name."""

    settings: DeciderSettings
    versions: Mapping[str, str]
    thresholds: Mapping[str, Mapping[str, Any]]


class Configurations:
    """The recorded configurations by hash, each read once."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Know these configurations: JSON as recorded, by hash, in the order of the log."""
        self._texts = dict(texts)
        self._read: dict[str, Recorded | NotRunnable] = {}
        self._strategies: dict[tuple[str, str, str], Strategy] = {}

    @property
    def hashes(self) -> tuple[str, ...]:
        """Return the hashes of all of them; the last recorded comes last."""
        return tuple(self._texts)

    def lookbacks_days(self) -> set[int]:
        """Return the look-backs of all that can be read."""
        return {each.settings.lookback_days for each in self._readable()}

    def names(self, strategy: str) -> bool:
        """Tell whether any configuration that can be read has a strategy on."""
        return any(strategy in each.versions for each in self._readable())

    def _readable(self) -> Iterator[Recorded]:
        for digest in self._texts:
            try:
                yield self.recorded(digest)
            except NotRunnable:
                continue

    def recorded(self, digest: str) -> Recorded:
        """Return the configuration of this hash. Raises NotRunnable when it is absent, altered or incomplete."""
        if digest not in self._read:
            try:
                self._read[digest] = self._parse(digest)
            except NotRunnable as error:
                self._read[digest] = error
        found = self._read[digest]
        if isinstance(found, NotRunnable):
            raise found
        return found

    def strategy(self, digest: str, name: str, version: str) -> Strategy:
        """Return a strategy's version with the settings that this configuration gave it. Raises NotRunnable."""
        key = (digest, name, version)
        if key not in self._strategies:
            thresholds = self.recorded(digest).thresholds.get(name)
            if thresholds is None:
                raise NotRunnable(f"configuration {digest[:12]} has no strategy {name}")
            kind = released(name, version)
            settings = exact(kind.settings_type, thresholds, f"{name} in {digest[:12]}")
            self._strategies[key] = kind(settings)
        return self._strategies[key]

    def _parse(self, digest: str) -> Recorded:
        text = self._texts.get(digest)
        if text is None:
            raise NotRunnable(
                f"configuration {digest[:12]} is not recorded on the control topic of this log"
            )
        content = json.loads(text)
        if configuration_hash(content) != digest:
            raise NotRunnable(
                f"what is recorded as configuration {digest[:12]} has another hash: it was altered"
            )
        strategies = content.get("strategies")
        if not isinstance(strategies, dict):
            raise NotRunnable(f"configuration {digest[:12]} does not say which strategies were on")
        as_they_come = {n: f.get_default() for n, f in DeciderSettings.model_fields.items()}
        values = {n: value for n, value in as_they_come.items() if n in UNDECIDING}
        values |= {**content, "strategies": tuple(strategies)}
        return Recorded(
            exact(DeciderSettings, values, f"the decider in {digest[:12]}"),
            {name: str(each.get("version")) for name, each in strategies.items()},
            {
                name: {key: value for key, value in each.items() if key != "version"}
                for name, each in strategies.items()
            },
        )


def exact(kind: type[_S], values: Mapping[str, Any], of: str) -> _S:
    """Return settings of exactly these values: what is absent must not come from this process's environment.

    Raises NotRunnable when a setting lacks, is unknown, or has a value that it can't have.
    """
    names = set(kind.model_fields)
    if missing := sorted(names - set(values)):
        raise NotRunnable(f"the recorded settings of {of} lack {', '.join(missing)}")
    if unknown := sorted(set(values) - names):
        raise NotRunnable(
            f"the recorded settings of {of} name {', '.join(unknown)}, which this version does not have"
        )
    try:
        return sealed(kind, values)
    except ValidationError as error:
        raise NotRunnable(f"the recorded settings of {of} are none: {said(error)}") from error


def sealed(kind: type[_S], values: Mapping[str, Any]) -> _S:
    """Return settings of these values alone, also inside a setting of many: the environment adds none.

    Raises ValidationError.
    """
    made: _S = _sealed(kind)(**values)
    return made


@cache
def _sealed(kind: Any) -> Any:
    class Sealed(kind):  # type: ignore[misc]
        @classmethod
        def settings_customise_sources(cls, _: Any, init_settings: Any, **__: Any) -> tuple[Any]:
            return (init_settings,)

    return Sealed


def said(error: ValidationError) -> str:
    """Return what pydantic found wrong, on one line."""
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())


def released(name: str, version: str) -> Any:
    """Return the class of a strategy's released version. Raises NotRunnable when this program does not have it."""
    try:
        return catalogue.released(name, version)
    except UsageError as error:
        raise NotRunnable(str(error)) from error


def read_configurations(shared: SharedSettings, codec: Codec, topics: Topics) -> Configurations:
    """Return every configuration of the decider on the control topic. Raises Retryable while the log is away."""
    texts: dict[str, str] = {}
    for message in read_all(shared, [topics.control]):
        try:
            event = codec.decode(message.value).event
        except BadEvent:
            continue
        if isinstance(event, ConfigurationRecorded) and event.scope == SCOPE:
            texts.pop(event.configuration_hash, None)
            texts[event.configuration_hash] = event.configuration
    return Configurations(texts)
