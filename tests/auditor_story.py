"""A small trading story as events, for tests of the auditor and the reports: ids and times are functions of names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tradetrail.events import generated as e
from tradetrail.ids import derive_id

BEGIN = datetime(2020, 3, 2, 12, 0, tzinfo=UTC)
HASH = "c" * 64


def an_id(*names: object) -> str:
    """Return an id that is a function of ``names``."""
    return str(derive_id("story", *names))


def envelope(kind: str, *names: object, at: datetime = BEGIN, **more: Any) -> dict[str, Any]:
    """Return the leading fields of an event."""
    return {
        "event_id": an_id(kind, *names),
        "occurred_at": at,
        "service": "test",
        "service_version": "0",
        "instance": "test",
        **more,
    }


def configuration(digest: str = HASH) -> e.ConfigurationRecorded:
    """Return a recorded configuration."""
    return e.ConfigurationRecorded(
        **envelope("configuration", digest),
        configuration_hash=digest,
        scope="decider",
        configuration='{"threshold":"5"}',
    )


def run_started(run: str = "run-1", at: datetime = BEGIN) -> e.IngestionRunStarted:
    """Return the start of a run."""
    return e.IngestionRunStarted(
        **envelope("started", run, at=at, story_id=run),
        run_id=run,
        task_name="data_fetch:congress_daily",
        data_source="quiverquant_congress",
        data_date_start=date(2020, 3, 1),
        data_date_end=date(2020, 3, 2),
        trigger=e.RunTrigger.COMMAND,
        requested_by="test",
        configuration_hash=HASH,
    )


def run_completed(
    run: str = "run-1", records: Sequence[str] = (), at: datetime = BEGIN + timedelta(minutes=5)
) -> e.IngestionRunCompleted:
    """Return the end of a run that delivered ``records``."""
    return e.IngestionRunCompleted(
        **envelope("completed", run, at=at, story_id=run),
        run_id=run,
        task_name="data_fetch:congress_daily",
        data_source="quiverquant_congress",
        started_at=BEGIN,
        records_fetched=len(records),
        records_created=len(records),
        records_updated=0,
        records_skipped=0,
        records_flagged=0,
        flags={"late": 1},
        ingested_record_ids=tuple(records),
        findings=(
            e.RunFinding(
                code="vanished_records",
                subject="quiverquant_congress",
                message="a record's gone",
                details='{"count": 1, "examples": [{"person": "Zoë \\"Z\\" O\'Hara", "ticker": null}]}',
            ),
        ),
    )


def run_failed(run: str, at: datetime = BEGIN) -> e.IngestionRunFailed:
    """Return the failure of a run."""
    return e.IngestionRunFailed(
        **envelope("failed", run, at=at, story_id=run),
        run_id=run,
        task_name="data_fetch:congress_daily",
        data_source="quiverquant_congress",
        started_at=BEGIN,
        error_code="vendor_unavailable",
        error_message="the vendor answered 503",
        error_details='{"status": 503}',
        records_fetched=0,
    )


def api_call(run: str = "run-1") -> e.ApiCallRecorded:
    """Return a recorded vendor call."""
    return e.ApiCallRecorded(
        **envelope("call", run, story_id=run),
        call_id=an_id("call", run),
        purpose=e.CallPurpose.DISCLOSURES,
        run_id=run,
        vendor="quiverquant",
        method="GET",
        endpoint="/beta/live/congresstrading",
        request='{"query": {}}',
        requested_at=BEGIN,
        status_code=200,
        request_size_bytes=0,
        response_size_bytes=20,
        records_returned=2,
        duration_us=1500,
        body=b"[]",
        body_encoding=e.BodyEncoding.IDENTITY,
        body_sha256="a" * 64,
        chunk_index=0,
        chunk_count=1,
    )


def disclosure(
    record: str,
    symbol: str | None = "AAPL",
    *,
    version: int = 1,
    reported_on: date | None = date(2020, 3, 1),
    transacted_on: date | None = date(2020, 2, 10),
    run: str = "run-1",
    person: str = "Nancy Pelosi",
    **more: Any,
) -> e.DisclosureRecorded:
    """Return a politician's disclosed purchase; ``more`` replaces other fields."""
    fields: dict[str, Any] = {
        "kind": e.RecordKind.CONGRESS,
        "person_id": "P000197",
        "chamber": "Representatives",
        "party": "D",
        "transaction_type": "Purchase",
        "direction": e.Direction.BUY,
        "amount_text": "$1,001 - $15,000",
        "amount_usd_min": Decimal(1001),
        "amount_usd_max": Decimal(15000),
        "flags": ("late",),
        "source_fields": json.dumps({"Ticker": symbol}),
    }
    return e.DisclosureRecorded(
        **envelope("disclosure", record, version, symbol=symbol, story_id=run),
        record_id=an_id("record", record),
        version=version,
        change=e.RecordChange.CREATED if version == 1 else e.RecordChange.UPDATED,
        content_hash=f"{version:064x}",
        run_id=run,
        api_call_id=an_id("call", run),
        row_number=0,
        person_name=person,
        ticker_text=symbol,
        transacted_on=transacted_on,
        reported_on=reported_on,
        **(fields | more),
    )


