"""One trade's whole trail, over rows as the auditor writes them: attempts, checks, records, steps, the same by SQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests import auditor_story as story
from tests.integration.audit_schema import entries_of, fresh_schema, write
from tests.oversight_story import told
from tradetrail.errors import NotRecorded, UsageError
from tradetrail.reports.connection import open_reader
from tradetrail.reports.decision import COLUMNS, decision_report, decision_sheet
from tradetrail.reports.queries import statement

pytestmark = pytest.mark.stack

QUERIES = ("", "_executions", "_checks", "_records", "_runs", "_timeline")


@pytest.fixture(scope="module")
def schema(stack: Any) -> Iterator[tuple[str, str]]:
    """Return where the story's rows are; the tests only read."""
    dsn = stack.addresses.postgres_dsn
    orphan = story.submitting("orphan", "AMD")
    with fresh_schema(dsn) as (name, _):
        write(dsn, name, entries_of([*told(), ("default", "AMD", orphan)]))
        yield dsn, name


def trail(schema: tuple[str, str], name: str) -> dict[str, Any]:
    with open_reader(*schema) as connection:
        return decision_report(connection, story.an_id("d", name))


def test_a_decision_that_was_tried_twice_is_told_whole(schema: tuple[str, str]) -> None:
    report = trail(schema, "twice")
    assert list(report) == [
        *("decision", "totals", "executions", "risk_checks", "lineage", "timeline")
    ]
    decision = report["decision"]
    told = {key: decision[key] for key in ("outcome", "symbol", "side", "quantity", "status")}
    assert told == {
        "outcome": "made",
        "symbol": "IBM",
        "side": "buy",
        "quantity": 10,
        "status": "executed",
    }
    assert decision["created_at"] == story.BEGIN + timedelta(days=2)
    assert (decision["strategy"], decision["strategy_version"]) == (
        *("CongressionalTradingStrategy", "1.0.0"),
    )
    assert decision["rationale"]["market_context"]["current_price"] == Decimal("72.33")
    assert report["totals"] == {
        "executions": 2,
        "risk_checks": 2,
        "risk_checks_failed": 0,
        "records": 1,
        "runs": 1,
        "timeline": 9,
    }

    first, second = report["executions"]
    assert [row["attempt"] for row in (first, second)] == [1, 2]
    assert (first["status"], first["error_code"]) == ("rejected", "insufficient_buying_power")
    assert (second["filled_quantity"], second["filled_avg_price"], second["commission"]) == (
        *(10, 100, Decimal("1.5")),
    )
    assert second["previous_execution_id"] == first["execution_id"]
    assert second["api_request"]["endpoint"] == "/v2/orders"
    assert second["api_request"]["payload"] == {"symbol": "AAPL", "qty": "10"}
    assert second["api_response"] == {"status": "filled"}

    (record,) = report["lineage"]["records"]
    assert (record["record_id"], record["version"]) == (story.an_id("record", "r3"), 1)
    assert (record["amount_usd_min"], record["flags"]) == (1001, ["late"])
    assert record["appended_at"] is not None
    (run,) = report["lineage"]["runs"]
    assert (run["ingestion_run_id"], run["status"], run["api_calls"]) == ("run-1", "completed", 1)


def test_every_step_has_the_seconds_since_the_step_before(schema: tuple[str, str]) -> None:
    timeline = trail(schema, "twice")["timeline"]
    assert [(row["step"], row["seconds_since_previous"]) for row in timeline[3:]] == [
        ("decision_made", 2 * 86400 - 300),
        ("order_submitting", 60),
        ("order_rejected", Decimal("1.5")),
        ("order_submitting", Decimal("118.5")),
        ("vendor_called", 0),
        ("order_filled", 60),
    ]
    assert timeline[0]["seconds_since_previous"] is None
    assert all("rationale" not in row["details"] for row in timeline)
    assert timeline[-1]["details"]["fill_quantity"] == 10


