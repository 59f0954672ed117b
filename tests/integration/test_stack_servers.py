"""The embedded servers themselves: what they promise to clients."""

from __future__ import annotations

import time
from uuid import uuid4

import psycopg
import pytest
import requests
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, KafkaException, Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    NewTopic,
)

from tradetrail.stack.local import LocalStack

pytestmark = pytest.mark.stack


def test_every_server_is_healthy(stack: LocalStack) -> None:
    health = {row.name: row.health for row in stack.status()}
    assert health.keys() == {"kafka", "registry", "postgres"}
    assert set(health.values()) <= {"healthy", "external"}


def test_kafka_stamps_messages_itself_and_takes_large_ones(stack: LocalStack) -> None:
    topic, servers = f"t{uuid4().hex}", stack.addresses.kafka
    admin = AdminClient({"bootstrap.servers": servers})
    admin.create_topics([NewTopic(topic, 1)])[topic].result(10)
    before_ms = int(time.time() * 1000)
    producer = Producer({"bootstrap.servers": servers, "message.max.bytes": 3_000_000})
    producer.produce(topic, b"x" * 2_200_000, timestamp=1)
    assert producer.flush(20) == 0
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": topic, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    try:
        message = consumer.poll(20)
    finally:
        consumer.close()
    assert message is not None
    assert message.error() is None
    kind, at_ms = message.timestamp()
    assert kind == TIMESTAMP_LOG_APPEND_TIME
    assert before_ms - 1000 <= at_ms <= time.time() * 1000 + 1000


def test_kafka_makes_no_topic_by_itself_and_keeps_everything(stack: LocalStack) -> None:
    admin = AdminClient({"bootstrap.servers": stack.addresses.kafka})
    absent = f"t{uuid4().hex}"
    assert admin.list_topics(absent, timeout=60).topics[absent].error is not None
    broker = ConfigResource(ConfigResource.Type.BROKER, "1")
    settings = admin.describe_configs([broker])[broker].result(10)
    assert settings["auto.create.topics.enable"].value == "false"
    assert settings["log.retention.ms"].value == "-1"


def test_kafka_runs_a_transaction(stack: LocalStack) -> None:
    topic, servers = f"t{uuid4().hex}", stack.addresses.kafka
    admin = AdminClient({"bootstrap.servers": servers})
    admin.create_topics([NewTopic(topic, 1)])[topic].result(10)
    producer = Producer({"bootstrap.servers": servers, "transactional.id": topic})
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(topic, b"one")
    producer.commit_transaction(20)
    try:
        producer.begin_transaction()
        producer.abort_transaction(20)
    except KafkaException as error:
        pytest.fail(str(error))


def test_the_registry_speaks_the_confluent_api(stack: LocalStack) -> None:
    url = stack.addresses.registry_url
    body = {"schema": '{"type": "string"}', "schemaType": "AVRO"}
    made = requests.post(f"{url}/subjects/s{uuid4().hex}/versions", json=body, timeout=60)
    assert made.ok, made.text
    found = requests.get(f"{url}/schemas/ids/{made.json()['id']}", timeout=60)
    assert "string" in found.json()["schema"]


def test_postgres_is_18_and_asks_for_its_password(stack: LocalStack) -> None:
    dsn = stack.addresses.postgres_dsn
    with psycopg.connect(dsn) as connection:
        assert connection.info.server_version // 10000 == 18
        row = connection.execute("SELECT current_setting('TimeZone'), sha256('x')").fetchone()
    assert row is not None
    assert row[0] == "UTC"
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(dsn, password="wrong")
