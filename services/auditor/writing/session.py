"""The writer's session with Postgres: its limits, what each of the database's errors means, and its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import structlog
from psycopg import errors, sql

from services.auditor.entry import NotStorable
from services.auditor.tables import TABLES
from services.auditor.writing import statements
from tradetrail.errors import Fatal, Retryable

# Postgres answers a new connection in milliseconds; five seconds tell a busy server from a lost one.
CONNECT_TIMEOUT_S = 5
# A batch of 10,000 events takes about a second; a minute covers a checkpoint storm. Past it the batch is done again.
STATEMENT_TIMEOUT_MS = 60_000
# A frozen auditor must not hold its position rows for ever: after this Postgres ends its session and another goes on.
IDLE_TIMEOUT_MS = 30_000
# Waiting this long for rows that another auditor holds means it may be frozen; it is looked at then.
LOCK_TIMEOUT_MS = 10_000
# A transaction that has waited for its own client this long is of a frozen or lost auditor: a live one sends its batch
# within seconds. Postgres itself ends it when idle, but not in the middle of a COPY.
FROZEN_AFTER_S = 15
# How long unacknowledged bytes may wait before a silent network counts as a lost connection.
TCP_TIMEOUT_MS = 10_000
# While an answer is awaited nothing is unacknowledged: a peer that is gone is told by probes, after 5 + 3 * 5 seconds.
KEEPALIVE_S = 5
KEEPALIVE_PROBES = 3

APPLICATION = "tradetrail-auditor"

log = structlog.get_logger(__name__)


class RowsKnown(Retryable):
    """Rows of the batch are there already (a repeated event, positions set back): write it through the stage."""


class MonthMissing(Retryable):
    """The events have no partition for a month of the batch: a rebuilt schema took the place of the one that had it."""


class Session:
    """One connection, made at its first use and anew after any failure that leaves it in doubt.

    Threads use it one after the other.
    """

    def __init__(self, dsn: str, schema: str, role: str) -> None:
        """Nothing is connected before the first use."""
        self._dsn = dsn
        self._schema = schema
        self._role = role
        self._connection: psycopg.Connection[Any] | None = None
        self._in_use = threading.Lock()

    def close(self) -> None:
        """Close the connection, if any."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def use(self) -> Iterator[psycopg.Connection[Any]]:
        """Yield the connection; its errors come out as RowsKnown, MonthMissing, NotStorable, Retryable or Fatal."""
        with self._in_use:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                yield self._connection
            except psycopg.Error as error:
                if isinstance(error, errors.LockNotAvailable):
                    self._end_frozen()
                if _lost(error, self._connection):
                    self.close()
                raise _translate(error) from error

    def _end_frozen(self) -> None:
        # As the role that logged in: ending a session takes its own user, which the writer's role is not.
        try:
            with psycopg.connect(
                self._dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S
            ) as connection:
                end_frozen(connection)
        except psycopg.Error as error:
            log.warning("can't look for frozen auditors", error=str(error))

    def _connect(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(
            self._dsn,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            tcp_user_timeout=TCP_TIMEOUT_MS,
            keepalives_idle=KEEPALIVE_S,
            keepalives_interval=KEEPALIVE_S,
            keepalives_count=KEEPALIVE_PROBES,
            application_name=APPLICATION,
        )
        for name, value in (
            ("search_path", self._schema),
            ("statement_timeout", str(STATEMENT_TIMEOUT_MS)),
            ("lock_timeout", str(LOCK_TIMEOUT_MS)),
            ("idle_in_transaction_session_timeout", str(IDLE_TIMEOUT_MS)),
            ("timezone", "UTC"),
        ):
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        if self._role:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self._role)))
        connection.execute(statements.STAGE_EVENTS)
        for table in TABLES.values():
            connection.execute(statements.stage(table))
        return connection


def end_frozen(connection: psycopg.Connection[Any]) -> None:
    """End the sessions of auditors that have kept a transaction waiting for too long. Raises psycopg.Error."""
    ended = connection.execute(statements.END_FROZEN, (APPLICATION, FROZEN_AFTER_S))
    for pid, waited, _done in ended:
        log.warning("ended the session of a frozen auditor", pid=pid, waited=str(waited))


def _lost(error: psycopg.Error, connection: psycopg.Connection[Any] | None) -> bool:
    # After these the session is gone, or its state is in doubt; what the database refused leaves it usable.
    return (
        connection is None
        or connection.closed
        or not isinstance(error, psycopg.DataError | psycopg.IntegrityError)
    )


def _lacks_month(error: psycopg.Error) -> bool:
    # A row without a partition violates no constraint that has a name.
    return isinstance(error, errors.CheckViolation) and not error.diag.constraint_name


def _translate(error: psycopg.Error) -> Exception:
    text = str(error).strip().replace("\x00", "")
    if isinstance(error, errors.UniqueViolation):
        return RowsKnown(text)
    if _lacks_month(error):
        return MonthMissing(f"the events have no partition for a month: {text}")
    if isinstance(error, psycopg.DataError | psycopg.IntegrityError | errors.ProgramLimitExceeded):
        return NotStorable(text)
    if isinstance(error, psycopg.ProgrammingError):
        return Fatal(
            f"the audit database is not as this version needs it: {text}; run "
            "python -m services.auditor --migrate with a role that may change it"
        )
    return Retryable(f"the audit database is away: {text}")
