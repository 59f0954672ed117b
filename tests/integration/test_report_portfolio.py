"""What is held, over rows as the auditor writes them, and the same by SQL; what is missing is named."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests import auditor_story as story
from tests.integration.audit_schema import entries_of, fresh_schema, write
from tests.oversight_story import told
from tradetrail.reports.connection import open_reader
from tradetrail.reports.portfolio import COLUMNS, portfolio_report, portfolio_sheet
from tradetrail.reports.queries import statement

pytestmark = pytest.mark.stack

Schema = tuple[str, str]


@pytest.fixture(scope="module")
def schema(stack: Any) -> Iterator[Schema]:
    """Return where the story's rows are, without the events' own bytes; the tests only read."""
    dsn = stack.addresses.postgres_dsn
    with fresh_schema(dsn) as (name, _):
        write(dsn, name, entries_of(told()))
        yield dsn, name


@pytest.fixture(scope="module")
def report(schema: Schema) -> dict[str, Any]:
    with open_reader(*schema) as connection:
        return portfolio_report(connection)


def test_positions_are_what_our_fills_add_up_to(report: dict[str, Any]) -> None:
    columns = ("source", "symbol", "shares", "average_cost_usd", "cost_usd", "orders_filled")
    assert [tuple(row[c] for c in columns) for row in report["positions"]] == [
        ("fills", "F", 4, Decimal("8.2"), Decimal("32.80"), 1),
        ("fills", "IBM", 10, 100, 1000, 1),
    ]
    # What was bought of AAPL was sold again.
    assert report["totals"]["positions"] == 2
    assert report["totals"]["cost_usd"] == Decimal("1032.80")


def test_open_orders_reserve_by_their_limit_or_by_the_value_that_was_checked(
    report: dict[str, Any],
) -> None:
    columns = ("symbol", "remaining_quantity", "reserved_usd", "reserved_by", "is_unresolved")
    assert [tuple(row[c] for c in columns) for row in report["open_orders"]] == [
        ("F", 6, Decimal("49.50"), "limit_price", False),
        ("GE", 7, Decimal("723.30"), "order_notional", True),
        ("MSFT", 10, Decimal("723.30"), "order_notional", True),
    ]
    assert report["totals"]["reserved_usd"] == Decimal("1496.10")


def test_what_is_not_known_is_named_and_null(report: dict[str, Any]) -> None:
    broker, strangers = report["missing"]
    assert story.an_id("call", "account-5000.10") in broker
    assert "can't be read" in broker
    assert [report["broker"][name] for name in ("cash_usd", "buying_power_usd")] == [None, None]
    assert strangers.startswith("positions: 2 filled orders found at the broker")
    assert "(AAPL)" in strangers


def test_without_any_answer_of_the_broker_that_is_said(stack: Any) -> None:
    dsn = stack.addresses.postgres_dsn
    with fresh_schema(dsn) as (name, _), open_reader(dsn, name) as connection:
        report = portfolio_report(connection)
    assert report["missing"] == ["broker: no answer of the broker about the account is recorded"]
    assert (report["positions"], report["open_orders"]) == ([], [])
    assert report["totals"]["reserved_usd"] == 0
    assert report["broker"]["told_at"] is None


def test_the_flat_form_has_a_place_for_every_key(report: dict[str, Any]) -> None:
    rows = list(portfolio_sheet(report).rows)
    assert all(set(row) <= set(COLUMNS) for row in rows)
    assert len(set(COLUMNS)) == len(COLUMNS)
    sections = ["broker", *["positions"] * 2, *["open_orders"] * 3, *["missing"] * 2]
    assert [row["section"] for row in rows] == sections


def test_people_with_their_own_sql_see_the_same(schema: Schema, report: dict[str, Any]) -> None:
    with open_reader(*schema, "tradetrail_compliance") as connection:
        shares = connection.execute(
            "SELECT symbol, sum(CASE side WHEN 'buy' THEN filled_quantity ELSE -filled_quantity END) AS shares "
            "FROM executed_trades GROUP BY symbol HAVING "
            "sum(CASE side WHEN 'buy' THEN filled_quantity ELSE -filled_quantity END) <> 0 ORDER BY symbol"
        ).fetchall()
        waiting = connection.execute(
            "SELECT symbol, remaining_quantity FROM open_orders ORDER BY symbol"
        ).fetchall()
    assert shares == [(row["symbol"], row["shares"]) for row in report["positions"]]
    assert waiting == [(row["symbol"], row["remaining_quantity"]) for row in report["open_orders"]]


def test_orders_and_account_are_read_by_index(schema: Schema) -> None:
    with open_reader(*schema) as connection:
        # The tables are small here; what matters is that an index serves.
        connection.execute("SET enable_seqscan = off")
        for query in ("orders", "account", "strangers"):
            lines = connection.execute("EXPLAIN " + statement(f"portfolio_{query}")).fetchall()
            plan = "\n".join(line for (line,) in lines)
            assert "Seq Scan" not in plan, f"{query}\n{plan}"
