"""The derived table of trades: what decisions and executions add up to, whatever changes them, and by nobody's hand."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import errors, sql

from services.auditor.database.migrate import migrate
from tests.eventually import DEADLINE_S, eventually
from tests.integration.audit_schema import WRITER, drift, entries_of, fresh_schema, write
from tests.trades_story import told

pytestmark = pytest.mark.stack

TWO_ORDERS: LiteralString = """
SELECT trade_decision_id, array_agg(execution_id ORDER BY execution_id)
FROM trade_executions WHERE filled_quantity > 0
GROUP BY trade_decision_id HAVING count(*) = 2
"""
# Each changes something that a trade is made of, as a late event or a mended row does.
CHANGES: tuple[LiteralString, ...] = (
    "UPDATE trade_executions SET filled_quantity = filled_quantity + 1",
    "UPDATE trade_executions SET filled_avg_price = 0.125, commission = 0.10",
    "UPDATE trade_executions SET filled_at = filled_at + interval '1 hour' WHERE filled_quantity > 0",
    "UPDATE trade_executions SET filled_quantity = 0 WHERE attempt_number = 1",
    "UPDATE trade_executions SET attempt_number = 3 - attempt_number",
    "UPDATE trade_executions SET filled_quantity = 5 WHERE filled_quantity = 0",
    "UPDATE trade_executions SET trade_decision_id = (SELECT min(decision_id) FROM trade_decisions)",
    "UPDATE trade_decisions SET side = 'sell', strategy_name = NULL, created_at = NULL",
    "UPDATE trade_decisions SET status = 'executed', executed_at = '2020-01-01'",
    "UPDATE trade_decisions SET executed_at = executed_at - interval '1 day'",
)


@pytest.fixture
def schema(stack: Any) -> Iterator[tuple[str, psycopg.Connection[Any]]]:
    """Return a schema that holds the story of trades, and its owner's connection."""
    dsn = stack.addresses.postgres_dsn
    with fresh_schema(dsn) as (name, connection):
        write(dsn, name, entries_of(told()))
        assert count(connection) > 8
        yield name, connection


def count(connection: psycopg.Connection[Any]) -> int:
    """Return how many trades there are."""
    row = connection.execute("SELECT count(*) FROM trades").fetchone()
    assert row is not None
    return int(row[0])


def test_trades_follow_every_change(schema: tuple[str, psycopg.Connection[Any]]) -> None:
    _, connection = schema
    assert drift(connection) == []
    for change in CHANGES:
        before = connection.execute("SELECT * FROM trades ORDER BY decision_id").fetchall()
        with connection.transaction(force_rollback=True):
            connection.execute(change)
            assert drift(connection) == [], change
            after = connection.execute("SELECT * FROM trades ORDER BY decision_id").fetchall()
            assert after != before, f"{change} was to change a trade"


def test_a_trade_goes_with_its_last_fill(schema: tuple[str, psycopg.Connection[Any]]) -> None:
    _, connection = schema
    with connection.transaction(force_rollback=True):
        connection.execute("SET CONSTRAINTS ALL DEFERRED")
        connection.execute("TRUNCATE trade_execution_history, risk_checks, alpaca_orders CASCADE")
        connection.execute("DELETE FROM trade_executions WHERE attempt_number = 1")
        assert drift(connection) == []
        connection.execute("DELETE FROM trade_executions")
        assert count(connection) == 0


def test_in_whatever_batches_the_events_come(stack: Any) -> None:
    dsn = stack.addresses.postgres_dsn
    entries = entries_of(told())
    with fresh_schema(dsn) as (whole, one), fresh_schema(dsn) as (parts, many):
        write(dsn, whole, entries)
        for at in range(0, len(entries), 3):
            write(dsn, parts, entries[at : at + 3])
        assert drift(one) == drift(many) == []
        every = "SELECT * FROM trades ORDER BY decision_id"
        assert one.execute(every).fetchall() == many.execute(every).fetchall()


def test_rows_of_before_are_added_up_by_the_migration(stack: Any) -> None:
    dsn = stack.addresses.postgres_dsn
    with fresh_schema(dsn, "0014") as (name, connection):
        write(dsn, name, entries_of(told()))
        migrate(dsn, name)
        assert count(connection) > 8
        assert drift(connection) == []


def test_nobody_writes_trades_by_hand(schema: tuple[str, psycopg.Connection[Any]]) -> None:
    _, connection = schema
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(WRITER)))
    by_hand: tuple[LiteralString, ...] = (
        "INSERT INTO trades (decision_id) VALUES ('x')",
        "UPDATE trades SET filled_quantity = 1",
        "DELETE FROM trades",
        "SELECT refresh_trades(ARRAY['x'])",
    )
    for statement in by_hand:
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement)
    connection.execute("UPDATE trade_executions SET filled_quantity = filled_quantity + 1")
    connection.execute("RESET ROLE")
    assert drift(connection) == []


def test_a_renamed_schema_goes_on_keeping_them(
    schema: tuple[str, psycopg.Connection[Any]], stack: Any
) -> None:
    name, connection = schema
    other = f"{name}_swapped"
    rename = sql.SQL("ALTER SCHEMA {} RENAME TO {}")
    connection.execute(rename.format(sql.Identifier(name), sql.Identifier(other)))
    connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(other)))
    connection.execute("UPDATE trade_executions SET filled_quantity = filled_quantity + 1")
    assert drift(connection) == []
    connection.execute(rename.format(sql.Identifier(other), sql.Identifier(name)))


def test_two_who_change_orders_of_one_decision_at_once_add_up_both(
    schema: tuple[str, psycopg.Connection[Any]], stack: Any
) -> None:
    name, connection = schema
    found = connection.execute(TWO_ORDERS).fetchone()
    assert found is not None
    _, orders = found
    change = "UPDATE trade_executions SET filled_quantity = filled_quantity + 100 WHERE execution_id = %s"
    # Not by the activity's view, which a transaction sees as it first saw it.
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s"
    dsn, options = stack.addresses.postgres_dsn, f"-c search_path={name}"

    with psycopg.connect(dsn, options=options) as other, ThreadPoolExecutor(1) as pool:
        pid = other.info.backend_pid
        with connection.transaction():
            connection.execute(change, (orders[0],))
            done = pool.submit(other.execute, change, (orders[1],))
            eventually(
                lambda: connection.execute(waiting, (pid,)).fetchone(), lambda found: found == (1,)
            )
        done.result(DEADLINE_S)
    assert drift(connection) == []
