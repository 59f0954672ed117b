"""What people did, over rows as the auditor writes them: filters, answers, pages, and the same by SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests import auditor_story as story
from tests.integration.audit_schema import entries_of, fresh_schema, write
from tests.integration.auditor_harness import told_by_pages
from tests.oversight_story import ACTED_AT, act, told
from tradetrail.events import Event
from tradetrail.events.generated import OperatorAct
from tradetrail.reports.connection import open_reader
from tradetrail.reports.operator_acts import COLUMNS, ActFilter, operator_acts_report
from tradetrail.reports.queries import statement

pytestmark = pytest.mark.stack

Schema = tuple[str, str]
ORDER_AT = ACTED_AT + timedelta(days=1)


@pytest.fixture(scope="module")
def schema(stack: Any) -> Iterator[Schema]:
    """Return where the story's rows are, and two manual orders that the decider answered; the tests only read."""
    dsn = stack.addresses.postgres_dsn
    asked = [
        replace(
            act("cancel"),
            event_id=story.an_id("act", name),
            occurred_at=ORDER_AT + timedelta(minutes=n),
            act=OperatorAct.MANUAL_ORDER,
            symbol="AMD",
            scope="AMD",
            decision_id=None,
            idempotency_key=f"key-{n}",
        )
        for n, name in enumerate(("bought", "refused"))
    ]
    answers: list[Event] = [
        replace(story.decision("bought", "AMD", at=ORDER_AT), view_through=0),
        replace(story.declined("refused", "AMD", at=ORDER_AT), view_through=1),
    ]
    with fresh_schema(dsn) as (name, _):
        orders: list[tuple[str, str, Event]] = [
            ("manual", "AMD", event) for event in [*asked, *answers]
        ]
        write(dsn, name, entries_of([*told(), *orders]))
        yield dsn, name


def report(
    schema: Schema, limit: int = 100, after: str | None = None, **chosen: Any
) -> dict[str, Any]:
    with open_reader(*schema) as connection:
        return operator_acts_report(connection, ActFilter(**chosen), limit, after)


def test_every_act_says_who_what_why_and_when(schema: Schema) -> None:
    answer = report(schema)
    assert list(answer) == ["period", "filters", "totals", "next", "operator_acts"]
    assert all(set(row) == set(COLUMNS) for row in answer["operator_acts"])
    columns = ("act", "operator", "why", "symbol")
    assert [tuple(row[c] for c in columns) for row in answer["operator_acts"]] == [
        ("manual_order", "bob", "why cancel", "AMD"),
        ("manual_order", "bob", "why cancel", "AMD"),
        ("reconcile", "eve", "why reconcile", None),
        ("resume", "ann", "why resume", None),
        ("cancel_order", "bob", "why cancel", "NVDA"),
        ("halt", "ann", "test", None),
    ]
    assert answer["totals"] == {
        "operator_acts": 6,
        "acts": {"manual_order": 2, "cancel_order": 1, "halt": 1, "reconcile": 1, "resume": 1},
    }
    cancel = answer["operator_acts"][4]
    assert (cancel["acted_at"], cancel["decision_id"]) == (ACTED_AT, story.an_id("d", "dropped"))
    assert str(cancel["arguments"]["n"]) == "1.50"


def test_every_service_that_answered_is_told_in_the_order_of_time(schema: Schema) -> None:
    by_act = {row["act"]: row["answers"] for row in report(schema)["operator_acts"][2:]}
    columns = ("service", "member_id", "is_active", "outcome", "explanation")
    assert [tuple(each[c] for c in columns) for each in by_act["resume"]] == [
        ("executor", "m-1", True, "done", "m-1 has gone on"),
        ("executor", "m-2", False, "acknowledged", "m-2 has gone on"),
    ]
    (cancelled,) = by_act["cancel_order"]
    assert (cancelled["outcome"], cancelled["decision_status"]) == ("done", "cancelled")
    assert cancelled["answered_at"] == ACTED_AT + timedelta(seconds=1)
    assert by_act["reconcile"] == []


def test_the_decider_answers_a_manual_order_by_its_decision(schema: Schema) -> None:
    refused, bought = report(schema, act=OperatorAct.MANUAL_ORDER)["operator_acts"]
    columns = ("service", "outcome", "explanation", "decision_id", "decision_status")
    assert [tuple(each[c] for c in columns) for each in bought["answers"]] == [
        ("decider", "decision_made", "buy 10 AMD", story.an_id("d", "bought"), "pending")
    ]
    assert [tuple(each[c] for c in columns) for each in refused["answers"]] == [
        (
            *("decider", "decision_declined", "strength 2 is below 5"),
            *(story.an_id("d", "refused"), None),
        )
    ]
    assert (bought["idempotency_key"], refused["idempotency_key"]) == ("key-0", "key-1")


@pytest.mark.parametrize(
    ("chosen", "acts"),
    [
        ({"operator": "ann"}, ["resume", "halt"]),
        ({"act": OperatorAct.HALT}, ["halt"]),
        ({"symbol": "nvda"}, ["cancel_order"]),
        ({"operator": "ann", "symbol": "NVDA"}, []),
        ({"end": date(2020, 3, 2)}, ["halt"]),
        (
            {"start": date(2020, 3, 8), "end": date(2020, 3, 8)},
            ["reconcile", "resume", "cancel_order"],
        ),
    ],
    ids=lambda value: "-".join(str(v) for v in (value.values() if isinstance(value, dict) else [])),
)
def test_filters(schema: Schema, chosen: dict[str, Any], acts: list[str]) -> None:
    answer = report(schema, **chosen)
    assert [row["act"] for row in answer["operator_acts"]] == acts
    assert answer["totals"]["operator_acts"] == len(acts)


def test_pages_by_key_hold_every_act_once(schema: Schema) -> None:
    whole = report(schema)["operator_acts"]
    for limit in (1, 4):
        assert told_by_pages(lambda *page: report(schema, *page), "operator_acts", limit) == whole


def test_people_with_their_own_sql_see_the_same(schema: Schema) -> None:
    with open_reader(*schema, "tradetrail_compliance") as connection:
        found = connection.execute(
            "SELECT act.act_id, act.operator, act.why, count(told.answer_id) FROM operator_acts act "
            "LEFT JOIN operator_answers told USING (act_id) WHERE act.act <> 'manual_order' "
            "GROUP BY act.act_id ORDER BY act.acted_at DESC, act.act_id DESC"
        ).fetchall()
    rows = report(schema)["operator_acts"][2:]
    assert found == [(r["act_id"], r["operator"], r["why"], len(r["answers"])) for r in rows]


def test_answers_are_read_by_index(schema: Schema) -> None:
    with open_reader(*schema) as connection:
        # The tables are small here; what matters is that an index serves.
        connection.execute("SET enable_seqscan = off")
        query = "EXPLAIN " + statement("operator_acts_answers")
        lines = connection.execute(query, {"act_ids": ["x"]}).fetchall()
    assert not [line for (line,) in lines if "Seq Scan" in line]
