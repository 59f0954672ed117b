"""A log of a test's own on the real servers."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tradetrail.log.codec import Codec
from tradetrail.log.provision import provision
from tradetrail.settings import SharedSettings


def fresh_log(stack: Any) -> SharedSettings:
    """Make topics under a prefix of their own and register the schemas; return the settings that name them."""
    addresses = stack.addresses
    settings = SharedSettings(
        kafka=addresses.kafka,
        registry_url=addresses.registry_url,
        topic_prefix=f"t{uuid4().hex[:8]}.",
        instance="test",
    )
    provision(settings, Codec(settings.registry_url))
    return settings
