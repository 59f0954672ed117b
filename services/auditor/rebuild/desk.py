"""The one connection that a rebuild works from: whoever has it alone may rebuild a schema."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
import structlog
from psycopg import errors, sql

from services.auditor.database import schema as database_schema
from services.auditor.database.schema import NAME_LENGTH_MAX
from services.auditor.refilling.kept import connect
from services.auditor.writing.session import end_frozen
from tradetrail.errors import Fatal, Unreachable, UsageError
from tradetrail.log.reader import Place

# One turn of waiting for the auditors' batches in flight; while it waits, new batches queue behind it.
LOCK_TURN_MS = 5_000
# How long it may take in all to get between two batches, a frozen auditor's session ended on the way.
LOCK_TIMEOUT_S = 120.0
# Between two turns the auditors go on, so that a rebuild that can't get in does not hold them up for good.
_BETWEEN_TURNS_S = 1.0
# The auditors wait for a rebuild that holds the positions; one that is frozen loses them after this.
IDLE_TIMEOUT_MS = 60_000
# Dropping a schema waits for those who still read from it.
DROP_TIMEOUT_S = 60.0

_TAKE: LiteralString = (
    "SELECT pg_try_advisory_lock(hashtextextended('tradetrail rebuild of ' || %s, 0))"
)
_COUNT_EVENTS: LiteralString = """
SELECT count(*) FROM {}.events e
JOIN pg_temp.rebuild_window w ON e.topic = w.topic AND e.partition = w.partition
    AND e."offset" BETWEEN w.first AND w.last
"""
_RELATIONS: LiteralString = """
SELECT c.relname::text FROM pg_class c
WHERE c.relnamespace = to_regnamespace(quote_ident(%s)) AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    AND NOT c.relispartition
"""

log = structlog.get_logger(__name__)


class Desk:
    """Statements of a rebuild. Methods raise psycopg.Error as the database does; ``open_desk`` translates."""

    def __init__(self, connection: psycopg.Connection[Any], live: str) -> None:
        """Work for the schema ``live``."""
        self.connection = connection
        self.live = live
        self.scratch = scratch_name(live)

    def positions(self) -> dict[Place, int]:
        """Return how far the live schema is."""
        return database_schema.positions(self.connection, self.live)

    def relations(self, schema: str) -> set[str]:
        """Return the tables, views and sequences of a schema, partitions left out."""
        return {name for (name,) in self.connection.execute(_RELATIONS, (schema,))}

    def version(self, schema: str) -> str | None:
        """Return the migration that a schema has reached; None when it is no audit schema."""
        return database_schema.version(self.connection, schema)

    @contextmanager
    def positions_held(self) -> Iterator[dict[Place, int]]:
        """Keep every auditor from committing a batch; yield the positions, which can't move meanwhile.

        The table is locked, not its rows: whoever waits finds its table by name again once the wait is over, so after
        a swap it goes on with the new one.
        """
        with self.connection.transaction():
            self._lock_positions()
            yield self.positions()

    def _lock_positions(self) -> None:
        lock = sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE")
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        self.connection.execute(f"SET LOCAL lock_timeout = {LOCK_TURN_MS}")
        while True:
            try:
                with self.connection.transaction():
                    self.connection.execute(lock.format(sql.Identifier(self.live, "positions")))
                return
            except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
                if time.monotonic() > deadline:
                    raise Unreachable(
                        f"no moment between the auditors' batches was found within {LOCK_TIMEOUT_S:.0f} s; nothing was "
                        "changed: try again when less is written, or stop the auditors meanwhile"
                    ) from error
            end_frozen(self.connection)
            time.sleep(_BETWEEN_TURNS_S)

    def analyze(self, schema: str) -> None:
        """Tell the planner what a freshly filled schema holds."""
        database_schema.analyze(self.connection, schema)

    def drop(self, schema: str) -> bool:
        """Drop a schema, if it is there; return False when others use it for longer than we wait."""
        deadline = time.monotonic() + DROP_TIMEOUT_S
        while True:
            try:
                database_schema.drop(self.connection, schema, LOCK_TURN_MS)
                return True
            except (errors.LockNotAvailable, errors.DeadlockDetected):
                if time.monotonic() > deadline:
                    return False

    def drop_leftovers(self) -> None:
        """Drop what a rebuild that was killed has left. Raises UsageError when others use it."""
        if not self.drop(self.scratch):
            raise UsageError(
                f"schema {self.scratch}, left by a rebuild before, is in use: end its readers and try again"
            )

    def drop_scratch(self) -> None:
        """Drop the scratch schema at the end, if it can be: else the next rebuild does it."""
        try:
            if self.connection.closed or self.drop(self.scratch):
                return
        except psycopg.Error as error:
            log.warning("the scratch schema stays", schema=self.scratch, error=str(error).strip())
            return
        log.warning("the scratch schema is in use and stays", schema=self.scratch)

    def count_events(self) -> int:
        """Return how many events the scratch schema holds of the session's window."""
        row = self.connection.execute(
            sql.SQL(_COUNT_EVENTS).format(sql.Identifier(self.scratch))
        ).fetchone()
        return int(row[0]) if row else 0


def scratch_name(live: str) -> str:
    """Return the name of the schema that a rebuild of ``live`` fills. Raises UsageError when it would be too long."""
    name = f"{live}_rebuild"
    if len(name) > NAME_LENGTH_MAX - len("YYYYmmdd"):
        raise UsageError(
            f"schema {live} has too long a name to be rebuilt: Postgres takes {NAME_LENGTH_MAX} letters"
        )
    return name


@contextmanager
def open_desk(dsn: str, live: str) -> Iterator[Desk]:
    """Connect and take the right to rebuild ``live``, until the end of the block or of this process.

    Raises Fatal when another rebuild has it or the database refuses a statement, UsageError without an audit schema,
    Unreachable when the database is away.
    """
    scratch_name(live)
    try:
        with connect(dsn) as connection:
            desk = Desk(connection, live)
            row = connection.execute(_TAKE, (live,)).fetchone()
            if row is None or not row[0]:
                raise Fatal(
                    f"another rebuild of schema {live} is running; wait for it, or end its process and try again"
                )
            if desk.version(live) is None:
                raise UsageError(
                    f"schema {live} holds no audit tables: run python -m services.auditor --migrate first"
                )
            connection.execute(f"SET idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}")
            yield desk
    except (psycopg.OperationalError, errors.IdleInTransactionSessionTimeout) as error:
        raise Unreachable(
            f"the audit database is away: {str(error).strip()}; the live schema is untouched, try again"
        ) from error
    except psycopg.Error as error:
        raise Fatal(
            f"the audit database refuses: {str(error).strip()}; a rebuild needs the role that owns schema {live} and "
            "may create schemas"
        ) from error