def insider(record: str, symbol: str = "AAPL", **more: Any) -> e.DisclosureRecorded:
    """Return an insider's disclosed purchase."""
    fields: dict[str, Any] = {
        "kind": e.RecordKind.INSIDER,
        "person_id": None,
        "person": "COOK TIMOTHY D",
        "transaction_type": "P",
        "officer_title": "CEO",
        "is_director": True,
        "is_officer": True,
        "is_ten_percent_owner": False,
        "acquired_disposed_code": "A",
        "shares": Decimal("100.5"),
        "price_usd": Decimal("71.25"),
    }
    return disclosure(record, symbol, **(fields | more))


def withdrawal(
    record: str, symbol: str, moved_to: str | None, version: int = 2
) -> e.DisclosureWithdrawn:
    """Return what the old symbol of a moved record is told."""
    return e.DisclosureWithdrawn(
        **envelope("withdrawn", record, version, symbol=symbol, story_id="run-1"),
        record_id=an_id("record", record),
        version=version,
        moved_to_symbol=moved_to,
        reason=e.WithdrawalReason.MOVED,
        run_id="run-1",
        api_call_id=an_id("call", "run-1"),
    )


def ready(
    name: str, symbol: str = "AAPL", run: str = "run-1", at: datetime = BEGIN + timedelta(minutes=5)
) -> e.SymbolDataReady:
    """Return what makes the decider look at a symbol after a run."""
    return e.SymbolDataReady(
        **envelope("ready", name, at=at, symbol=symbol, story_id=run),
        run_id=run,
        task_name="data_fetch:congress_daily",
        data_source="quiverquant_congress",
        completed_at=at,
        records_fetched=2,
    )


def rationale(
    records: Sequence[str] = (), run: str = "run-1", strength: str = "8.5"
) -> e.Rationale:
    """Return a rationale that rests on ``records``."""
    sources = tuple(
        e.SourceRecord(
            record_id=an_id("record", name),
            version=1,
            topic="t",
            partition=0,
            offset=n,
            event_id=an_id("disclosure", name, 1),
            run_id=run,
            person="Nancy Pelosi",
            direction=e.Direction.BUY,
            transacted_on=date(2020, 2, 10),
            reported_on=date(2020, 3, 1),
        )
        for n, name in enumerate(records)
    )
    return e.Rationale(
        signal_strength=Decimal(strength),
        confidence_score=Decimal("0.85"),
        trigger_event="congressional_buy",
        source_data=e.SourceData(
            records=sources,
            politician_names=("Nancy Pelosi",),
            trade_dates=(date(2020, 2, 10),),
            consensus_detected=False,
        ),
        market_context=e.MarketContext(
            current_price=Decimal("72.33"), price_as_of=BEGIN, volume_20d_avg=Decimal(50000000)
        ),
        data_lineage=e.DataLineage(
            ingestion_runs=(
                e.LineageRun(
                    run_id=run,
                    task_name="data_fetch:congress_daily",
                    data_source="quiverquant_congress",
                    completed_at=BEGIN,
                    records_fetched=2,
                ),
            )
        ),
        rules=(
            e.RuleResult(
                rule="buyers",
                value=Decimal(1),
                threshold=Decimal(1),
                passed=True,
                explanation="1 buyer, 1 is enough",
            ),
        ),
    )


