"""Make the topics and register the schemas; refuse what would break the order of events.

A symbol's group and a topic's partition count are part of the order guarantee. The first start records them on the
control topic; every later start compares, and refuses a change with what would have to be undone.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from tradetrail.clock import Clock, open_clock
from tradetrail.errors import Retryable, TradetrailError, Unreachable, UsageError
from tradetrail.events import CATALOGUE
from tradetrail.events.generated import ConfigurationRecorded
from tradetrail.log.codec import Codec
from tradetrail.log.configuration import Stamp, record_configuration, recorded_configurations
from tradetrail.log.kafka import open_admin, translate
from tradetrail.log.producer import EventProducer
from tradetrail.log.reader import end_offsets, partition_counts, places_of
from tradetrail.log.topics import Topics, TopicSpec
from tradetrail.process import exit_code_of
from tradetrail.settings import SharedSettings, configuration_hash, load
from tradetrail.telemetry import configure_logging

SCOPE = "topology"
# The broker confirms a new topic when its metadata is out, well within this.
CREATE_TIMEOUT_S = 30.0
_LOOK_AGAIN_S = 0.05

log = structlog.get_logger(__name__)


def provision(settings: SharedSettings, codec: Codec) -> None:
    """Bring topics, schemas and the recorded topology to what ``settings`` say.

    Raises UsageError for a change that would break order, Fatal for an incompatible schema, Retryable while a server is
    away. Safe to run at every start and from several processes at once.
    """
    topics = Topics.of(settings)
    # Compared before anything is made, so that a refused change leaves nothing behind.
    begun = check_topology(settings, codec, topics)
    create_missing(settings, topics)
    for type_name in CATALOGUE:
        codec.register(type_name)
    if not begun:
        now = open_clock(settings.clock_url).now()
        stamp = Stamp(SCOPE, settings.instance)
        producer = EventProducer(settings, codec)
        record_configuration(producer, topics, stamp, now, topology(topics))


def check_topology(settings: SharedSettings, codec: Codec, topics: Topics) -> bool:
    """Tell whether a topology is on record.

    Raises UsageError when the recorded one or the topics differ from what is configured, Retryable while a server is
    away.
    """
    return SCOPE in _compared(settings, codec, topics)


def _compared(
    settings: SharedSettings, codec: Codec, topics: Topics
) -> dict[str, ConfigurationRecorded]:
    """Return every recorded configuration, the topology among them compared with what is configured."""
    check_partition_counts(settings, topics)
    recorded = recorded_configurations(settings, codec, topics)
    if SCOPE in recorded:
        compare(json.loads(recorded[SCOPE].configuration), topology(topics))
    return recorded


def begin(
    settings: SharedSettings,
    codec: Codec,
    topics: Topics,
    stamp: Stamp,
    clock: Clock,
    content: dict[str, Any],
) -> str:
    """Begin to work on the log as ``stamp.service``: check its topology, record the configuration; return its hash.

    A configuration that is on record already is not recorded again. Raises UsageError when the log is not provisioned
    or was begun with another topology, Unreachable while a server is away.
    """
    try:
        recorded = _compared(settings, codec, topics)
        if SCOPE not in recorded:
            raise UsageError(
                "the log is not provisioned yet: run `python -m tradetrail.log.provision` first"
            )
        mine = recorded.get(stamp.service)
        digest = configuration_hash(content)
        if mine is None or mine.configuration_hash != digest:
            producer = EventProducer(settings, codec)
            record_configuration(producer, topics, stamp, clock.now(), content)
    except Retryable as error:
        raise Unreachable(str(error)) from error
    return digest


def topology(topics: Topics) -> dict[str, object]:
    """Return what the order of events depends on, JSON-ready."""
    return {
        "prefix": topics.prefix,
        "groups": [group.model_dump(mode="json") for group in topics.groups],
        "run_partitions": topics.run_partitions,
    }


def compare(recorded: dict[str, object], wanted: dict[str, object]) -> None:
    """Raise UsageError when ``wanted`` would move a symbol or key to another partition than ``recorded``."""
    if recorded == json.loads(json.dumps(wanted)):
        return
    raise UsageError(
        "the symbol groups or partition counts differ from what this log was begun with, which would break the order "
        f"of events. Recorded: {json.dumps(recorded)}. Configured: {json.dumps(wanted)}. Restore the recorded values "
        "(TRADETRAIL_SYMBOL_GROUPS, TRADETRAIL_RUN_PARTITIONS), or begin a new log under another "
        "TRADETRAIL_TOPIC_PREFIX"
    )


def check_partition_counts(settings: SharedSettings, topics: Topics) -> None:
    """Raise UsageError when an existing topic has another partition count than it must have."""
    counts = partition_counts(settings, topics.all())
    wrong = [
        f"{spec.name} has {counts[spec.name]} partitions, configured are {spec.partitions}"
        for spec in topics.specs()
        if counts.get(spec.name, spec.partitions) != spec.partitions
    ]
    if wrong:
        raise UsageError(
            f"{'; '.join(wrong)}. A partition count can't change without breaking the order of events: restore the "
            "configured value to what the topic has (TRADETRAIL_SYMBOL_GROUPS, TRADETRAIL_RUN_PARTITIONS)"
        )


def create_missing(settings: SharedSettings, topics: Topics) -> None:
    """Create the topics that don't exist yet."""
    existing = partition_counts(settings, topics.all())
    missing = [
        NewTopic(
            spec.name,
            num_partitions=spec.partitions,
            replication_factor=settings.replication_factor,
            config=topic_config(settings, spec),
        )
        for spec in topics.specs()
        if spec.name not in existing
    ]
    if not missing:
        return
    # The client must outlive its answers: they end with it.
    admin = open_admin(settings)
    answers = admin.create_topics(
        missing, operation_timeout=CREATE_TIMEOUT_S, request_timeout=CREATE_TIMEOUT_S
    )
    for name, answer in answers.items():
        try:
            answer.result(CREATE_TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise translate(error, f"creating topic {name}") from error
    wait_for_leaders(settings, topics)
    log.info("topics created", topics=[topic.topic for topic in missing])


def wait_for_leaders(settings: SharedSettings, topics: Topics) -> None:
    """Wait until every partition can be read: a new topic is confirmed a moment before its partitions have leaders.

    Raises Retryable when that takes longer than ``CREATE_TIMEOUT_S``.
    """
    deadline = time.monotonic() + CREATE_TIMEOUT_S
    while True:
        try:
            end_offsets(settings, places_of(settings, topics.all()))
            return
        except Retryable:
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_AGAIN_S)


def topic_config(settings: SharedSettings, spec: TopicSpec) -> dict[str, str]:
    """Return the configuration of a topic: the log keeps everything, state topics the newest per key."""
    return {
        "cleanup.policy": "compact" if spec.compacted else "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(spec.message_bytes_max),
        "min.insync.replicas": str(settings.min_insync_replicas),
        "compression.type": "producer",
    }


def main() -> int:
    """Provision by the environment's settings; return the exit code."""
    try:
        settings = load(SharedSettings)
        configure_logging(settings)
        partition_counts(settings, [])
        provision(settings, Codec(settings.registry_url))
    except TradetrailError as error:
        sys.stderr.write(f"provisioning failed: {error}\n")
        return exit_code_of(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
