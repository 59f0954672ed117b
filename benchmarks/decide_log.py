"""A long log of trade events for the decider's benchmark: made from a few encoded events, with ids and times put in.

What follows what is as the services write it, in stories of a run about a symbol: disclosures, SymbolDataReady, the
decider's calls, its answer, and what the executor records of a decision. Encoding a million events would take longer
than what is measured, so each type of each symbol is encoded once; ids, times and records' ids, whose length is fixed,
are put into the bytes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import cycle, islice
from typing import Any
from uuid import UUID

from confluent_kafka import Producer

from services.decider.answering.decision import Making, Question, declined, made
from services.decider.contexts.context import Context, Market
from services.decider.settings import DeciderSettings
from services.decider.strategies.insider import CorporateInsiderStrategy, InsiderSettings
from services.decider.views.symbol_state import SymbolState
from services.ingestor.rows.records import FetchedRow, Record, insider_records
from simulators.world import open_world
from tradetrail.calls import call_events
from tradetrail.events import Event
from tradetrail.events.generated import (
    CallPurpose,
    Cause,
    DeclineReason,
    DisclosureRecorded,
    RecordChange,
    RecordReference,
    Side,
    SymbolDataReady,
)
from tradetrail.ids import derive_id
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import open_producer
from tradetrail.log.stamp import Stamp
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

SYMBOLS = 600
# Where the log ends; a simulated clock would show it.
END = datetime(2022, 6, 1, tzinfo=UTC)
# Of a hundred stories: in how many the strategy's signal asks for a context, and in how many a trade comes of it.
CONTEXTS, TRADES = 20, 6
# What the executor records of a trade: intent, calls, states. Sizes as ApiCallRecorded, which they resemble.
EXECUTOR_EVENTS = 6
_STAMP = Stamp("ingestor", "bench-0123456789ab")
RECORD_ID = "00000000-0000-5000-8000-00000000000{}"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID_AT, _ID_END, _TIME_END = 6, 42, 50
_FLUSH_S = 120.0


@dataclass(frozen=True, slots=True)
class Templates:
    """The encoded events of one symbol; those of disclosures by how many a run delivers."""

    topic: str
    symbol: str
    disclosure: bytes
    ready: dict[int, bytes]
    call: bytes
    declined: dict[int, bytes]
    made: dict[int, bytes]


def write_log(settings: SharedSettings, codec: Codec, events: int, span: timedelta) -> int:
    """Append ``events`` events that occurred within ``span`` before ``END``; return their bytes. Seeded."""
    chance = random.Random(5)
    topics = Topics.of(settings)
    batched: dict[str, Any] = {"linger.ms": 20, "queue.buffering.max.messages": 1_000_000}
    producer = open_producer(settings, **batched)
    templates = [_templates(codec, topics, n, chance) for n in range(SYMBOLS)]
    # A few symbols are in the news far more often than most.
    weights = [1 / (n + 8) for n in range(SYMBOLS)]
    size = count = 0
    while count < events:
        [symbol] = chance.choices(templates, weights)
        at = END - span + span * (count / events)
        for value in islice(_story(symbol, at, chance), events - count):
            size += len(value)
            count += 1
            _produce(producer, symbol, value)
    if producer.flush(_FLUSH_S):
        raise TimeoutError("the broker did not take all events")
    return size


def _produce(producer: Producer, symbol: Templates, value: bytes) -> None:
    while True:
        try:
            producer.produce(symbol.topic, key=symbol.symbol, value=value)
            producer.poll(0)
            return
        except BufferError:
            producer.poll(0.05)


def _story(symbol: Templates, at: datetime, chance: random.Random) -> Iterator[bytes]:
    rows = chance.choices((1, 2, 3, 5), (55, 25, 12, 8))[0]
    ids = [_uuid(chance) for _ in range(rows)]
    for each in ids:
        yield _put(symbol.disclosure, at, chance, [each])
    yield _put(symbol.ready[rows], at, chance, ids)
    percent = chance.randrange(100)
    if percent < CONTEXTS:
        yield _put(symbol.call, at, chance, [])
        yield _put(symbol.call, at, chance, [])
    if percent >= TRADES:
        yield _put(symbol.declined[rows], at, chance, ids)
        return
    yield _put(symbol.made[rows], at, chance, ids)
    for _ in range(EXECUTOR_EVENTS):
        yield _put(symbol.call, at, chance, [])


def _put(template: bytes, at: datetime, chance: random.Random, record_ids: list[bytes]) -> bytes:
    value = template
    for number, record_id in enumerate(record_ids):
        value = value.replace(RECORD_ID.format(number).encode(), record_id)
    return value[:_ID_AT] + _uuid(chance) + _micros(at) + value[_TIME_END:]


def _uuid(chance: random.Random) -> bytes:
    return str(UUID(int=chance.getrandbits(128), version=4)).encode()


def _micros(at: datetime) -> bytes:
    """Return the instant as Avro writes a long: eight bytes for any time of ours."""
    number = ((at - _EPOCH) // timedelta(microseconds=1)) << 1
    out = bytearray()
    while number > 0x7F:
        out.append((number & 0x7F) | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _templates(codec: Codec, topics: Topics, number: int, chance: random.Random) -> Templates:
    # The first symbols are those of a group of their own.
    known = next(group.patterns for group in topics.groups if "*" not in group.patterns)
    symbol = known[number] if number < len(known) else f"SYM{number}"
    records = islice(cycle(_records()), number, None)
    disclosures = [disclosure_of(symbol, next(records), n) for n in range(5)]
    first = codec.encode(disclosures[0])
    if first[5] != 2 * len(RECORD_ID.format(0)) or first[_ID_END:_TIME_END] != _micros(END):
        raise ValueError(
            "an event doesn't begin with an id of 36 characters and eight bytes of time"
        )
    answers = {rows: answers_of(symbol, disclosures, rows) for rows in (1, 2, 3, 5)}
    body = chance.randbytes(1_000)
    [call] = call_events(
        _STAMP,
        END,
        call_id=_id(symbol, "call"),
        purpose=CallPurpose.MARKET_CONTEXT,
        vendor="alpaca",
        method="GET",
        endpoint="/v2/stocks/bars",
        request={"query": {"symbols": symbol}, "headers": {"APCA-API-KEY-ID": "***"}},
        status_code=200,
        error=None,
        body=body,
        records_returned=None,
        rate_limit_remaining=199,
        duration_us=9_000,
        vendor_request_id=_id(symbol, "request"),
        decision_id=_id(symbol, "decision"),
        symbol=symbol,
    )
    return Templates(
        topics.for_symbol(symbol),
        symbol,
        first,
        {rows: codec.encode(each[0]) for rows, each in answers.items()},
        codec.encode(call),
        {rows: codec.encode(each[1]) for rows, each in answers.items()},
        {rows: codec.encode(each[2]) for rows, each in answers.items()},
    )


_ROWS: list[Record] = []


def _records() -> list[Record]:
    if not _ROWS:
        rows = (row.fields for row in islice(open_world(None).insiders, 500))
        _ROWS.extend(insider_records(FetchedRow("call", n, row) for n, row in enumerate(rows)))
    return _ROWS


def _id(*parts: object) -> str:
    return str(derive_id("bench", *parts))


def disclosure_of(symbol: str, record: Record, number: int) -> DisclosureRecorded:
    return DisclosureRecorded(
        event_id=_id(symbol, number),
        **_STAMP.envelope(END),
        cause=Cause(topic="trade.runs", partition=0, offset=123_456, event_id=_id("call")),
        symbol=symbol,
        story_id=_id("run"),
        record_id=RECORD_ID.format(number),
        version=1,
        change=RecordChange.CREATED,
        content_hash=record.content_hash,
        run_id=_id("run"),
        api_call_id=_id("call"),
        row_number=number,
        flags=record.flags,
        **record.facts,
    )


def answers_of(
    symbol: str, disclosures: list[DisclosureRecorded], rows: int
) -> tuple[Event, Event, Event]:
    """Return SymbolDataReady, a decline and a decision on ``rows`` new records beside what else the view holds."""
    state = SymbolState(timedelta(days=DeciderSettings().lookback_days))
    for number, each in enumerate(disclosures):
        place = Cause(topic="trade.default", partition=0, offset=number, event_id=each.event_id)
        state.keep(each if number < rows else replace(each, run_id=_id("earlier")), place)
    ready = SymbolDataReady(
        event_id=_id(symbol, "ready"),
        **_STAMP.envelope(END),
        cause=disclosures[0].cause,
        symbol=symbol,
        story_id=_id("run"),
        run_id=_id("run"),
        task_name="data_fetch:insider_daily",
        data_source="quiverquant_insider",
        completed_at=END,
        records_fetched=120,
        records=tuple(
            RecordReference(record_id=d.record_id, version=1, event_id=d.event_id)
            for d in disclosures[:rows]
        ),
    )
    place = Cause(topic="trade.default", partition=0, offset=9, event_id=ready.event_id)
    trigger = state.fold(ready, place)
    if trigger is None:
        raise ValueError("a SymbolDataReady is a trigger")
    strategy = CorporateInsiderStrategy(InsiderSettings())
    view = state.view(strategy.name, trigger)
    signal = replace(strategy.evaluate(view, trigger), used=view.disclosures, side=Side.BUY)
    question = Question(strategy, trigger, view, signal)
    making = Making(Stamp("decider", "bench-0123456789ab"), DeciderSettings(), "0" * 64, END)
    no = declined(question, making, (DeclineReason.BELOW_THRESHOLD, "strength 1 is below 3"))
    market = Market(Decimal(50), END, Decimal(10**6), Decimal("0.3"), (_id("a"),))
    money = Decimal(100_000)
    context = Context(market, Decimal(0), money, money, (_id("b"),))
    return ready, no, made(question, making, context, Decimal(10))
