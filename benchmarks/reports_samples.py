"""The events that the reports' benchmark varies: small ones of every kind that a report tells of."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from benchmarks.reports_orders import STATES, blocked, submitting, updated
from benchmarks.reports_templates import (
    AT,
    HASH,
    ID_OF,
    PARTITION,
    PRICE,
    QUANTITY,
    RECORDED,
    REPORTED_ON,
    SYMBOL,
    TRADED_ON,
    TRIGGERED,
    Template,
    envelope,
)
from tradetrail.events import Event
from tradetrail.events import generated as e
from tradetrail.log.codec import Codec

TOPIC = "trade.default"
CONGRESS, INSIDER = "CongressionalTradingStrategy", "CorporateInsiderStrategy"
STRATEGIES = (CONGRESS, INSIDER)
SIDES = (e.Side.BUY, e.Side.SELL)
DECLINES = (
    (e.DeclineReason.BELOW_THRESHOLD, "strength 1.625 is below 2"),
    (e.DeclineReason.NO_POSITION, "nothing is held; a sell would be a short"),
    (e.DeclineReason.CONFLICTING_SIGNALS, "3 bought and 3 sold"),
)


def templates(codec: Codec) -> dict[str, Template]:
    """Return every template by name; the name says what varies among those of one kind."""
    events: dict[str, Event] = {
        "configuration": _configuration(),
        "started": _started(),
        "completed": _completed(),
        "call": _call(e.CallPurpose.MARKET_CONTEXT, "/v2/stocks/bars", b'{"bars":{}}'),
        "account": _call(
            *(e.CallPurpose.PORTFOLIO_CONTEXT, "/v2/account"),
            b'{"cash":"52000.5","buying_power":"104001","portfolio_value":"1250000.75"}',
            of_decision=False,
        ),
        "ready": _ready(),
        "blocked": blocked(),
        "halt": _acted(),
    }
    for side in SIDES:
        events[f"submitting {side}"] = submitting(side)
        for kind in (e.RecordKind.CONGRESS, e.RecordKind.INSIDER):
            events[f"{kind} {side}"] = _disclosure(kind, side)
        for strategy in STRATEGIES:
            events[f"made {strategy} {side}"] = _made(strategy, side)
            for reason, text in DECLINES:
                events[f"declined {strategy} {side} {reason}"] = _declined(
                    strategy, side, reason, text
                )
    events |= {name: updated(*told) for name, told in STATES.items()}
    return {name: Template(codec, event) for name, event in events.items()}


def _configuration() -> e.ConfigurationRecorded:
    return e.ConfigurationRecorded(
        **envelope("decider", None, symbol=None),
        configuration_hash=HASH,
        scope="decider",
        configuration='{"threshold":"2"}',
    )


def _run() -> dict[str, Any]:
    return {
        "run_id": ID_OF["run"],
        "task_name": "data_fetch:congress_daily",
        "data_source": "quiverquant_congress",
        "data_date_start": TRADED_ON,
        "data_date_end": REPORTED_ON,
    }


def _started() -> e.IngestionRunStarted:
    return e.IngestionRunStarted(
        **envelope("ingestor", "run", symbol=None),
        **_run(),
        trigger=e.RunTrigger.SCHEDULE,
        requested_by="schedule",
        configuration_hash=HASH,
    )


def _completed() -> e.IngestionRunCompleted:
    return e.IngestionRunCompleted(
        **envelope("ingestor", "run", symbol=None),
        **_run(),
        started_at=AT,
        records_fetched=1_000,
        records_created=40,
        records_updated=0,
        records_skipped=960,
        records_flagged=2,
        flags={"late": 2},
    )


def _call(
    purpose: e.CallPurpose, endpoint: str, body: bytes, *, of_decision: bool = True
) -> e.ApiCallRecorded:
    more: dict[str, Any] = {} if of_decision else {"symbol": None}
    return e.ApiCallRecorded(
        **envelope("decider", "decision" if of_decision else None, **more),
        call_id=ID_OF["call"],
        purpose=purpose,
        decision_id=ID_OF["decision"] if of_decision else None,
        vendor="alpaca",
        method="GET",
        endpoint=endpoint,
        request='{"query":{}}',
        requested_at=AT,
        status_code=200,
        request_size_bytes=0,
        response_size_bytes=len(body),
        rate_limit_remaining=199,
        duration_us=9_000,
        body=body,
        body_encoding=e.BodyEncoding.IDENTITY,
        body_sha256="a" * 64,
        chunk_index=0,
        chunk_count=1,
    )


def _disclosure(kind: e.RecordKind, side: e.Side) -> e.DisclosureRecorded:
    direction = e.Direction(side.value)
    facts: dict[str, Any] = {
        "person_name": "Zoe Lofgren",
        "chamber": "Representatives",
        "party": "D",
        "transaction_type": "Purchase" if side is e.Side.BUY else "Sale",
        "amount_text": "$1,001 - $15,000",
        "amount_usd_min": Decimal(1_001),
        "amount_usd_max": Decimal(15_000),
    }
    if kind is e.RecordKind.INSIDER:
        facts = {
            "person_name": "COOK TIMOTHY D",
            "transaction_type": "P" if side is e.Side.BUY else "S",
            "officer_title": "CEO",
            "acquired_disposed_code": "A" if side is e.Side.BUY else "D",
            "shares": QUANTITY,
            "price_usd": PRICE,
        }
    return e.DisclosureRecorded(
        **envelope("ingestor", "run"),
        record_id=ID_OF["record"],
        version=1,
        change=e.RecordChange.CREATED,
        content_hash="c" * 64,
        kind=kind,
        run_id=ID_OF["run"],
        api_call_id=ID_OF["call"],
        row_number=0,
        ticker_text=SYMBOL,
        direction=direction,
        transacted_on=TRADED_ON,
        reported_on=REPORTED_ON,
        source_fields="{}",
        **facts,
    )


def _ready() -> e.SymbolDataReady:
    record = e.RecordReference(record_id=ID_OF["record"], version=1, event_id=ID_OF["record_event"])
    return e.SymbolDataReady(
        **envelope("ingestor", "run"),
        run_id=ID_OF["run"],
        task_name="data_fetch:congress_daily",
        data_source="quiverquant_congress",
        completed_at=AT,
        records_fetched=1_000,
        records=(record,),
    )


def _rationale(side: e.Side) -> e.Rationale:
    source = e.SourceRecord(
        record_id=ID_OF["record"],
        version=1,
        topic=TOPIC,
        partition=PARTITION,
        offset=RECORDED,
        event_id=ID_OF["record_event"],
        run_id=ID_OF["run"],
        person="Zoe Lofgren",
        direction=e.Direction(side.value),
        transacted_on=TRADED_ON,
        reported_on=REPORTED_ON,
    )
    run = e.LineageRun(
        run_id=ID_OF["run"],
        task_name="data_fetch:congress_daily",
        data_source="quiverquant_congress",
        completed_at=AT,
        records_fetched=1_000,
    )
    rule = e.RuleResult(
        rule="strength",
        value=Decimal("4.5"),
        threshold=Decimal(2),
        passed=True,
        explanation="4.5 against 2",
    )
    return e.Rationale(
        signal_strength=Decimal("4.5"),
        confidence_score=Decimal("0.85"),
        trigger_event=f"congressional_{side}",
        source_data=e.SourceData(
            records=(source,),
            politician_names=("Zoe Lofgren",),
            trade_dates=(date(2024, 1, 2),),
            consensus_detected=False,
        ),
        market_context=e.MarketContext(
            current_price=PRICE, price_as_of=AT, volume_20d_avg=Decimal(50_000_000)
        ),
        data_lineage=e.DataLineage(ingestion_runs=(run,)),
        rules=(rule,),
    )


def _answer(strategy: str, side: e.Side) -> dict[str, Any]:
    cause = e.Cause(
        topic=TOPIC, partition=PARTITION, offset=TRIGGERED, event_id=ID_OF["record_event"]
    )
    return {
        **envelope("decider", cause=cause),
        "decision_id": ID_OF["decision"],
        "strategy_name": strategy,
        "strategy_version": "1.1.0",
        "side": side,
        "rationale": _rationale(side),
        "view_through": TRIGGERED,
        "batch_id": ID_OF["run"],
        "configuration_hash": HASH,
    }


def _made(strategy: str, side: e.Side) -> e.DecisionMade:
    return e.DecisionMade(
        **_answer(strategy, side),
        quantity=QUANTITY,
        order_type=e.OrderType.MARKET,
        time_in_force=e.TimeInForce.DAY,
        api_call_ids=(ID_OF["call"],),
    )


def _declined(
    strategy: str, side: e.Side, reason: e.DeclineReason, text: str
) -> e.DecisionDeclined:
    return e.DecisionDeclined(**_answer(strategy, side), reason=reason, reason_text=text)


def _acted() -> e.OperatorActed:
    return e.OperatorActed(
        **envelope("cli", None),
        act=e.OperatorAct.HALT,
        operator="ann",
        why="earnings this evening",
        scope=f"symbol:{SYMBOL}",
        arguments="{}",
    )
