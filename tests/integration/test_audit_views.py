"""The views of the audit database say what a small story says, also after the schema was renamed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from tests import auditor_story as story
from tests.integration.audit_schema import entries_of, fresh_schema, write
from tests.trades_story import placed
from tradetrail.events import Event
from tradetrail.events import generated as e

pytestmark = pytest.mark.stack


def _story() -> list[tuple[str, str, Event]]:
    """Return the story, and besides: an order of unknown fate, one that waits at the broker, a cancelled decision."""
    status, decided = e.OrderStatus, e.DecisionStatus
    late = story.BEGIN + timedelta(days=3)
    default: list[Event] = [
        story.decision("u", "IBM", at=late),
        story.submitting("u", "IBM", at=late),
        story.updated(
            "u", status.UNKNOWN, decided.EXECUTING, symbol="IBM", at=late, broker_order_id=None
        ),
        story.decision("o", "GE", at=late),
        story.submitting("o", "GE", at=late),
        story.updated(
            *("o", status.PARTIALLY_FILLED, decided.EXECUTING),
            symbol="GE",
            at=late,
            total="4",
            fill="4",
            price="12.5",
        ),
        story.decision("c", "F", at=late),
        story.operator_answer(story.operator_act("no"), "c", symbol="F"),
    ]
    return [*placed(), *(("default", event.symbol or "", event) for event in default)]


@pytest.fixture(scope="module")
def told(stack: Any) -> Iterator[psycopg.Connection[Any]]:
    """Return a reader's connection to the story in a schema that was renamed after it was made."""
    dsn = stack.addresses.postgres_dsn
    with fresh_schema(dsn) as (name, connection):
        write(dsn, name, entries_of(_story()))
        renamed = f"{name}_b"
        connection.execute(
            sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(
                sql.Identifier(name), sql.Identifier(renamed)
            )
        )
        connection.execute("SELECT set_config('search_path', %s, false)", (renamed,))
        connection.execute("SET ROLE tradetrail_compliance")
        yield connection
        connection.execute("RESET ROLE")
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(renamed)))


def rows(
    connection: psycopg.Connection[Any], query: LiteralString, *arguments: Any
) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, arguments).fetchall()


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2020, 3, day, hour, minute, second, tzinfo=UTC)


def test_executed_trades_are_what_was_bought_and_sold(told: psycopg.Connection[Any]) -> None:
    found = rows(
        told,
        "SELECT decision_id, symbol, side, quantity, filled_quantity, filled_price, filled_value_usd, executed_at, "
        "decision_status, alpaca_order_ids, rationale->>'trigger_event' AS trigger FROM executed_trades "
        "ORDER BY executed_at NULLS LAST",
    )
    common = {"quantity": 10, "trigger": "congressional_buy"}
    whole = common | {
        "filled_quantity": 10,
        "filled_price": Decimal("72.1"),
        "filled_value_usd": 721,
    }
    assert found == [
        whole
        | {
            "decision_id": story.an_id("d", name),
            "symbol": "AAPL",
            "side": side,
            "executed_at": when,
            "decision_status": "executed",
            "alpaca_order_ids": [f"broker-{name}-1"],
        }
        for name, side, when in (
            ("d1", "buy", at(2, 14, 0, 3)),
            ("d4", "sell", at(4, 14, 0, 3)),
        )
    ] + [
        common
        | {
            "decision_id": story.an_id("d", "o"),
            "symbol": "GE",
            "side": "buy",
            "filled_quantity": 4,
            "filled_price": Decimal("12.5"),
            "filled_value_usd": 50,
            "executed_at": at(5, 12),
            "decision_status": "executing",
            "alpaca_order_ids": ["broker-o-1"],
        }
    ]


def test_failed_trades_and_their_reasons(told: psycopg.Connection[Any]) -> None:
    failed = rows(
        told,
        "SELECT decision_id, failed_at, failure_reason, failure_control, failure_message, limit_value, observed_value, "
        "unit, executions, filled_quantity, execution_status FROM failed_trades ORDER BY failure_reason",
    )
    assert failed == [
        {
            "decision_id": story.an_id("d", "d2"),
            "failed_at": at(3, 13),
            "failure_reason": "blocked",
            "failure_control": "buying_power",
            "failure_message": "723 USD is more than the buying power of 100 USD",
            "limit_value": 100,
            "observed_value": 723,
            "unit": "USD",
            "executions": 0,
            "filled_quantity": 0,
            "execution_status": None,
        },
        {
            "decision_id": story.an_id("d", "d3"),
            "failed_at": at(3, 13),
            "failure_reason": "insufficient_buying_power",
            "failure_control": None,
            "failure_message": "insufficient buying power",
            "limit_value": None,
            "observed_value": None,
            "unit": None,
            "executions": 1,
            "filled_quantity": 0,
            "execution_status": "rejected",
        },
    ]
    reasons = rows(
        told,
        "SELECT failure_reason, failure_control, failures, percent_of_failures, symbols, strategies, newest_message "
        "FROM failure_reasons ORDER BY failure_reason",
    )
    assert [tuple(reason.values()) for reason in reasons] == [
        (
            *("blocked", "buying_power", 1, Decimal("50.00"), 1, ["CongressionalTradingStrategy"]),
            "723 USD is more than the buying power of 100 USD",
        ),
        (
            *("insufficient_buying_power", None, 1, Decimal("50.00"), 1),
            *(["CongressionalTradingStrategy"], "insufficient buying power"),
        ),
    ]


