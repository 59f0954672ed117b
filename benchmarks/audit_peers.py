"""The auditor's peer: Debezium's JDBC sink on Kafka Connect, every event into one table of columns and JSON."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import requests
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from benchmarks.audit_connect_jars import connect_files
from benchmarks.audit_rig import Field, Pace, new_schema, peak_mb, scalar, watched
from benchmarks.log_rig import free_port, until_answered
from benchmarks.parts import Say
from tradetrail.errors import Fatal
from tradetrail.stack.java import java_command

# What it was fastest with when its settings were tried one by one.
BATCH_SIZE = 10_000
TASKS = 2
_HEAP_MB = 1_536
_STOP_MAX_S = 30.0
_WORKER = {
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    "offset.flush.interval.ms": "10000",
    "plugin.discovery": "hybrid_warn",
    "consumer.max.poll.records": "10000",
    "consumer.fetch.max.bytes": "52428800",
    "consumer.max.partition.fetch.bytes": "4194304",
    "connector.client.config.override.policy": "All",
}
_TABLE = """
CREATE TABLE {}.events (
    __connect_topic text, __connect_partition int, __connect_offset bigint, type text NOT NULL, symbol text,
    event_id uuid NOT NULL, occurred_at timestamptz NOT NULL, story_id text, payload jsonb NOT NULL,
    PRIMARY KEY (__connect_topic, __connect_partition, __connect_offset)
)
"""
_INDEX = "CREATE INDEX ON {}.events (symbol, occurred_at)"
# By the primary key: counting the rows would cost more than writing them.
_FAR = """
SELECT COALESCE(sum(1 + (
    SELECT max(__connect_offset) FROM {}.events WHERE __connect_topic = %s AND __connect_partition = p
)), 0)::bigint
FROM generate_series(0, %s) AS p
"""


def debezium(made: Field, say: Say) -> tuple[Pace, float]:
    """Return the pace of the sink, and the peak of its memory in MB."""
    with new_schema(made.dsn) as schema, tempfile.TemporaryDirectory() as folder:
        home = sql.Identifier(schema)
        with psycopg.connect(made.dsn, autocommit=True) as connection:
            connection.execute(sql.SQL(_TABLE).format(home))
            connection.execute(sql.SQL(_INDEX).format(home))
        far = sql.SQL(_FAR).format(home)
        arguments = (made.topic, len(made.ends) - 1)
        with _worker(made, Path(folder)) as (url, popen):
            _begin(url, made, schema)

            def progress() -> int:
                if problem := _problem(url):
                    raise Fatal(f"the sink failed: {problem}")
                return int(scalar(made.dsn, far, *arguments))

            pace = watched(progress, made.count)
            say(f"debezium: {pace.per_s:,.0f} events/s, {peak_mb(popen.pid):.0f} MB")
            return pace, peak_mb(popen.pid)


@contextmanager
def _worker(made: Field, folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    files, port = connect_files(), free_port()
    settings = _WORKER | {
        "bootstrap.servers": made.settings.kafka,
        "offset.storage.file.filename": str(folder / "offsets"),
        "listeners": f"HTTP://127.0.0.1:{port}",
        "plugin.path": str(files.plugins),
    }
    (folder / "worker.properties").write_text("".join(f"{k}={v}\n" for k, v in settings.items()))
    # Its threads are to collect garbage beside its work, as its own start script lets them.
    flags = ("-Xms512m", "-XX:-UseSerialGC", "-XX:+UseG1GC", "-cp", f"{files.worker}/*")
    command = [
        *java_command(_HEAP_MB, folder / "tmp", *flags),
        "org.apache.kafka.connect.cli.ConnectStandalone",
        str(folder / "worker.properties"),
    ]
    with (folder / "log").open("wb") as log:
        popen = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        url = f"http://127.0.0.1:{port}/connectors"
        until_answered(url)
        yield url, popen
    finally:
        popen.terminate()
        try:
            popen.wait(_STOP_MAX_S)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait()


def _begin(url: str, made: Field, schema: str) -> None:
    at = conninfo_to_dict(made.dsn)
    jdbc = f"jdbc:postgresql://{at['host']}:{at.get('port', 5432)}/{at['dbname']}"
    converter = "value.converter.apicurio.registry"
    settings: dict[str, Any] = {
        "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
        "tasks.max": str(TASKS),
        "topics": made.topic,
        "connection.url": f"{jdbc}?reWriteBatchedInserts=true&currentSchema={schema}",
        "connection.username": at["user"],
        "connection.password": at.get("password", ""),
        "insert.mode": "upsert",
        "primary.key.mode": "kafka",
        "schema.evolution": "none",
        "collection.name.format": f"{schema}.events",
        "hibernate.c3p0.max_size": "4",
        "batch.size": str(BATCH_SIZE),
        "value.converter": "io.apicurio.registry.utils.converter.AvroConverter",
        f"{converter}.url": made.settings.registry_url.partition("/apis/")[0] + "/apis/registry/v2",
        f"{converter}.as-confluent": "true",
        f"{converter}.use-id": "contentId",
        "transforms": "audit",
        "transforms.audit.type": "audit.ToAudit",
        "consumer.override.group.id": f"{made.settings.topic_prefix}connect-{time.time_ns()}",
        "consumer.override.auto.offset.reset": "earliest",
        "consumer.override.max.poll.records": str(BATCH_SIZE),
    }
    answer = requests.post(url, json={"name": "sink", "config": settings}, timeout=60)
    if not answer.ok:
        raise Fatal(f"Kafka Connect refuses the sink: {answer.text}")


def _problem(url: str) -> str | None:
    answer = requests.get(f"{url}/sink/status", timeout=10)
    if answer.status_code == requests.codes.not_found:
        return None
    tasks = answer.json()["tasks"]
    traces = [task["trace"] for task in tasks if task["state"] == "FAILED"]
    causes = [line for trace in traces for line in trace.splitlines() if "Caused by" in line]
    return "; ".join([*causes, *(trace[:500] for trace in traces)][:3]) or None
