"""Topics and schemas on a real broker and registry, and what is refused to keep the order of events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from confluent_kafka.admin import ConfigResource  # type: ignore[attr-defined]
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.integration.log_events import configuration_recorded
from tradetrail.clock import FixedClock
from tradetrail.errors import UsageError
from tradetrail.events import CATALOGUE
from tradetrail.events.generated import DeadLetterReason
from tradetrail.events.schemas import schema_text
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.log.configuration import Stamp
from tradetrail.log.kafka import open_admin
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.provision import begin, provision
from tradetrail.log.reader import partition_counts, read_all
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings, SymbolGroup

pytestmark = pytest.mark.stack
Registry = Callable[[SharedSettings], SchemaRegistryClient]


@pytest.fixture
def registry() -> Iterator[Registry]:
    with ExitStack() as opened:

        def client(log: SharedSettings) -> SchemaRegistryClient:
            opening = SchemaRegistryClient({"url": log.registry_url})
            opened.callback(opening.close)
            return opening

        yield client


def test_provisioning_again_changes_nothing(log: SharedSettings) -> None:
    topics = Topics.of(log)
    before = partition_counts(log, topics.all())
    provision(log, Codec(log.registry_url))
    assert partition_counts(log, topics.all()) == before
    assert before[topics.for_symbol("AAPL")] == 2
    assert len(list(read_all(log, [topics.control]))) == 1


def test_the_registrys_spelling_of_todays_schema_is_read_as_todays(log: SharedSettings) -> None:
    # It writes names in another form and fields in another order; resolving that anew costs half of each decoding.
    codec = Codec(log.registry_url)
    spelled = {name: codec.writer_schema(codec.register(name)) for name in CATALOGUE}
    assert any(text != schema_text(name) for name, text in spelled.items())
    resolved = [name for name in CATALOGUE if codec._writer(codec.register(name)).differs]
    assert resolved == []


def changed(log: SharedSettings, groups: tuple[SymbolGroup, ...]) -> SharedSettings:
    return log.model_copy(update={"symbol_groups": groups})


def test_a_changed_partition_count_is_refused(log: SharedSettings) -> None:
    first, *rest = log.symbol_groups
    wider = first.model_copy(update={"partitions": first.partitions + 1})
    with pytest.raises(UsageError, match="has 2 partitions, configured are 3"):
        provision(changed(log, (wider, *rest)), Codec(log.registry_url))


def test_a_symbol_that_changes_its_group_is_refused(log: SharedSettings) -> None:
    first, *rest = log.symbol_groups
    larger = first.model_copy(update={"patterns": (*first.patterns, "IBM")})
    with pytest.raises(UsageError, match="would break the order"):
        provision(changed(log, (larger, *rest)), Codec(log.registry_url))


def test_a_service_begins_only_on_the_log_it_is_configured_for(log: SharedSettings) -> None:
    codec, stamp = Codec(log.registry_url), Stamp("decider", "test")
    clock, content = FixedClock(datetime(2024, 1, 2, tzinfo=UTC)), {"threshold": 2}
    digest = begin(log, codec, Topics.of(log), stamp, clock, content)
    assert begin(log, codec, Topics.of(log), stamp, clock, content) == digest
    assert len(list(read_all(log, [Topics.of(log).control]))) == 2, "topology and one configuration"
    first, *rest = log.symbol_groups
    other = changed(log, (first.model_copy(update={"patterns": ("AAPL",)}), *rest))
    with pytest.raises(UsageError, match="would break the order"):
        begin(other, codec, Topics.of(other), stamp, clock, content)
    bare = log.model_copy(update={"topic_prefix": f"{log.topic_prefix}bare."})
    with pytest.raises(UsageError, match="not provisioned"):
        begin(bare, codec, Topics.of(bare), stamp, clock, content)


def test_an_incompatible_schema_is_refused_by_the_registry(
    log: SharedSettings, registry: Registry
) -> None:
    name = "tradetrail.events.AlertRaised"
    schema = json.loads(schema_text(name))
    schema["fields"].append({"name": "needed", "type": "string"})
    client = registry(log)
    with pytest.raises(SchemaRegistryError) as refused:
        client.register_schema(name, Schema(json.dumps(schema), "AVRO"))
    assert refused.value.http_status_code == 409


def test_a_new_field_with_a_default_is_compatible(log: SharedSettings, registry: Registry) -> None:
    schema = json.loads(schema_text("tradetrail.events.AlertRaised"))
    schema["name"] = "GrowingEvent"
    client = registry(log)
    name = "tradetrail.events.GrowingEvent"
    client.set_compatibility(name, "FULL_TRANSITIVE")
    first = client.register_schema(name, Schema(json.dumps(schema), "AVRO"))
    schema["fields"].append({"name": "extra", "type": ["null", "string"], "default": None})
    assert client.register_schema(name, Schema(json.dumps(schema), "AVRO")) != first


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, DeadLetterReason.NO_BODY),
        (b"", DeadLetterReason.NO_BODY),
        (b"\x00\x00", DeadLetterReason.NOT_AVRO),
        (b'{"symbol": "AAPL"}', DeadLetterReason.NOT_AVRO),
        (b"\x00\x7f\xff\xff\xff\x02", DeadLetterReason.UNKNOWN_SCHEMA),
    ],
)
def test_what_is_no_event_of_ours_says_why(
    log: SharedSettings, value: bytes | None, code: DeadLetterReason
) -> None:
    with pytest.raises(BadEvent) as bad:
        Codec(log.registry_url).decode(value)
    assert bad.value.code is code


def test_a_cut_or_padded_body_is_broken(log: SharedSettings) -> None:
    codec = Codec(log.registry_url)
    value = codec.encode(configuration_recorded("x"))
    for broken in (value[:-3], value + b"\x00"):
        with pytest.raises(BadEvent) as bad:
            codec.decode(broken)
        assert bad.value.code is DeadLetterReason.BROKEN_BODY


def test_a_type_outside_the_catalogue_is_named(log: SharedSettings, registry: Registry) -> None:
    client = registry(log)
    schema = {"type": "record", "name": "Stranger", "fields": [{"name": "a", "type": "int"}]}
    number = client.register_schema("Stranger", Schema(json.dumps(schema), "AVRO"))
    with pytest.raises(BadEvent, match="Stranger") as bad:
        Codec(log.registry_url).decode(b"\x00" + number.to_bytes(4, "big") + b"\x02")
    assert bad.value.code is DeadLetterReason.UNKNOWN_TYPE


def test_another_clients_deserializer_reads_our_topics(
    log: SharedSettings, registry: Registry
) -> None:
    topics = Topics.of(log)
    event = configuration_recorded("for-others")
    producer = EventProducer(log, Codec(log.registry_url))
    ((topic, partition, offset),) = producer.send([Outgoing(topics.audit, "x", event)])
    (message,) = read_all(log, [topics.audit])
    assert (message.topic, message.partition, message.offset) == (topic, partition, offset)
    deserialize = AvroDeserializer(registry(log))
    datum = deserialize(message.value, SerializationContext(topic, MessageField.VALUE))
    assert datum["event_id"] == event.event_id
    assert datum["configuration"] == event.configuration


def murmur2(data: bytes) -> int:
    """Kafka's own hash of a key, as its Java clients compute it."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = 0x9747B28C ^ len(data)
    for i in range(0, len(data) // 4 * 4, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    tail = data[len(data) // 4 * 4 :]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def test_keys_stand_where_java_clients_put_them(log: SharedSettings) -> None:
    assert murmur2(b"21") & 0x7FFFFFFF == -973932308 & 0x7FFFFFFF
    topics = Topics.of(log)
    topic = topics.for_symbol("IBM")
    symbols = ["IBM", "BRK.B", "T", "XOM", "JPM", "BAC", "GE", "F", "DIS", "PFE"]
    producer = EventProducer(log, Codec(log.registry_url))
    landed = producer.send([Outgoing(topic, s, configuration_recorded(s)) for s in symbols])
    count = partition_counts(log, [topic])[topic]
    expected = [(murmur2(s.encode()) & 0x7FFFFFFF) % count for s in symbols]
    assert [partition for _, partition, _ in landed] == expected
    assert len(set(expected)) > 1


def test_topics_keep_everything_and_take_the_brokers_time(log: SharedSettings) -> None:
    topics = Topics.of(log)
    admin = open_admin(log)
    wanted = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in topics.all()]
    for resource, answer in admin.describe_configs(wanted).items():
        found = {name: entry.value for name, entry in answer.result(10).items()}
        compacted = resource.name in (topics.ingestor_state, topics.executor_state)
        assert found["cleanup.policy"] == ("compact" if compacted else "delete")
        assert found["retention.ms"] == "-1"
        assert found["message.timestamp.type"] == "LogAppendTime"
        assert int(found["max.message.bytes"]) >= 1 << 20
