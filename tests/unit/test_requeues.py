"""What a requeue says, and when a later event rests on the one that would be appended anew."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from services.auditor.projections import project
from tests import auditor_story as story
from tests.auditor_rows import told_rows
from tests.integration.audit_schema import entries_of
from tradetrail.errors import UsageError
from tradetrail.events import Event, to_datum
from tradetrail.events import generated as e
from tradetrail.requeues import (
    EventPlace,
    depends,
    parse_place,
    place_text,
    read_requeue,
    requeue_arguments,
)

LETTER: EventPlace = ("trade.megacap", 0, 17)
NEW: EventPlace = ("trade.megacap", 0, 99)


def _act(arguments: str) -> e.OperatorActed:
    return replace(story.operator_act("again"), act=e.OperatorAct.REQUEUE, arguments=arguments)


def test_a_place_is_read_as_it_is_written() -> None:
    assert parse_place(place_text(LETTER)) == LETTER


@pytest.mark.parametrize(
    "text",
    ["", "t", "t/0", "/0/1", "t/0/-1", "t/x/1", "t/0/1/2", "t/2147483648/1", f"t/0/{1 << 63}"],
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="TOPIC/PARTITION/OFFSET"):
        parse_place(text)


def test_a_requeue_says_letter_and_place() -> None:
    assert read_requeue(requeue_arguments(LETTER, "id", NEW)) == (LETTER, NEW)


@pytest.mark.parametrize(
    "arguments",
    [
        "{}",
        "no json",
        "[" * 100_000,
        '{"letter":["t",0,1]}',
        '{"letter":["t",0,1],"requeued":["t",0,true]}',
        '{"letter":["t",0,1],"requeued":["t",0,-1]}',
        '{"letter":["t",0,1.5],"requeued":["t",0,1]}',
        '{"letter":["a\\u0000b",0,1],"requeued":["t",0,1]}',
        f'{{"letter":["t",0,1],"requeued":["t",0,{1 << 63}]}}',
        f'{{"letter":["{"t" * 250}",0,1],"requeued":["t",0,1]}}',
    ],
    ids=lambda text: text[:40],
)
def test_an_act_that_says_nothing_of_a_letter_changes_none(arguments: str) -> None:
    assert read_requeue(arguments) is None
    rows = told_rows(project(entries_of([("t", "k", _act(arguments))])))
    assert "dead_letters" not in rows
    assert len(rows["operator_acts"]) == 1


def test_a_requeue_stands_in_its_letters_row() -> None:
    act = _act(requeue_arguments(LETTER, "id", NEW))
    rows = told_rows(project(entries_of([("t", "k", act)])))["dead_letters"]
    row = rows[LETTER]
    told = [row[f"requeued_{name}"] for name in ("at", "by", "why", "topic", "partition", "offset")]
    assert told == [act.occurred_at, "ann", "again", *NEW]


def _said(event: Event) -> tuple[str, dict[str, Any]]:
    return event.TYPE.rpartition(".")[2], to_datum(event)


_STATUS = (e.OrderStatus.FILLED, e.DecisionStatus.EXECUTED)


@pytest.mark.parametrize(
    ("event", "later", "rests"),
    [
        (story.disclosure("a"), story.disclosure("a", version=2), True),
        (story.disclosure("a"), story.withdrawal("a", "AAPL", "F"), True),
        (story.disclosure("a"), story.decision("d", records=("a",)), True),
        (story.disclosure("a"), story.disclosure("b"), False),
        (story.disclosure("a"), story.decision("d", records=("b",)), False),
        (story.disclosure("a"), story.ready("r"), False),
        (story.run_started(), story.run_completed(), True),
        (story.run_started(), story.run_completed("run-2"), False),
        (story.run_started(), story.disclosure("a"), False),
        (story.decision("d"), story.submitting("d"), True),
        (story.decision("d"), story.declined("n"), True),
        (story.decision("d"), story.api_call(), False),
        (story.api_call(), story.decision("d"), False),
        (story.updated("d", *_STATUS), story.decision("e"), True),
        (story.decision("d"), _act(requeue_arguments(LETTER, "id", NEW)), False),
        (story.decision("d"), story.operator_act("halt"), True),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_rests_on_an_event(event: Event, later: Event, rests: bool) -> None:
    assert depends(*_said(event), *_said(later)) is rests


def test_arguments_are_canonical() -> None:
    text = requeue_arguments(LETTER, "id", NEW)
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
