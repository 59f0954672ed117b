"""Small events for tests of the log itself."""

from __future__ import annotations

from datetime import UTC, datetime

from tradetrail.events.generated import Cause, ConfigurationRecorded
from tradetrail.ids import derive_id


def configuration_recorded(
    scope: str, cause: Cause | None = None, symbol: str | None = None
) -> ConfigurationRecorded:
    """Return an event whose scope says what a test wants it to say."""
    return ConfigurationRecorded(
        event_id=str(
            derive_id("test", scope, cause and (cause.topic, cause.partition, cause.offset))
        ),
        occurred_at=datetime(2024, 1, 2, tzinfo=UTC),
        service="test",
        service_version="0",
        instance="test",
        cause=cause,
        symbol=symbol,
        configuration_hash="0",
        scope=scope,
        configuration="{}",
    )