def decision(
    name: str = "d1",
    symbol: str = "AAPL",
    records: Sequence[str] = (),
    at: datetime = BEGIN + timedelta(minutes=6),
    side: e.Side = e.Side.BUY,
    quantity: str = "10",
    run: str = "run-1",
) -> e.DecisionMade:
    """Return a decision."""
    return e.DecisionMade(
        **envelope("decision", name, at=at, symbol=symbol, story_id=an_id("d", name)),
        decision_id=an_id("d", name),
        strategy_name="CongressionalTradingStrategy",
        strategy_version="1.0.0",
        side=side,
        quantity=Decimal(quantity),
        order_type=e.OrderType.MARKET,
        time_in_force=e.TimeInForce.DAY,
        rationale=rationale(records, run),
        view_through=5,
        batch_id=run,
        configuration_hash=HASH,
    )


def declined(
    name: str = "n1", symbol: str = "AAPL", at: datetime = BEGIN + timedelta(minutes=6)
) -> e.DecisionDeclined:
    """Return a declined signal."""
    return e.DecisionDeclined(
        **envelope("declined", name, at=at, symbol=symbol),
        decision_id=an_id("d", name),
        strategy_name="CongressionalTradingStrategy",
        strategy_version="1.0.0",
        reason=e.DeclineReason.BELOW_THRESHOLD,
        reason_text="strength 2 is below 5",
        rationale=rationale(strength="2"),
        view_through=5,
        batch_id="run-1",
        configuration_hash=HASH,
    )


def _check(passed: bool) -> e.RiskCheck:
    return e.RiskCheck(
        control=e.Control.ORDER_NOTIONAL,
        passed=passed,
        limit=Decimal(10000),
        observed=Decimal("723.30"),
        unit="USD",
        explanation="the order's value against its limit",
    )


def submitting(
    name: str = "d1",
    symbol: str = "AAPL",
    attempt: int = 1,
    at: datetime = BEGIN + timedelta(hours=2),
    side: e.Side = e.Side.BUY,
    quantity: str = "10",
) -> e.OrderSubmitting:
    """Return the intent to send an order."""
    return e.OrderSubmitting(
        **envelope("submitting", name, attempt, at=at, symbol=symbol, story_id=an_id("d", name)),
        execution_id=an_id("x", name, attempt),
        decision_id=an_id("d", name),
        attempt_number=attempt,
        client_order_id=f"tt-{name}-{attempt}",
        account="paper",
        side=side,
        quantity=Decimal(quantity),
        order_type=e.OrderType.MARKET,
        time_in_force=e.TimeInForce.DAY,
        endpoint="/v2/orders",
        method="POST",
        request='{"symbol": "AAPL", "qty": "10"}',
        risk_checks=(_check(True),),
        configuration_hash=HASH,
    )


def updated(
    name: str,
    status: e.OrderStatus,
    decision_status: e.DecisionStatus,
    *,
    symbol: str = "AAPL",
    attempt: int = 1,
    at: datetime = BEGIN + timedelta(hours=2, seconds=1),
    total: str = "0",
    fill: str | None = None,
    price: str | None = None,
    **more: Any,
) -> e.OrderUpdated:
    """Return a later state of an order."""
    return e.OrderUpdated(
        **envelope("updated", name, attempt, status, total, at=at, symbol=symbol),
        execution_id=an_id("x", name, attempt),
        decision_id=an_id("d", name),
        attempt_number=attempt,
        client_order_id=f"tt-{name}-{attempt}",
        account="paper",
        broker_order_id=more.pop("broker_order_id", f"broker-{name}-{attempt}"),
        status=status,
        decision_status=decision_status,
        source=e.UpdateSource.STREAM,
        filled_qty_total=Decimal(total),
        fill_qty=None if fill is None else Decimal(fill),
        fill_price=None if price is None else Decimal(price),
        filled_avg_price=None if price is None else Decimal(price),
        raw_response=more.pop("raw_response", json.dumps({"status": str(status)})),
        **more,
    )


