"""A compliance user reads, within limits, and every statement of theirs stands in the server's log."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from services.auditor.database.compliance_users import add_compliance_user
from tests.eventually import eventually
from tests.integration.audit_schema import fresh_schema
from tradetrail.errors import UsageError

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def audit(stack: Any) -> Iterator[tuple[str, str]]:
    """Return the owner's address and a schema."""
    with fresh_schema(stack.addresses.postgres_dsn) as (name, _):
        yield stack.addresses.postgres_dsn, name


@pytest.fixture
def user(audit: tuple[str, str]) -> Iterator[str]:
    """Return a name that no user has, and take the user away afterwards."""
    name = f"kim_{uuid4().hex[:8]}"
    yield name
    with psycopg.connect(audit[0], autocommit=True) as connection:
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


def test_a_user_made_by_the_command_reads_within_limits_and_is_logged(
    audit: tuple[str, str], user: str, stack: Any
) -> None:
    dsn, schema = audit
    made = subprocess.run(
        [sys.executable, "-m", "services.auditor", "--add-compliance-user", user],
        env={
            **os.environ,
            "TRADETRAIL_POSTGRES_DSN": dsn,
            "TRADETRAIL_POSTGRES_SCHEMA": schema,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert made.returncode == 0, made.stderr
    login = make_conninfo(dsn, user=user, password=made.stdout.strip())
    marker = f"asked_{uuid4().hex}"
    with psycopg.connect(login, autocommit=True) as connection:
        connection.execute(
            sql.SQL("SELECT count(*) AS {} FROM executed_trades").format(sql.Identifier(marker))
        )
        for setting, value in (
            ("statement_timeout", "30s"),
            ("default_transaction_read_only", "on"),
            ("log_statement", "all"),
            ("search_path", schema),
        ):
            shown = connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(setting)))
            assert shown.fetchone() == (value,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TEMP TABLE mine (a int)")
        connection.execute("SET default_transaction_read_only = off")
        for statement in (
            "INSERT INTO alerts (alert_id) VALUES ('x')",
            "UPDATE trade_decisions SET quantity = 1",
            "DELETE FROM events",
            "CREATE TABLE mine (a int)",
            "SET log_statement = 'none'",
            "SET ROLE tradetrail_writer",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        connection.execute("SET statement_timeout = '1ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(60)")
    if os.environ.get("TRADETRAIL_POSTGRES_DSN"):
        return  # Somebody else's server: its log is not ours to read.
    logged = Path(stack.home.log("postgres"))
    lines = eventually(
        lambda: [
            line
            for line in logged.read_text(encoding="utf-8", errors="replace").splitlines()
            if marker in line
        ]
    )
    assert f" {user}@" in lines[0]
    assert made.stdout.strip() not in logged.read_text(encoding="utf-8", errors="replace")


def test_again_gives_another_password_and_changes_nothing_else(
    audit: tuple[str, str], user: str
) -> None:
    dsn, schema = audit
    before = add_compliance_user(dsn, schema, user)
    after = add_compliance_user(dsn, schema, user)
    assert before != after
    with psycopg.connect(make_conninfo(dsn, user=user, password=after)) as connection:
        connection.execute("SELECT count(*) FROM run_health")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(make_conninfo(dsn, user=user, password=before))


@pytest.mark.parametrize("name", ["Kim", "", "pg_kim", "tradetrail_writer", 'k"; DROP ROLE x', "9"])
def test_a_name_that_can_not_be_is_refused(audit: tuple[str, str], name: str) -> None:
    with pytest.raises(UsageError, match="can't be a compliance user"):
        add_compliance_user(*audit, name)


def test_a_role_that_may_more_is_left_alone(audit: tuple[str, str], user: str) -> None:
    dsn, schema = audit
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} IN ROLE tradetrail_writer").format(sql.Identifier(user))
        )
        with pytest.raises(UsageError, match="may do more than read"):
            add_compliance_user(dsn, schema, user)
        found = connection.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", (user,))
        assert found.fetchone() == (False,)
