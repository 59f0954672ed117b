"""A log of a test's own on the real servers."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import uuid4

from tradetrail.log.codec import Codec
from tradetrail.log.provision import provision
from tradetrail.settings import SharedSettings


class _RegisteredOnce(Codec):
    """Asks the registry once for each schema: schemas are the registry's, which all logs here share, not a log's."""

    def __init__(self, registry_url: str) -> None:
        """Begin with no schema registered."""
        super().__init__(registry_url)
        self._ids: dict[str, int] = {}

    def register(self, type_name: str) -> int:
        """Register the schema at the first log, and return its id."""
        if type_name not in self._ids:
            self._ids[type_name] = super().register(type_name)
        return self._ids[type_name]


def fresh_log(stack: Any) -> SharedSettings:
    """Make topics under a prefix of their own and register the schemas; return the settings that name them."""
    addresses = stack.addresses
    settings = SharedSettings(
        kafka=addresses.kafka,
        registry_url=addresses.registry_url,
        topic_prefix=f"t{uuid4().hex[:8]}.",
        instance="test",
    )
    provision(settings, _codec(settings.registry_url))
    return settings


@cache
def _codec(registry_url: str) -> _RegisteredOnce:
    return _RegisteredOnce(registry_url)