def blocked(
    name: str, symbol: str = "AAPL", at: datetime = BEGIN + timedelta(hours=2)
) -> e.OrderBlocked:
    """Return an order that a control refused."""
    return e.OrderBlocked(
        **envelope("blocked", name, at=at, symbol=symbol),
        decision_id=an_id("d", name),
        attempt_number=1,
        account="paper",
        control=e.Control.BUYING_POWER,
        limit=Decimal(100),
        observed=Decimal(723),
        unit="USD",
        explanation="723 USD is more than the buying power of 100 USD",
        risk_checks=(_check(False),),
        configuration_hash=HASH,
    )


def filled_decision(
    name: str = "d1",
    symbol: str = "AAPL",
    records: Sequence[str] = (),
    side: e.Side = e.Side.BUY,
    day: timedelta = timedelta(0),
) -> list[e.Event]:
    """Return the events of a decision of 10 shares that fills in two parts, at 72.10 on average."""
    at = BEGIN + day
    executing, status = e.DecisionStatus.EXECUTING, e.OrderStatus
    sent = at + timedelta(hours=2)
    broker = sent + timedelta(seconds=3)
    return [
        decision(name, symbol, records, at=at + timedelta(minutes=6), side=side),
        submitting(name, symbol, at=sent, side=side),
        updated(name, status.ACCEPTED, executing, symbol=symbol, at=sent),
        updated(
            name,
            status.PARTIALLY_FILLED,
            executing,
            symbol=symbol,
            at=sent,
            total="4",
            fill="4",
            price="72",
            broker_at=sent,
        ),
        updated(
            name,
            status.FILLED,
            e.DecisionStatus.EXECUTED,
            symbol=symbol,
            at=sent + timedelta(seconds=4),
            total="10",
            fill="6",
            price="72.10",
            broker_at=broker,
        ),
    ]


def seat(member: str = "P000197", name: str = "Nancy Pelosi") -> e.CommitteeMembershipRecorded:
    """Return a committee seat."""
    return e.CommitteeMembershipRecorded(
        **envelope("seat", member),
        politician_id=member,
        politician_name=name,
        party="D",
        state="CA",
        chamber="House",
        committee_id="HSIF",
        committee_name="Energy and Commerce",
        valid_from=date(2020, 1, 1),
        change=e.SeatChange.CREATED,
        run_id="run-c",
        api_call_id=an_id("call", "run-c"),
    )


def sector(symbol: str = "AAPL") -> e.SectorRecorded:
    """Return a sector fact."""
    return e.SectorRecorded(
        **envelope("sector", symbol, symbol=symbol),
        company_name="Apple Inc.",
        sector="Technology",
        valid_from=date(2020, 1, 1),
        run_id="run-c",
    )


def operator_act(why: str = "test") -> e.OperatorActed:
    """Return a halt."""
    return e.OperatorActed(
        **envelope("act", why),
        act=e.OperatorAct.HALT,
        operator="ann",
        why=why,
        scope="everything",
        arguments="{}",
    )


def operator_answer(
    act: e.OperatorActed, key: str | None = None, **fields: Any
) -> e.OperatorAnswered:
    """Return an executor's answer to an act; of ``key``, that its waiting decision is cancelled."""
    cancelled = e.DecisionStatus.CANCELLED if key else None
    content: dict[str, Any] = {
        "act_id": act.event_id,
        "act": act.act,
        "account": "paper",
        "member_id": "m-1",
        "is_active": True,
        "outcome": e.AnswerOutcome.DONE if key else e.AnswerOutcome.ACKNOWLEDGED,
        "explanation": "cancelled before it was sent" if key else "nothing is in flight",
        "details": '{"in_flight":0}',
        "decision_id": an_id("d", key) if key else None,
        "decision_status": cancelled,
    }
    return e.OperatorAnswered(**envelope("answer", key or act.why), **content | fields)


def alert() -> e.AlertRaised:
    """Return an alert."""
    return e.AlertRaised(
        **envelope("alert"),
        rule="dead_letter",
        severity=e.Severity.CRITICAL,
        subject="t/0",
        message="look at it",
        deliveries=(e.AlertDelivery(channel="log", delivered=True, detail="ok"),),
    )


def read(key: str = "read-1", **more: Any) -> e.QueryRecorded:
    """Return a read under the compliance role, answered whole unless ``more`` says otherwise."""
    content: dict[str, Any] = {
        "reader": "cora",
        "role": "compliance",
        "query": "executed",
        "arguments": '{"symbol":"AAPL","limit":2}',
        "rows": 2,
        "read_id": an_id("read", key),
        "outcome": e.ReadOutcome.ANSWERED,
        "format": "json",
        "path": "/reports/executed",
        "request_id": f"request-{key}",
    }
    content |= more
    return e.QueryRecorded(**envelope("read", key, content["outcome"]), **content)


