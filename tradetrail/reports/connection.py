"""Connections for reports: read-only, bounded in time, JSON numbers kept exact."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool, PoolTimeout
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from tradetrail.errors import Fatal, Unreachable
from tradetrail.reports.stored_json import read_json

# A report answers in milliseconds; past this the reader is told instead of left waiting.
STATEMENT_TIMEOUT_MS = 30_000
CONNECT_TIMEOUT_S = 5
# How long a request waits for a free connection of the pool before it is told to come again.
POOL_TIMEOUT_S = 5.0


class DatabaseSettings(BaseSettings):
    """Where the audit database is."""

    model_config = SettingsConfigDict(env_prefix="TRADETRAIL_", frozen=True, extra="ignore")

    postgres_dsn: SecretStr = Field(
        default=SecretStr("postgresql://postgres@127.0.0.1:5432/postgres"),
        description="Postgres, as postgresql://user:password@host:port/database.",
    )
    postgres_schema: str = Field(
        default="audit",
        pattern=r"^[a-z_][a-z0-9_]{0,62}$",
        description="Schema that holds the audit tables.",
    )


@contextmanager
def open_reader(dsn: str, schema: str, role: str = "") -> Iterator[psycopg.Connection[Any]]:
    """Open one read-only connection. Raises Unreachable when Postgres does not answer, Fatal when a query fails."""
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            prepare_reader(connection, schema, role)
            yield connection
    except psycopg.Error as error:
        raise _translate(error) from error


def prepare_reader(connection: psycopg.Connection[Any], schema: str, role: str) -> None:
    """Set up a fresh connection for reports: schema, role, read-only, time limit, UTC, exact JSON numbers."""
    set_json_loads(read_json, connection)
    for name, value in (
        ("search_path", schema),
        ("statement_timeout", str(STATEMENT_TIMEOUT_MS)),
        ("default_transaction_read_only", "on"),
        # A transaction of several queries sees one state of the database.
        ("default_transaction_isolation", "repeatable read"),
        ("timezone", "UTC"),
        # Servers that compile plans may take longer for that than a report does.
        ("jit", "off"),
    ):
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    if role:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))


class ReaderPool:
    """Connections that the API's threads share; it fills itself again after the database was away."""

    def __init__(self, dsn: str, schema: str, role: str, connections_max: int) -> None:
        """Open in the background; nothing is waited for."""
        self._pool: ConnectionPool[psycopg.Connection[Any]] = ConnectionPool(
            dsn,
            min_size=1,
            max_size=connections_max,
            timeout=POOL_TIMEOUT_S,
            kwargs={"autocommit": True, "connect_timeout": CONNECT_TIMEOUT_S},
            configure=lambda connection: prepare_reader(connection, schema, role),
            check=ConnectionPool.check_connection,
            open=True,
        )

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection inside one read-only transaction, so that a report sees one state of the database.

        Raises Unreachable when none can be had.
        """
        try:
            with self._pool.connection() as connection, connection.transaction():
                yield connection
        except (psycopg.Error, PoolTimeout) as error:
            raise _translate(error) from error

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


def _translate(error: psycopg.Error) -> Exception:
    text = str(error).strip()
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.InsufficientPrivilege):
        return Fatal(
            f"the audit tables are not to be had: {text}; run python -m services.auditor --migrate"
        )
    return Unreachable(
        f"the audit database does not answer: {text}; is it running, and is TRADETRAIL_POSTGRES_DSN right?"
    )
