"""Orders of unknown fate, over rows as the auditor writes them: what was tried, what they hold, and the same by SQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests import auditor_story as story
from tests.integration.audit_schema import entries_of, fresh_schema, write
from tests.integration.auditor_harness import told_by_pages
from tests.oversight_story import LOOKED_AT, LOST_AT, SENT_AT, told
from tradetrail.reports.connection import open_reader
from tradetrail.reports.queries import statement
from tradetrail.reports.unresolved import (
    COLUMNS,
    UnresolvedFilter,
    unresolved_report,
    unresolved_sheet,
)

pytestmark = pytest.mark.stack

Schema = tuple[str, str]


@pytest.fixture(scope="module")
def schema(stack: Any) -> Iterator[Schema]:
    """Return where the story's rows are; the tests only read."""
    dsn = stack.addresses.postgres_dsn
    with fresh_schema(dsn) as (name, _):
        write(dsn, name, entries_of(told()))
        yield dsn, name


def report(
    schema: Schema, limit: int = 100, after: str | None = None, **chosen: Any
) -> dict[str, Any]:
    with open_reader(*schema) as connection:
        return unresolved_report(connection, UnresolvedFilter(**chosen), limit, after)


def test_every_order_without_a_definite_state_is_told_oldest_first(schema: Schema) -> None:
    answer = report(schema)
    columns = ("execution_id", "symbol", "status", "unresolved_since", "answers", "newest_source")
    assert [tuple(row[c] for c in columns) for row in answer["unresolved"]] == [
        (
            *(story.an_id("x", "lost", 1), "MSFT", "unknown"),
            *(LOST_AT + timedelta(seconds=5), 2, "lookup"),
        ),
        (story.an_id("x", "sent", 1), "GE", "submitting", SENT_AT, 0, "executor"),
    ]
    assert answer["totals"] == {
        "unresolved": 2,
        "submitting": 1,
        "unknown": 1,
        "oldest_since": LOST_AT + timedelta(seconds=5),
        "symbols_held": ["GE", "MSFT"],
        "contradicted": 1,
    }
    assert answer["next"] is None


def test_what_was_tried_and_what_the_broker_says(schema: Schema) -> None:
    lost, sent = report(schema)["unresolved"]
    columns = ("at", "source", "status", "endpoint", "status_code")
    by_id = "/v2/orders:by_client_order_id"
    assert [tuple(each[c] for c in columns) for each in lost["tried"]] == [
        (LOST_AT + timedelta(seconds=5), "post", "unknown", None, None),
        (LOST_AT + timedelta(minutes=10), "lookup", "unknown", by_id, 404),
        (LOOKED_AT[1], "order_lookup", None, by_id, 404),
    ]
    assert lost["reason"] == "broker_unavailable"
    assert (lost["broker_status"], lost["error_message"]) == (
        *("not_found", "the broker has no order of this id yet"),
    )
    assert lost["api_response"] == {"code": 40410000}
    assert (lost["client_order_id"], lost["alpaca_order_id"]) == ("tt-lost-1", None)
    assert (sent["tried"], sent["broker_status"]) == ([], None)


def test_each_holds_its_symbol_and_names_the_command_that_settles_it(schema: Schema) -> None:
    lost, sent = report(schema)["unresolved"]
    assert (lost["symbol_held"], lost["decisions_waiting"]) == ("MSFT", 1)
    assert (sent["symbol_held"], sent["decisions_waiting"]) == ("GE", 0)
    assert lost["settle_command"] == (
        f"tradetrail order resolve {story.an_id('x', 'lost', 1)} OUTCOME --symbol MSFT --as WHO "
        '--why "WHY"'
    )


def test_an_order_that_the_broker_has_otherwise_is_told_apart(schema: Schema) -> None:
    (found,) = report(schema)["contradicted"]
    columns = ("alpaca_order_id", "symbol", "recorded_status", "broker_status", "explanation")
    assert tuple(found[c] for c in columns) == (
        *("broker-d3-1", "AAPL", "rejected", "filled"),
        "recorded as rejected, filled at the broker",
    )
    assert (found["recorded_filled_quantity"], found["broker_filled_quantity"]) == (0, 3)


def test_filters_and_pages(schema: Schema) -> None:
    only = report(schema, symbol="ge")
    assert [row["symbol"] for row in only["unresolved"]] == ["GE"]
    assert (only["totals"]["symbols_held"], only["contradicted"]) == (["GE"], [])
    assert report(schema, account="live")["totals"]["unresolved"] == 0
    assert report(schema, symbol="ZZZZ")["unresolved"] == []
    rows = told_by_pages(lambda *page: report(schema, *page), "unresolved", 1)
    assert rows == report(schema)["unresolved"]


def test_the_flat_form_has_a_place_for_every_key(schema: Schema) -> None:
    rows = list(unresolved_sheet(report(schema)).rows)
    assert [row["section"] for row in rows] == ["unresolved", "unresolved", "contradicted"]
    assert all(set(row) <= set(COLUMNS) for row in rows)
    assert len(set(COLUMNS)) == len(COLUMNS)


def test_people_with_their_own_sql_see_the_same(schema: Schema) -> None:
    columns = ("execution_id", "symbol", "status", "unresolved_since", "answers", "newest_source")
    with open_reader(*schema, "tradetrail_compliance") as connection:
        found = connection.execute(
            "SELECT execution_id, symbol, status, unresolved_since, answers, newest_source FROM unresolved_orders "
            "ORDER BY unresolved_since"
        ).fetchall()
    assert found == [tuple(row[c] for c in columns) for row in report(schema)["unresolved"]]


def test_no_table_is_read_whole(schema: Schema) -> None:
    arguments = dict.fromkeys(("symbol", "account", "after_at", "after_id"))
    ids = {"execution_ids": ["x"], "decision_ids": ["d"], "rows_max": 3}
    with open_reader(*schema) as connection:
        # The tables are small here; what matters is that an index serves.
        connection.execute("SET enable_seqscan = off")
        for query in ("page", "totals", "tried", "contradicted"):
            lines = connection.execute(
                "EXPLAIN " + statement(f"unresolved_{query}"), {**arguments, **ids}
            ).fetchall()
            plan = "\n".join(line for (line,) in lines)
            assert "Seq Scan" not in plan, f"{query}\n{plan}"
