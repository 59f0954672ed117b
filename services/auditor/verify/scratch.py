"""The schema that the log is projected into again, beside the live one; its events are not kept, they were compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from services.auditor.database import schema as database_schema
from services.auditor.database.migrate import migrate
from services.auditor.database.schema import NAME_LENGTH_MAX
from services.auditor.refilling.refill import Refill
from services.auditor.settings import AuditorSettings
from services.auditor.writing.session import CONNECT_TIMEOUT_S
from tradetrail.errors import Fatal, Unreachable, UsageError
from tradetrail.log.reader import Place
from tradetrail.reports.connection import DatabaseSettings
from tradetrail.settings import SharedSettings

# A range of a table takes about a second; this covers a busy server.
_STATEMENT_TIMEOUT_MS = 300_000
_TAKE: LiteralString = (
    "SELECT pg_try_advisory_lock(hashtextextended('tradetrail verify ' || %s, 0))"
)
_OID: LiteralString = "SELECT oid::text FROM pg_namespace WHERE nspname = %s"
# COPY passes over a row for which such a trigger returns nothing.
_KEEP_NO_EVENTS: LiteralString = """
CREATE FUNCTION {schema}.keep_none() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN RETURN NULL; END $body$;
CREATE TRIGGER keep_none BEFORE INSERT ON {schema}.events FOR EACH ROW EXECUTE FUNCTION {schema}.keep_none()
"""


class Scratch:
    """The scratch schema of a live one."""

    def __init__(self, connection: psycopg.Connection[Any], database: DatabaseSettings) -> None:
        """Work through ``connection``, which may make schemas; ``opened`` makes one."""
        self.connection = connection
        self.live = database.postgres_schema
        self.name = f"{self.live[: NAME_LENGTH_MAX - 7]}_verify"
        self._dsn = database.postgres_dsn.get_secret_value()

    def take(self, known: str | None) -> str:
        """Make the schema, or go on with the one whose oid is ``known``; return its oid.

        Raises UsageError while another verification works in it, and for a database of another version.
        """
        (taken,) = self.connection.execute(_TAKE, (self.name,)).fetchone() or (False,)
        if not taken:
            raise UsageError(
                f"another verification fills schema {self.name}; wait for its end, or verify with --events-only"
            )
        if known is not None and self._oid() == known:
            return known
        self.drop()
        migrate(self._dsn, self.name)
        ours, theirs = (
            database_schema.version(self.connection, each) for each in (self.name, self.live)
        )
        if ours != theirs:
            self.drop()
            raise UsageError(
                f"schema {self.live} is of another version than this program: run python -m services.auditor "
                "--migrate, or verify with --events-only"
            )
        self.connection.execute(sql.SQL(_KEEP_NO_EVENTS).format(schema=sql.Identifier(self.name)))
        return self._oid() or ""

    def fill(
        self,
        shared: SharedSettings,
        settings: AuditorSettings,
        starts: Mapping[Place, int],
        ends: Mapping[Place, int],
        moved: Any,
    ) -> None:
        """Project what lies between ``starts`` (missing: 0) and ``ends`` into the schema, or what of it is left."""
        refill = Refill(shared, settings, self._dsn, self.name, origin=self.live)
        try:
            there = self.positions(self.name)
            if fresh := {p: o for p, o in starts.items() if o > there.get(p, 0)}:
                refill.begin_at(fresh)
            refill.to(ends, moved)
        finally:
            refill.close()
        database_schema.analyze(self.connection, self.name)

    def positions(self, schema: str) -> dict[Place, int]:
        """Return how far a schema is."""
        return database_schema.positions(self.connection, schema)

    def drop(self) -> None:
        """Drop the schema, if it is there."""
        database_schema.drop(self.connection, self.name)

    def _oid(self) -> str | None:
        row = self.connection.execute(_OID, (self.name,)).fetchone()
        return str(row[0]) if row else None


@contextmanager
def opened(database: DatabaseSettings) -> Iterator[Scratch]:
    """Open the connection that the scratch schema is made and compared through.

    Raises Unreachable while Postgres is away, UsageError when the login may not make a schema.
    """
    dsn = database.postgres_dsn.get_secret_value()
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            connection.execute("SET timezone = 'UTC'")
            connection.execute(f"SET statement_timeout = {_STATEMENT_TIMEOUT_MS}")
            connection.execute("SET client_connection_check_interval = '2s'")
            yield Scratch(connection, database)
    except psycopg.errors.InsufficientPrivilege as error:
        raise UsageError(
            f"this login may not verify the tables: {str(error).strip()}; use one that may run --migrate, or "
            "verify with --events-only"
        ) from error
    except psycopg.ProgrammingError as error:
        raise Fatal(f"comparing the tables failed: {str(error).strip()}") from error
    except psycopg.Error as error:
        raise Unreachable(f"the audit database is away: {str(error).strip()}") from error