def test_a_check_that_passed_and_the_one_that_blocked_are_both_told(
    schema: tuple[str, str],
) -> None:
    report = trail(schema, "d2")
    assert (report["decision"]["status"], report["decision"]["reason"]) == ("failed", "blocked")
    assert report["decision"]["control"] == "buying_power"
    assert report["executions"] == []
    columns = ("attempt", "control", "passed", "limit", "observed", "unit", "execution_id")
    assert [tuple(check[c] for c in columns) for check in report["risk_checks"]] == [
        (1, "order_notional", True, 10000, Decimal("723.3"), "USD", None),
        (1, "buying_power", False, 100, 723, "USD", None),
    ]
    assert report["totals"]["risk_checks_failed"] == 1
    assert [row["step"] for row in report["timeline"]][-2:] == ["decision_made", "order_blocked"]


def test_a_declined_signal_has_a_trail_too(schema: tuple[str, str]) -> None:
    report = trail(schema, "n1")
    decision = report["decision"]
    assert (decision["outcome"], decision["status"]) == ("declined", "declined")
    assert (decision["reason"], decision["reason_text"]) == (
        *("below_threshold", "strength 2 is below 5"),
    )
    assert decision["quantity"] is None
    assert decision["rationale"]["rules"][0]["rule"] == "buyers"
    assert (report["executions"], report["risk_checks"]) == ([], [])
    assert [run["ingestion_run_id"] for run in report["lineage"]["runs"]] == ["run-1"]
    assert report["timeline"][-1]["step"] == "decision_declined"


def test_a_persons_order_names_the_person_and_an_acts_steps(schema: tuple[str, str]) -> None:
    manual = trail(schema, "open")["decision"]
    assert (manual["made_by"], manual["why"], manual["strategy"]) == ("ann", "cheap", "manual")
    dropped = trail(schema, "dropped")
    assert dropped["decision"]["status"] == "cancelled"
    steps = [(row["step"], row["explanation"]) for row in dropped["timeline"]][-2:]
    assert steps == [
        ("operator_acted", "bob: why cancel"),
        ("operator_answered", "cancelled before it was sent"),
    ]


def test_orders_of_a_decision_that_nobody_could_read_are_told(schema: tuple[str, str]) -> None:
    report = trail(schema, "orphan")
    decision = report["decision"]
    assert (decision["created_at"], decision["rationale"], decision["topic"]) == (None, None, None)
    assert decision["status"] == "executing"
    assert [row["attempt"] for row in report["executions"]] == [1]
    assert report["lineage"] == {"records": [], "runs": []}


def test_the_flat_form_has_a_place_for_every_key(schema: tuple[str, str]) -> None:
    assert len(set(COLUMNS)) == len(COLUMNS)
    for name in ("twice", "d2", "n1", "dropped"):
        for row in decision_sheet(trail(schema, name)).rows:
            assert set(row) <= set(COLUMNS)


def test_what_is_not_recorded_and_what_can_be_no_id(schema: tuple[str, str]) -> None:
    with pytest.raises(NotRecorded, match="no decision"):
        trail(schema, "nobody")
    with open_reader(*schema) as connection, pytest.raises(UsageError, match="decision id"):
        decision_report(connection, "a\x00b")


def test_people_with_their_own_sql_see_the_same(schema: tuple[str, str]) -> None:
    with open_reader(*schema, "tradetrail_compliance") as connection:
        for name in ("twice", "n1"):
            found = connection.execute(
                "SELECT step_number, step, occurred_at, extract(epoch FROM since_previous) FROM decision_audit_trail "
                "WHERE decision_id = %s ORDER BY step_number",
                (story.an_id("d", name),),
            ).fetchall()
            keys = ("step_number", "step", "occurred_at", "seconds_since_previous")
            told = trail(schema, name)["timeline"]
            assert found == [tuple(row[key] for key in keys) for row in told]


def test_one_decisions_trail_reads_no_table_whole(schema: tuple[str, str]) -> None:
    with open_reader(*schema) as connection:
        # The tables are small here; what matters is that an index serves.
        connection.execute("SET enable_seqscan = off")
        for query in QUERIES:
            lines = connection.execute(
                "EXPLAIN " + statement(f"decision{query}"), {"decision_id": "x"}
            ).fetchall()
            plan = "\n".join(line for (line,) in lines)
            assert "Seq Scan" not in plan, f"{query}\n{plan}"
