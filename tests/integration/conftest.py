"""Fixtures on the real servers: a fresh log per test, under a prefix of its own."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tradetrail.log.codec import Codec
from tradetrail.log.provision import provision
from tradetrail.settings import SharedSettings


@pytest.fixture
def log(stack: object) -> SharedSettings:
    """Return the settings of a log that only this test uses, topics made and schemas registered."""
    addresses = stack.addresses  # type: ignore[attr-defined]
    settings = SharedSettings(
        kafka=addresses.kafka,
        registry_url=addresses.registry_url,
        topic_prefix=f"t{uuid4().hex[:8]}.",
        instance="test",
    )
    provision(settings, Codec(settings.registry_url))
    return settings
