"""A log of mixed events for the auditor's benchmark, in one topic of six partitions; sizes as the services write them.

A story is a run and all that came of it: the vendor call with its body, disclosures, a trigger per symbol, declines,
decisions on the run's records with their contexts' calls, intents with every control, calls and updates of the order.
"""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle, islice
from typing import Any
from uuid import UUID

import fastavro
from confluent_kafka import Producer

from benchmarks.audit_samples import Datum, Samples, calls_body, samples
from benchmarks.decide_log import END
from tradetrail.errors import Fatal
from tradetrail.events.schemas import parsed_schema
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import open_producer
from tradetrail.settings import SharedSettings

PARTITIONS = 6
# Of one run: disclosures, symbols they concern, and in how many of these there is a trade.
DISCLOSURES, SYMBOLS, TRADES = 40, 12, 3
# Between two runs: 20 decisions a day.
_STEP = timedelta(days=1) * TRADES / 20
_FLUSH_S = 120.0


def write_log(
    settings: SharedSettings, codec: Codec, topic: str, count: int, *, trades_only: bool
) -> dict[str, int]:
    """Append ``count`` events to ``topic``, each story within one partition; return counts by type, and bytes. Seeded.

    With ``trades_only``, ``count`` decisions and only what belongs to them.
    """
    chance = random.Random(7)
    batched: dict[str, Any] = {"linger.ms": 20, "queue.buffering.max.messages": 1_000_000}
    producer = open_producer(settings, **batched)
    ids = {name: codec.register(f"tradetrail.events.{name}") for name in samples().names}
    found: dict[str, int] = {"bytes": 0}
    events = islice(mixed_events(chance), count)
    if trades_only:
        events = _of_trades(mixed_events(chance), count)
    for number, (partition, name, datum) in enumerate(events):
        value = encoded(ids[name], name, datum)
        found["bytes"] += len(value)
        found[name] = found.get(name, 0) + 1
        _produce(producer, topic, partition, str(datum["symbol"] or "congress"), value)
        if number % 1_000 == 0:
            producer.poll(0)
    if producer.flush(_FLUSH_S):
        raise Fatal("the broker did not take all events; see its log")
    return found


def _of_trades(
    events: Iterator[tuple[int, str, Datum]], decisions: int
) -> Iterator[tuple[int, str, Datum]]:
    begun: set[str] = set()
    for partition, name, datum in events:
        decision = datum.get("decision_id")
        if decision is None or name == "DecisionDeclined":
            continue
        begun.add(decision)
        if len(begun) > decisions:
            return
        yield partition, name, datum


def encoded(schema_id: int, name: str, datum: Datum) -> bytes:
    """Return the event on the wire."""
    buffer = io.BytesIO(struct.pack(">bI", 0, schema_id))
    buffer.seek(5)
    fastavro.schemaless_writer(buffer, parsed_schema(f"tradetrail.events.{name}"), datum)
    return buffer.getvalue()


def _produce(producer: Producer, topic: str, partition: int, key: str, value: bytes) -> None:
    while True:
        try:
            producer.produce(topic, value, key, partition)
            return
        except BufferError:
            producer.poll(0.05)


def mixed_events(chance: random.Random) -> Iterator[tuple[int, str, Datum]]:
    """Yield partition, type and datum of one event after the other, without end."""
    yield 0, "ConfigurationRecorded", samples().configuration
    for number in cycle(range(1 << 20)):
        for name, datum in _Story(samples(), number, chance).events():
            yield number % PARTITIONS, name, datum


class _Story:
    """One run and what came of it."""

    def __init__(self, made_of: Samples, number: int, chance: random.Random) -> None:
        self._made_of = made_of
        self._number = number
        self._chance = chance
        self._at = END + _STEP * number
        self._run, self._call = self._id(), self._id()

    def events(self) -> Iterator[tuple[str, Datum]]:
        """Yield type and datum of every event, in order."""
        of = self._made_of
        run = {"run_id": self._run, "story_id": self._run}
        yield self._event("IngestionRunStarted", of.started, **run)
        yield self._api_call(calls_body(self._chance, 24_000), call_id=self._call, **run)
        records = [self._disclosure(n) for n in range(DISCLOSURES)]
        for record in records:
            yield "DisclosureRecorded", record
        yield self._event("IngestionRunCompleted", of.completed, **run)
        symbols = list(dict.fromkeys(record["symbol"] for record in records))
        for place, symbol in enumerate(symbols):
            used = [record for record in records if record["symbol"] == symbol]
            yield self._event("SymbolDataReady", of.ready[len(used)], symbol=symbol, **run)
            if place < TRADES:
                yield from self._trade(symbol, used)
            else:
                yield "DecisionDeclined", self._answer(of.declined[len(used)], symbol, used)

    def _disclosure(self, number: int) -> Datum:
        symbol = f"SYM{(self._number * 5 + number % SYMBOLS) % 600}"
        sample = self._made_of.disclosures[(self._number + number) % len(self._made_of.disclosures)]
        changed = {"record_id": self._id(), "run_id": self._run, "api_call_id": self._call}
        more = {"symbol": symbol, "story_id": self._run, "row_number": number}
        return self._event("", sample, **changed, **more)[1]

    def _trade(self, symbol: str, used: list[Datum]) -> Iterator[tuple[str, Datum]]:
        of, execution = self._made_of, self._id()
        made = self._answer(of.made[len(used)], symbol, used)
        decision = made["decision_id"]
        about = {"symbol": symbol, "decision_id": decision, "story_id": decision}
        for size in (1_500, 900):
            yield self._api_call(calls_body(self._chance, size), call_id=self._id(), **about)
        yield "DecisionMade", made
        sent = {**about, "execution_id": execution, "client_order_id": f"tt-{execution}"}
        yield self._event("OrderSubmitting", of.submitting, **sent)
        yield self._api_call(
            calls_body(self._chance, 900), call_id=self._id(), execution_id=execution, **about
        )
        order = self._id()
        for update in of.updates:
            yield self._event("OrderUpdated", update, broker_order_id=order, **sent)

    def _answer(self, sample: Datum, symbol: str, used: list[Datum]) -> Datum:
        decision = self._id()
        rationale = sample["rationale"]
        sources = rationale["source_data"]
        records = [
            {**record, "record_id": each["record_id"], "run_id": self._run}
            for record, each in zip(sources["records"], used, strict=True)
        ]
        changed = {
            "decision_id": decision,
            "story_id": decision,
            "symbol": symbol,
            "batch_id": self._run,
            "rationale": {**rationale, "source_data": {**sources, "records": records}},
        }
        return self._event("", sample, **changed)[1]

    def _api_call(self, body: bytes, **changed: Any) -> tuple[str, Datum]:
        return self._event("ApiCallRecorded", self._made_of.call, body=body, **changed)

    def _event(self, name: str, sample: Datum, **changed: Any) -> tuple[str, Datum]:
        self._at += timedelta(milliseconds=3)
        return name, {**sample, "event_id": self._id(), "occurred_at": self._at, **changed}

    def _id(self) -> str:
        return str(UUID(int=self._chance.getrandbits(128), version=4))
