"""Configurations as recorded facts: whole, without secrets, before the first act under them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tradetrail.events.generated import ConfigurationRecorded
from tradetrail.ids import derive_id
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.reader import read_all
from tradetrail.log.stamp import Stamp as Stamp
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings, canonical_json, configuration_hash


def record_configuration(
    producer: EventProducer, topics: Topics, stamp: Stamp, now: datetime, content: dict[str, Any]
) -> str:
    """Record the configuration of ``stamp.service`` on the control topic and return its hash.

    The event id is a function of scope and hash: recording the same configuration again is the same fact.
    """
    digest = configuration_hash(content)
    event = ConfigurationRecorded(
        event_id=str(derive_id("configuration", stamp.service, digest)),
        **stamp.envelope(now),
        configuration_hash=digest,
        scope=stamp.service,
        configuration=canonical_json(content),
    )
    producer.send([Outgoing(topics.control, stamp.service, event)])
    return digest


def recorded_configurations(
    settings: SharedSettings, codec: Codec, topics: Topics
) -> dict[str, ConfigurationRecorded]:
    """Return the newest recorded configuration of every scope."""
    newest: dict[str, ConfigurationRecorded] = {}
    for message in read_all(settings, [topics.control]):
        try:
            event = codec.decode(message.value).event
        except BadEvent:
            continue
        if isinstance(event, ConfigurationRecorded):
            newest[event.scope] = event
    return newest
