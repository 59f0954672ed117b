"""Projections are pure, and their rows do not depend on how partitions interleave or batches are cut."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.auditor.entry import Entry, json_text
from services.auditor.projections import PROJECTIONS, project
from tests import auditor_story as story
from tests.auditor_rows import all_rows, told_rows
from tradetrail.events import CATALOGUE, Event, to_datum
from tradetrail.events import generated as e
from tradetrail.events.generated import DeadLetterReason
from tradetrail.log.codec import BadEvent, Decoded
from tradetrail.log.reader import Received
from tradetrail.log.straight import as_texts

APPENDED = datetime(2026, 1, 1, tzinfo=UTC)


def entry(event: Event, topic: str = "t", partition: int = 0, offset: int = 0) -> Entry:
    message = Received(topic, partition, offset, b"k", b"v", APPENDED + timedelta(seconds=offset))
    return Entry(message, Decoded(event.TYPE, 1, to_datum(event)))


def placed(events: Sequence[tuple[str, str, Event]]) -> dict[str, list[Entry]]:
    partitions: dict[str, list[Entry]] = {}
    for topic, _, event in events:
        entries = partitions.setdefault(topic, [])
        entries.append(entry(event, topic, 0, len(entries)))
    return partitions


def only(table: str, *events: Event) -> dict[str, object]:
    entries = [entry(event, offset=n) for n, event in enumerate(events)]
    rows = told_rows(project(entries))[table]
    assert len(rows) == 1
    return next(iter(rows.values()))


def test_every_projected_type_is_in_the_catalogue() -> None:
    assert {f"tradetrail.events.{name}" for name in PROJECTIONS} <= CATALOGUE.keys()


def test_every_change_fills_exactly_the_key_and_the_columns_of_its_group() -> None:
    for entries in placed(story.placed_story()).values():
        for change in project(entries):
            names = (*change.table.key, *change.group.columns)
            assert len(change.values) == len(names), change.table.name
            values = dict(zip(names, change.values, strict=True))
            assert None not in [values[name] for name in change.group.guard], change.table.name


def test_no_field_has_the_name_of_a_place() -> None:
    # What an event says and where it stands share one dictionary.
    place = entry(story.run_started()).position().keys()
    for cls in CATALOGUE.values():
        assert place.isdisjoint(field.name for field in fields(cls)), cls


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_rows_do_not_depend_on_interleaving_or_repetition(data: st.DataObject) -> None:
    partitions = placed(story.placed_story())
    in_order = all_rows([c for entries in partitions.values() for c in project(entries)])
    queues = [list(entries) for entries in partitions.values()]
    mixed: list[Entry] = []
    while any(queues):
        queue = data.draw(st.sampled_from([q for q in queues if q]))
        mixed.append(queue.pop(0))
        if data.draw(st.booleans()):
            mixed.append(mixed[data.draw(st.integers(0, len(mixed) - 1))])
    assert all_rows(project(mixed)) == in_order


def test_an_event_read_in_texts_makes_the_same_rows() -> None:
    for entries in placed(story.placed_story()).values():
        for typed in entries:
            assert typed.decoded is not None
            decoded = replace(typed.decoded, datum=as_texts(typed.decoded.datum))
            told = [as_texts(list(change.values)) for change in project([typed])]
            texts = [list(change.values) for change in project([Entry(typed.message, decoded)])]
            assert texts == told


def test_a_child_makes_a_stub_of_its_parent_that_the_parent_fills() -> None:
    child = entry(story.disclosure("r1"), offset=7)
    rows = all_rows(project([child]))
    assert rows["data_ingestion_runs"] == {("run-1",): {"run_id": "run-1"}}
    assert rows["politician_profiles"] == {("P000197",): {"politician_id": "P000197"}}
    rows = all_rows(project([child, entry(story.run_started(), topic="runs")]))
    assert rows["data_ingestion_runs"][("run-1",)]["status"] == "running"


def test_what_a_run_found_is_kept_as_it_was_written() -> None:
    finding = e.RunFinding(
        code="missing_records",
        subject="quiverquant_congress",
        message='a "quoted" one',
        details='{"count":2,"share":0.10}',
    )
    completed = replace(story.run_completed(), findings=(finding, replace(finding, details="{")))
    row = only("data_ingestion_runs", story.run_started(), completed)
    said = {
        "code": finding.code,
        "subject": finding.subject,
        "message": finding.message,
    }
    assert json.loads(str(row["findings"]), parse_float=Decimal) == [
        {**said, "details": {"count": 2, "share": Decimal("0.10")}},
        {**said, "details": "{"},
    ]
    assert only("data_ingestion_runs", story.run_started())["findings"] == "[]"
    assert only("data_ingestion_runs", story.run_failed("run-1"))["findings"] == "[]"


def test_an_answer_tells_how_far_it_read_the_reference_topic() -> None:
    read = (e.LogPosition(topic="reference", partition=0, offset=7),)
    for table, event in (
        ("trade_decisions", story.decision()),
        ("declined_decisions", story.declined()),
    ):
        assert only(table, event)["reference_through"] == "[]"
        row = only(table, replace(event, reference_through=read))
        assert json.loads(str(row["reference_through"])) == [
            {"topic": "reference", "partition": 0, "offset": 7}
        ]


def test_a_trigger_is_a_row_with_its_run_and_its_place() -> None:
    row = only("symbol_data_ready", story.ready("t1", "IBM", "run-7"))
    assert (row["symbol"], row["run_id"], row["offset"]) == ("IBM", "run-7", 0)
    assert row["ready_at"] == story.BEGIN + timedelta(minutes=5)


def test_a_filled_decision() -> None:
    events = story.filled_decision()
    decision = only("trade_decisions", *events)
    assert decision["status"] == "executed"
    assert decision["executed_at"] == story.BEGIN + timedelta(hours=2, seconds=3)
    execution = only("trade_executions", *events)
    assert execution["status"] == "filled"
    assert execution["filled_quantity"] == Decimal(10)
    assert execution["filled_at"] == story.BEGIN + timedelta(hours=2, seconds=3)
    history = told_rows(project(entry(ev, offset=n) for n, ev in enumerate(events)))
    statuses = [row["status"] for row in history["trade_execution_history"].values()]
    assert statuses == ["submitting", "accepted", "partially_filled", "filled"]


def test_a_late_snapshot_changes_the_status_but_not_the_time_of_the_fill() -> None:
    snapshot = story.updated(
        "d1",
        e.OrderStatus.FILLED,
        e.DecisionStatus.EXECUTED,
        total="10",
        at=story.BEGIN + timedelta(days=1),
        broker_order_id=None,
        raw_response=None,
    )
    execution = only("trade_executions", *story.filled_decision(), snapshot)
    assert execution["filled_at"] == story.BEGIN + timedelta(hours=2, seconds=3)
    assert execution["alpaca_order_id"] == "broker-d1-1"
    assert execution["filled_avg_price"] == Decimal("72.10")


def test_a_blocked_decision_failed_by_its_control() -> None:
    decision = only("trade_decisions", story.decision("d2"), story.blocked("d2"))
    assert (decision["status"], decision["failure_reason"]) == ("failed", "blocked")
    assert decision["failure_control"] == "buying_power"


def test_a_retry_counts() -> None:
    decision = only("trade_decisions", story.decision("d5"), story.submitting("d5", attempt=3))
    assert (decision["status"], decision["retry_count"]) == ("executing", 2)


@pytest.mark.parametrize(
    ("details", "retries"), [(None, 0), ('{"attempt_number":3}', 2), ("{", 0)], ids=range(3)
)
def test_a_decision_that_a_person_cancelled_while_it_waited(
    details: str | None, retries: int
) -> None:
    answer = story.operator_answer(story.operator_act(), "d6", details=details)
    decision = only("trade_decisions", story.decision("d6"), answer)
    assert (decision["status"], decision["failure_reason"]) == ("cancelled", "operator_cancelled")
    assert (decision["cancelled_at"], decision["retry_count"]) == (story.BEGIN, retries)
    assert decision["failure_message"] == "cancelled before it was sent"


def test_an_answer_to_an_act_stands_beside_it() -> None:
    act = story.operator_act()
    row = only("operator_answers", story.operator_answer(act), act)
    assert (row["act_id"], row["outcome"]) == (act.event_id, "acknowledged")
    assert only("operator_acts", act, story.operator_answer(act))["operator"] == "ann"


def test_a_read_is_a_row_that_the_end_of_an_export_completes() -> None:
    row = only("report_reads", story.read())
    assert (row["outcome"], row["rows"], row["ended_at"]) == ("answered", 2, row["read_at"])
    begun, ended = story.export_reads()
    row = only("report_reads", begun)
    assert (row["outcome"], row["rows"], row["ended_at"]) == ("export_begun", None, None)
    for events in ((begun, ended), (begun, ended, begun, ended)):
        row = only("report_reads", *events)
        assert (row["outcome"], row["rows"], row["rows_expected"]) == (
            "export_cut_off",
            3_000,
            5_000,
        )


def test_a_read_of_the_first_release_has_an_id_all_the_same() -> None:
    old = replace(story.read(), read_id=None, outcome=None, path=None, format=None, request_id=None)
    row = only("report_reads", old)
    assert (row["read_id"], row["outcome"], row["rows"]) == (old.event_id, "answered", 2)


def test_a_discovered_order_names_the_execution_it_belongs_to() -> None:
    found = replace(story.broker_order(), execution_id="x-1", explanation="recorded as not sent")
    row = only("alpaca_orders", found)
    assert row["discovered_execution_id"] == "x-1"
    assert row["discovered_explanation"] == "recorded as not sent"


def test_an_unreadable_event_and_its_dead_letter_make_one_row_in_either_order() -> None:
    message = Received("t", 1, 5, b"AAPL", b"junk", APPENDED)
    bad = Entry(message, bad=BadEvent(DeadLetterReason.NOT_AVRO, "no \x00 event", 1 << 31))
    letter = entry(
        e.EventDeadLettered(
            **story.envelope("letter"),
            source_topic="t",
            source_partition=1,
            source_offset=5,
            source_key=b"AAPL",
            source_value=b"junk",
            reason_code=DeadLetterReason.NOT_AVRO,
            reason="no \ufffd event",
        ),
        "dead-letters",
    )
    one = told_rows(project([bad, letter]))
    assert one == told_rows(project([letter, bad]))
    row = one["dead_letters"][("t", 1, 5)]
    assert row["schema_id"] is None
    assert row["reason"] == "no \ufffd event"
    assert row["topic"] == "dead-letters"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"a": 1.10}', '{"a": 1.10}'),
        ("not json", '"not json"'),
        ("NaN", '"NaN"'),
        ('"\\u0000"', '"\\"\\\\u0000\\""'),
        (None, None),
    ],
)
def test_texts_that_should_be_json_are_kept_whatever_they_are(text: str | None, kept: str) -> None:
    assert json_text(text) == kept