def test_a_strategys_performance_is_apart_from_the_brokers(told: psycopg.Connection[Any]) -> None:
    (found,) = rows(told, "SELECT * FROM strategy_performance")
    rate = found.pop("success_rate")
    assert str(rate) == "28.57"
    assert found == {
        "strategy_name": "CongressionalTradingStrategy",
        "strategy_version": "1.0.0",
        "total_signals": 7,
        "declined": 1,
        "pending": 0,
        "executing": 2,
        "executed": 2,
        "failed": 2,
        "blocked": 1,
        "cancelled": 1,
        "first_at": at(2, 12, 6),
        "last_at": at(5, 12),
    }


def test_open_and_unresolved_orders(told: psycopg.Connection[Any]) -> None:
    waiting = rows(
        told,
        "SELECT symbol, status, is_unresolved, filled_quantity, remaining_quantity, decision_status FROM open_orders "
        "ORDER BY symbol",
    )
    assert [tuple(row.values()) for row in waiting] == [
        ("GE", "partially_filled", False, 4, 6, "executing"),
        ("IBM", "unknown", True, 0, 10, "executing"),
    ]
    unresolved = rows(
        told,
        "SELECT decision_id, symbol, status, unresolved_since, answers, newest_source, client_order_id "
        "FROM unresolved_orders",
    )
    assert [tuple(row.values()) for row in unresolved] == [
        (story.an_id("d", "u"), "IBM", "unknown", at(5, 12), 1, "stream", "tt-u-1")
    ]


def test_all_activity_of_a_symbol(told: psycopg.Connection[Any]) -> None:
    found = rows(
        told,
        "SELECT activity, count(*) AS count, sum(quantity) AS quantity FROM symbol_activity WHERE symbol = 'AAPL' "
        "GROUP BY activity ORDER BY activity",
    )
    assert {row["activity"]: (row["count"], row["quantity"]) for row in found} == {
        "broker_order_discovered": (1, 3),
        "data_ingested": (4, Decimal("100.5")),
        "decision_declined": (1, None),
        "decision_failed": (2, 20),
        "decision_made": (4, 40),
        "order_filled": (4, 20),
        "order_submitting": (3, 30),
    }
    moved = rows(
        told,
        'SELECT symbol, activity, explanation FROM symbol_activity WHERE record_id = %s ORDER BY topic, "offset"',
        story.an_id("record", "r5"),
    )
    assert [tuple(row.values()) for row in moved] == [
        ("IBM", "data_ingested", "Purchase"),
        ("IBM", "data_withdrawn", "now under F"),
        ("F", "data_ingested", "Purchase"),
    ]
    fills = rows(
        told,
        "SELECT occurred_at, side, quantity, price_usd FROM symbol_activity "
        "WHERE symbol = 'AAPL' AND activity = 'order_filled' ORDER BY occurred_at",
    )
    assert [tuple(row.values()) for row in fills] == [
        (at(2, 14), "buy", 4, 72),
        (at(2, 14, 0, 3), "buy", 6, Decimal("72.1")),
        (at(4, 14), "sell", 4, 72),
        (at(4, 14, 0, 3), "sell", 6, Decimal("72.1")),
    ]