def export_reads(key: str = "export") -> list[e.QueryRecorded]:
    """Return what is recorded of an export: that it began, and that it was cut off."""
    begun, cut_off = e.ReadOutcome.EXPORT_BEGUN, e.ReadOutcome.EXPORT_CUT_OFF
    return [
        read(key, outcome=begun, rows=0, rows_expected=5_000, format="csv"),
        read(key, outcome=cut_off, rows=3_000, format="csv"),
    ]


def broker_order() -> e.BrokerOrderDiscovered:
    """Return an order that the log did not make."""
    return e.BrokerOrderDiscovered(
        **envelope("found", symbol="AAPL"),
        account="paper",
        broker_order_id="broker-elsewhere",
        strategy_name="manual",
        side=e.Side.SELL,
        quantity=Decimal(3),
        broker_status="filled",
        filled_qty_total=Decimal(3),
        filled_avg_price=Decimal("70.5"),
        raw_response="{}",
    )


def placed_story() -> list[tuple[str, str, e.Event]]:
    """Return a story over several topics as (topic without prefix, key, event); children partly before parents.

    One filled buy, one filled sell, one blocked and one rejected decision, one decline, two disclosures of AAPL (one in
    two versions), some of IBM, one of them moved to F, an insider's purchase, and one event of nearly every other kind.
    """
    default, mega = "default", "megacap"
    status, decided = e.OrderStatus, e.DecisionStatus
    story: list[tuple[str, str, e.Event]] = [
        (mega, "AAPL", disclosure("r1")),
        (mega, "AAPL", disclosure("r2", reported_on=date(2020, 2, 20))),
        (mega, "AAPL", disclosure("r2", version=2, reported_on=date(2020, 2, 21))),
        (mega, "AAPL", insider("i1")),
        (mega, "AAPL", ready("r1")),
        (default, "IBM", disclosure("r3", "IBM")),
        (default, "IBM", disclosure("r5", "IBM")),
        (default, "IBM", withdrawal("r5", "IBM", "F")),
        (default, "F", disclosure("r5", "F", version=2)),
        ("runs", "congress", disclosure("r4", None)),
        *((mega, "AAPL", event) for event in filled_decision("d1", records=("r1", "r2"))),
        (mega, "AAPL", declined("n1")),
        (mega, "AAPL", decision("d2", at=BEGIN + timedelta(days=1))),
        (mega, "AAPL", blocked("d2", at=BEGIN + timedelta(days=1, hours=1))),
        (mega, "AAPL", decision("d3", at=BEGIN + timedelta(days=1))),
        (mega, "AAPL", submitting("d3", at=BEGIN + timedelta(days=1, hours=1))),
        (
            mega,
            "AAPL",
            updated(
                "d3",
                status.REJECTED,
                decided.FAILED,
                at=BEGIN + timedelta(days=1, hours=1),
                broker_order_id=None,
                failure_reason=e.FailureReason.INSUFFICIENT_BUYING_POWER,
                error_message="insufficient buying power",
                raw_response="not json",
            ),
        ),
        *(
            (mega, "AAPL", event)
            for event in filled_decision("d4", side=e.Side.SELL, day=timedelta(days=2))
        ),
        (mega, "AAPL", broker_order()),
        ("runs", "congress", run_started("run-1")),
        ("runs", "congress", api_call("run-1")),
        ("runs", "congress", run_completed("run-1", [an_id("record", "r1")])),
        ("runs", "congress", run_started("run-2", at=BEGIN + timedelta(days=1))),
        ("runs", "congress", run_failed("run-2", at=BEGIN + timedelta(days=1))),
        ("reference", "P000197", seat()),
        ("reference", "AAPL", sector()),
        ("control", "decider", configuration()),
        ("control", "halt", operator_act()),
        ("account", "paper", operator_answer(operator_act())),
        ("audit", "t/0", alert()),
        ("audit", "cora", read()),
        *(("audit", "cora", event) for event in export_reads()),
    ]
    return story
