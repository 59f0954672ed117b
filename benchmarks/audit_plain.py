"""What the auditor is held against beside its peer: a poll-and-ORM consumer, and the limit of any Python consumer."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
from confluent_kafka import Consumer, TopicPartition
from psycopg import sql
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from benchmarks.audit_rig import Field, Pace, new_schema
from tradetrail.errors import Fatal
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import open_consumer
from tradetrail.reports.encode import to_json

COMMIT_EVERY = 100
_COPY_EVERY = 10_000
_SILENCE_MAX_S = 30.0
_TABLE = """
CREATE TABLE {}.exact (
    topic text, partition int, "offset" bigint, available_at timestamptz NOT NULL, key bytea, value bytea,
    PRIMARY KEY (topic, partition, "offset")
)
"""
_COPY = "COPY {}.exact FROM STDIN (FORMAT BINARY)"
_TYPES = ("text", "int4", "int8", "timestamptz", "bytea", "bytea")


class _Base(DeclarativeBase):
    pass


class _Row(_Base):
    """An event as such consumers keep it."""

    __tablename__ = "events"
    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True)
    offset: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    type: Mapped[str]
    symbol: Mapped[str | None]
    event_id: Mapped[UUID]
    occurred_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    story_id: Mapped[str | None]
    payload: Mapped[Any] = mapped_column(JSONB)
    body: Mapped[bytes | None] = mapped_column(BYTEA)
    __table_args__ = (sa.Index("events_symbol", "symbol", "occurred_at"),)


def limit(made: Field) -> Pace:
    """Return how fast the log can be consumed and its exact bytes be put into one table by binary COPY."""
    with new_schema(made.dsn) as schema, psycopg.connect(made.dsn) as connection:
        connection.execute(sql.SQL(_TABLE).format(sql.Identifier(schema)))
        connection.commit()
        copy_exact = sql.SQL(_COPY).format(sql.Identifier(schema))
        consumer = _reading(made)
        begun, done = time.perf_counter(), 0
        try:
            while done < made.count:
                messages = consumer.consume(_COPY_EVERY, timeout=0.2)
                begun = _since(begun, done, came=bool(messages))
                with connection.cursor() as cursor, cursor.copy(copy_exact) as copy:
                    copy.set_types(_TYPES)
                    for m in messages:
                        at = datetime.fromtimestamp(m.timestamp()[1] / 1000, UTC)
                        where = (m.topic(), m.partition(), m.offset())
                        copy.write_row((*where, at, m.key(), m.value()))
                connection.commit()
                done += len(messages)
            return Pace(done, time.perf_counter() - begun)
        finally:
            consumer.close()


def orm(made: Field, share: int) -> Pace:
    """Return the pace of a consumer that polls one by one and commits every hundred; only ``share`` events."""
    url = sa.make_url(made.dsn).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, json_serializer=to_json)
    with new_schema(made.dsn) as schema:
        bound = engine.execution_options(schema_translate_map={None: schema})
        _Base.metadata.create_all(bound)
        codec, consumer = Codec(made.settings.registry_url), _reading(made)
        begun, done = time.perf_counter(), 0
        try:
            with Session(bound) as session:
                while done < share:
                    message = consumer.poll(1.0)
                    begun = _since(begun, done, came=message is not None)
                    if message is None:
                        continue
                    session.add(_row(codec, message))
                    done += 1
                    if done % COMMIT_EVERY == 0:
                        session.commit()
                        consumer.commit(message, asynchronous=True)
                session.commit()
            return Pace(done, time.perf_counter() - begun)
        finally:
            consumer.close()
            engine.dispose()


def _row(codec: Codec, message: Any) -> _Row:
    decoded = codec.decode(message.value())
    datum = decoded.datum
    body = datum.pop("body", None)
    return _Row(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        type=decoded.type_name,
        symbol=datum["symbol"],
        event_id=UUID(datum["event_id"]),
        occurred_at=datum["occurred_at"],
        story_id=datum["story_id"],
        payload=datum,
        body=body,
    )


def _reading(made: Field) -> Consumer:
    group = f"{made.settings.topic_prefix}plain-{time.time_ns()}"
    consumer = open_consumer(made.settings, group, **{"enable.partition.eof": False})
    consumer.assign([TopicPartition(*place, 0) for place in made.ends])
    return consumer


def _since(begun: float, done: int, *, came: bool) -> float:
    """Return since when the time counts: the first event."""
    now = time.perf_counter()
    if not came and now - begun > _SILENCE_MAX_S:
        raise Fatal(f"no event came for {_SILENCE_MAX_S:g} s")
    return begun if done or not came else now