def test_the_audit_trail_has_every_step_with_its_time_and_place(
    told: psycopg.Connection[Any],
) -> None:
    trail = rows(
        told,
        "SELECT * FROM decision_audit_trail WHERE decision_id = %s ORDER BY step_number",
        story.an_id("d", "d1"),
    )
    assert [(t["step"], t["occurred_at"], t["topic"], t["offset"]) for t in trail] == [
        ("run_started", at(2, 12), "runs", 1),
        ("record_ingested", at(2, 12), "megacap", 0),
        ("record_ingested", at(2, 12), "megacap", 1),
        ("run_completed", at(2, 12, 5), "runs", 3),
        ("decision_made", at(2, 12, 6), "megacap", 5),
        ("order_submitting", at(2, 14), "megacap", 6),
        ("order_accepted", at(2, 14), "megacap", 7),
        ("order_partially_filled", at(2, 14), "megacap", 8),
        ("order_filled", at(2, 14, 0, 3), "megacap", 9),
    ]
    assert [t["step_number"] for t in trail] == list(range(1, 10))
    assert trail[5]["since_previous"] == timedelta(hours=1, minutes=54)
    assert trail[5]["details"]["api_request"]["endpoint"] == "/v2/orders"
    assert trail[5]["details"]["risk_checks"][0]["control"] == "order_notional"
    assert trail[8]["details"]["fill_quantity"] == 6
    assert trail[4]["details"]["view_through"] == 5


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("d2", ["decision_made", "order_blocked"]),
        ("n1", ["decision_declined"]),
        ("c", ["decision_made", "operator_answered"]),
    ],
)
def test_the_trail_of_what_was_not_traded(
    told: psycopg.Connection[Any], name: str, steps: list[str]
) -> None:
    trail = rows(
        told,
        'SELECT step, explanation, topic, "offset" FROM decision_audit_trail WHERE decision_id = %s '
        "ORDER BY step_number",
        story.an_id("d", name),
    )
    assert [t["step"] for t in trail] == steps
    assert all(t["explanation"] and t["topic"] and t["offset"] is not None for t in trail)


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("d1", ["pending", "executing", "executed"]),
        ("d2", ["pending", "failed"]),
        ("d3", ["pending", "executing", "failed"]),
        ("c", ["pending", "cancelled"]),
    ],
)
def test_every_status_of_a_decision_is_kept(
    told: psycopg.Connection[Any], name: str, statuses: list[str]
) -> None:
    found = rows(
        told,
        'SELECT status FROM decision_status_history WHERE decision_id = %s ORDER BY "offset"',
        story.an_id("d", name),
    )
    assert [row["status"] for row in found] == statuses


def test_the_health_of_runs(told: psycopg.Connection[Any]) -> None:
    found = rows(
        told,
        "SELECT run_id, status, duration, records_fetched, records_recorded, calls, calls_failed, api_calls, "
        "ingested_record_ids, error_code FROM run_health ORDER BY run_id",
    )
    good, bad = found
    assert (good["run_id"], good["status"], good["duration"]) == (
        *("run-1", "completed"),
        timedelta(minutes=5),
    )
    assert (good["records_fetched"], good["records_recorded"]) == (1, 8)
    assert (good["calls"], good["calls_failed"]) == (1, 0)
    assert good["api_calls"] == [
        {
            "endpoint": "/beta/live/congresstrading",
            "timestamp": "2020-03-02T12:00:00+00:00",
            "status_code": 200,
            "response_size": 20,
            "records_returned": 2,
            "rate_limit_remaining": None,
        }
    ]
    assert story.an_id("record", "r1") in good["ingested_record_ids"]["quiver_trades"]
    assert (bad["run_id"], bad["status"], bad["error_code"]) == (
        *("run-2", "failed"),
        "vendor_unavailable",
    )
    assert (bad["api_calls"], bad["ingested_record_ids"]) == ([], {"quiver_trades": []})
    stamps = rows(told, "SELECT created_at, updated_at FROM data_ingestion_runs ORDER BY run_id")
    assert tuple(stamps[0].values()) == (at(2, 12), at(2, 12, 5))


def test_the_whole_rationale_is_indexed(told: psycopg.Connection[Any]) -> None:
    asked = json.dumps({"source_data": {"politician_names": ["Nancy Pelosi"]}})
    query = "SELECT decision_id FROM trade_decisions WHERE decision_rationale @> %s::jsonb"
    assert len(rows(told, query, asked)) == 7
    with told.transaction():
        # A table of seven rows is read faster whole; the question is whether the index can answer.
        told.execute("SET LOCAL enable_seqscan = off")
        plan = told.execute(f"EXPLAIN {query}", (asked,)).fetchall()
    assert any("trade_decisions_rationale" in line for (line,) in plan)


def test_one_decisions_trail_reads_no_table_whole(told: psycopg.Connection[Any]) -> None:
    with told.transaction():
        told.execute("SET LOCAL enable_seqscan = off")
        plan = told.execute(
            "EXPLAIN SELECT * FROM decision_audit_trail WHERE decision_id = 'x'"
        ).fetchall()
    assert not [line for (line,) in plan if "Seq Scan" in line]


def test_every_query_of_the_page_is_good(told: psycopg.Connection[Any]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "audit-database.md").read_text(encoding="utf-8")
    queries = [" ".join(q.split()) for q in re.findall(r"`(SELECT [^`]+)`", page)]
    views = told.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'v'"
    ).fetchall()
    for (view,) in views:
        assert any(f"FROM {view}" in query for query in queries), f"no example asks {view}"
    for query in queries:
        told.execute(query.encode())
