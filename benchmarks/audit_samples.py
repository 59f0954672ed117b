"""The events that the auditor's benchmark varies: one of each kind, as large as the services write them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import cycle, islice
from typing import Any

from benchmarks.decide_log import END, answers_of, disclosure_of
from services.ingestor.rows.records import FetchedRow, Record, congress_records, insider_records
from simulators.world import open_world
from tradetrail.calls import call_events
from tradetrail.events import Event, to_datum
from tradetrail.events import generated as e
from tradetrail.ids import derive_id
from tradetrail.log.stamp import Stamp

Datum = dict[str, Any]
CONFIGURATION_HASH = "0" * 64
_STAMP = Stamp("executor", "bench-0123456789ab")
_ROWS_MAX = 6


@dataclass(frozen=True, slots=True)
class Samples:
    """Plain forms of events; those of answers and triggers by how many records they rest on."""

    names: tuple[str, ...]
    configuration: Datum
    started: Datum
    completed: Datum
    call: Datum
    disclosures: list[Datum]
    ready: dict[int, Datum]
    declined: dict[int, Datum]
    made: dict[int, Datum]
    submitting: Datum
    updates: list[Datum]


@cache
def samples() -> Samples:
    """Return the samples, made once."""
    world = open_world(None)
    congress = congress_records(_rows(row.fields for row in islice(world.congress, 60)))
    insiders = insider_records(_rows(row.fields for row in islice(world.insiders, 40)))
    disclosures = [_plain(disclosure_of("IBM", r, 0)) for r in _mixed(congress, insiders)]
    answers = {rows: _answers(insiders, rows) for rows in range(1, _ROWS_MAX + 1)}
    call = _call()
    events = [*_run(), call, _submitting(), *_updates(), *answers[1]]
    return Samples(
        (
            *tuple({each.TYPE.rpartition(".")[2]: None for each in (*events, _configuration())}),
            "DisclosureRecorded",
        ),
        _plain(_configuration()),
        *(_plain(each) for each in _run()),
        _plain(call),
        disclosures,
        *({rows: _plain(each[n]) for rows, each in answers.items()} for n in range(3)),
        _plain(_submitting()),
        [_plain(each) for each in _updates()],
    )


def calls_body(chance: random.Random, size: int) -> bytes:
    """Return a vendor's answer of about ``size`` bytes: half of it is new, the other half words that recur."""
    row = '{{"t":"{:016x}","symbol":"SYM","open":"{}","close":"{}","volume":"{}"}},'
    count = max(1, size // 90)
    numbers = iter(lambda: chance.getrandbits(40), None)
    rows = (row.format(next(numbers), *islice(numbers, 3)) for _ in range(count))
    return b"[" + "".join(rows).encode() + b"{}]"


def _plain(event: Event) -> Datum:
    return to_datum(event)


def _rows(fields: Any) -> Iterator[FetchedRow]:
    return (FetchedRow("call", n, row) for n, row in enumerate(fields))


def _mixed(congress: list[Record], insiders: list[Record]) -> Iterator[Record]:
    for one, other in zip(congress, islice(cycle(insiders), len(congress)), strict=True):
        yield from (one, other)


def _answers(insiders: list[Record], rows: int) -> tuple[Event, Event, Event]:
    """Return the trigger, a decline and a decision on ``rows`` records."""
    return answers_of("IBM", [disclosure_of("IBM", insiders[n], n) for n in range(rows)], rows)


def _envelope(name: str) -> dict[str, Any]:
    return {"event_id": _id(name), **_STAMP.envelope(END), "symbol": "IBM", "story_id": _id("d")}


def _id(name: str) -> str:
    return str(derive_id("bench-audit", name))


def _configuration() -> e.ConfigurationRecorded:
    content = json.dumps({f"limit_{n}": str(n * 1_000) for n in range(60)})
    return e.ConfigurationRecorded(
        **_envelope("configuration"),
        configuration_hash=CONFIGURATION_HASH,
        scope="decider",
        configuration=content,
    )


def _run() -> tuple[e.IngestionRunStarted, e.IngestionRunCompleted]:
    common: dict[str, Any] = {
        **_envelope("run"),
        "run_id": _id("run"),
        "task_name": "data_fetch:congress_daily",
        "data_source": "quiverquant_congress",
        "data_date_start": date(2022, 5, 31),
        "data_date_end": date(2022, 6, 1),
    }
    started = e.IngestionRunStarted(
        **common,
        trigger=e.RunTrigger.SCHEDULE,
        requested_by="schedule",
        configuration_hash=CONFIGURATION_HASH,
    )
    completed = e.IngestionRunCompleted(
        **common,
        started_at=END - timedelta(seconds=4),
        records_fetched=1_000,
        records_created=40,
        records_updated=0,
        records_skipped=960,
        records_flagged=2,
        flags={"late": 2},
        ingested_record_ids=tuple(_id(f"record {n}") for n in range(40)),
    )
    return started, completed


def _call() -> Event:
    [call] = call_events(
        _STAMP,
        END,
        call_id=_id("call"),
        purpose=e.CallPurpose.MARKET_CONTEXT,
        vendor="alpaca",
        method="GET",
        endpoint="/v2/stocks/bars",
        request={
            "query": {"symbols": "IBM", "timeframe": "1Day", "limit": "10000", "feed": "sip"},
            "headers": {"APCA-API-KEY-ID": "***", "Accept": "application/json"},
        },
        status_code=200,
        error=None,
        body=b"{}",
        records_returned=21,
        rate_limit_remaining=199,
        duration_us=9_000,
        vendor_request_id=_id("request"),
        symbol="IBM",
    )
    return call


def _submitting() -> e.OrderSubmitting:
    checks = tuple(
        e.RiskCheck(
            control=control,
            passed=True,
            limit=Decimal(10_000),
            observed=Decimal("723.30"),
            unit="USD",
            explanation=f"723.30 USD is within the limit of 10,000 USD that {control} sets",
        )
        for control in list(e.Control)[:12]
    )
    return e.OrderSubmitting(
        **_envelope("submitting"),
        execution_id=_id("x"),
        decision_id=_id("d"),
        attempt_number=1,
        client_order_id=_id("x"),
        account="paper",
        side=e.Side.BUY,
        quantity=Decimal(10),
        order_type=e.OrderType.MARKET,
        time_in_force=e.TimeInForce.DAY,
        endpoint="/v2/orders",
        method="POST",
        request='{"symbol":"IBM","qty":"10","side":"buy","type":"market","time_in_force":"day"}',
        risk_checks=checks,
        configuration_hash=CONFIGURATION_HASH,
        api_call_ids=(_id("call 1"), _id("call 2")),
    )


def _updates() -> list[e.OrderUpdated]:
    """Return what follows an intent: accepted, filled in part, filled."""
    reached = (
        (e.OrderStatus.ACCEPTED, e.DecisionStatus.EXECUTING, 0, None),
        (e.OrderStatus.PARTIALLY_FILLED, e.DecisionStatus.EXECUTING, 4, 4),
        (e.OrderStatus.FILLED, e.DecisionStatus.EXECUTED, 10, 6),
    )
    answer = {f"field_{n}": f"value {n} of the broker" for n in range(30)}
    return [
        e.OrderUpdated(
            **_envelope(f"updated {status}"),
            execution_id=_id("x"),
            decision_id=_id("d"),
            attempt_number=1,
            client_order_id=_id("x"),
            account="paper",
            broker_order_id=_id("order"),
            status=status,
            decision_status=decided,
            source=e.UpdateSource.STREAM,
            broker_status=str(status),
            broker_at=END,
            filled_qty_total=Decimal(total),
            fill_qty=None if fill is None else Decimal(fill),
            fill_price=None if fill is None else Decimal("72.15"),
            filled_avg_price=None if fill is None else Decimal("72.15"),
            raw_response=json.dumps({"status": status, **answer}),
        )
        for status, decided, total, fill in reached
    ]
