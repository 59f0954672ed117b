"""Small views for unit tests of the strategies: disclosures, triggers, and the rationale's bytes."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import fastavro

from services.decider.answering.decision import Making, Question, declined, made, quantity_of
from services.decider.contexts.context import Context, DailyBar, market_of
from services.decider.settings import DeciderSettings
from services.decider.signals.signal import Strategy
from services.decider.views.symbol_state import SymbolState
from services.decider.views.view import Disclosure, Trigger, View
from tradetrail.events import to_datum
from tradetrail.events.generated import (
    Cause,
    DeclineReason,
    Direction,
    LineageRun,
    RecordKind,
)
from tradetrail.events.schemas import parsed_schema
from tradetrail.log.configuration import Stamp

TODAY = date(2024, 3, 15)
NOW = datetime(2024, 3, 15, 11, tzinfo=UTC)
RUN = "run"
LOOKBACK = timedelta(days=DeciderSettings().lookback_days)
DIRECTIONS = {"P": Direction.BUY, "S": Direction.SELL}


def place(offset: int) -> Cause:
    """Return a place in the one partition of these tests."""
    return Cause(topic="trade.default", partition=0, offset=offset, event_id=f"event-{offset}")


def member_trade(offset: int, person: str = "Ann", **changes: Any) -> Disclosure:
    """Return a member's small purchase, reported today."""
    plain = Disclosure(
        record_id=f"record-{offset}",
        version=1,
        kind=RecordKind.CONGRESS,
        run_id=RUN,
        place=place(offset),
        person=person,
        direction=Direction.BUY,
        transacted_on=TODAY - timedelta(days=20),
        reported_on=TODAY,
        amount_usd_min=Decimal(1001),
        amount_usd_max=Decimal(15000),
        flags=(),
        transaction_type="Purchase",
    )
    return replace(plain, **changes)


def lot(
    offset: int, person: str = "DOE JANE A", code: str = "P", usd: int = 100_000, **changes: Any
) -> Disclosure:
    """Return a director's lot: 1,000 shares worth ``usd``, 10,000 held afterwards, reported after two days."""
    plain = Disclosure(
        record_id=f"record-{offset}",
        version=1,
        kind=RecordKind.INSIDER,
        run_id=RUN,
        place=place(offset),
        person=person,
        direction=DIRECTIONS.get(code, Direction.OTHER),
        transacted_on=TODAY - timedelta(days=2),
        reported_on=TODAY,
        amount_usd_min=Decimal(usd),
        amount_usd_max=Decimal(usd),
        flags=(),
        transaction_type=code,
        # A share more or less an insider, so that no two of them filed the same trade.
        shares=Decimal(1_000 + offset),
        price_usd=Decimal(usd) / (1_000 + offset),
        shares_owned_following=Decimal(10_000),
        is_director=True,
    )
    return replace(plain, **changes)


def trigger(*record_ids: str, data_source: str = "quiverquant_insider") -> Trigger:
    """Return the trigger of a run that delivered these records this morning."""
    run = LineageRun(
        run_id=RUN, task_name="task", data_source=data_source, completed_at=NOW, records_fetched=1
    )
    return Trigger("AAPL", place(9_999), NOW, run, record_ids)


def all_of(disclosures: Iterable[Disclosure]) -> Trigger:
    """Return the trigger of a run that delivered all of them."""
    return trigger(*(d.record_id for d in disclosures))


def empty_state() -> SymbolState:
    """Return the state of a symbol of which nothing was heard."""
    return SymbolState(LOOKBACK)


def view(*disclosures: Disclosure, acted: Iterable[str] = ()) -> View:
    """Return a view of these disclosures."""
    return View(disclosures, {}, frozenset(acted), None)


def context(price: str = "50", value: str = "100000", position: str = "0") -> Context:
    """Return a context with one finished session."""
    bars = (DailyBar(NOW - timedelta(days=1), Decimal(price), Decimal(1_000_000)),)
    return Context(market_of(bars), Decimal(position), Decimal(value), Decimal(value))


def rationale_bytes(strategy: Strategy, seen: View, asked: Trigger) -> bytes:
    """Return the answer of a strategy in a fixed context as it would stand in the log, without its schema's id."""
    question = Question(strategy, asked, seen, strategy.evaluate(seen, asked))
    making = Making(Stamp("decider", "test"), DeciderSettings(), "0", NOW)
    reason, text = question.signal.decline, question.signal.text
    around = context(position="10")
    if reason is not None:
        event = declined(question, making, (reason, text), around)
    elif question.signal.side is None:
        event = declined(question, making, (DeclineReason.NO_SIGNAL, text), around)
    else:
        quantity = quantity_of(question, around, making.settings)
        event = made(question, making, around, quantity)  # type: ignore[assignment]
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parsed_schema(type(event).TYPE), to_datum(event))
    return out.getvalue()


def busy_bytes(strategy: Strategy) -> bytes:
    """Return the answer to a view of many insiders, codes and forms of ownership."""
    forms = (None, "D", "I")
    lots = [lot(n, f"PERSON {n % 4}", "PPSA"[n % 4], ownership=forms[n % 3]) for n in range(12)]
    return rationale_bytes(strategy, view(*lots), all_of(lots))
