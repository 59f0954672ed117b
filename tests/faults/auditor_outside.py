"""What goes wrong around auditors: their database server, its sessions, its disk, and who else works in it."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import LiteralString

import psycopg
from psycopg import sql

from tests.faults.auditor_postgres import LOGIN, SEGMENT_BYTES
from tests.faults.auditor_round import Round

# Longer than an auditor waits for a lock; what is held for long is held longer than this.
_HELD_S = 12.0
_SLOW_S = 0.05
# While every statement is ended, or every session: so often, and for so long.
_ENDED_TIMES = 12
_PAUSE_S = (0.05, 0.4)
# A page is written in two parts then, the second of which does not fit: the error of a disk that is full.
_HALF_A_PAGE = 4096
_LOTS_MAX = 12
_COUNTED_S = 1.5
_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT, "killed": signal.SIGKILL}

_TROUBLE: LiteralString = """
CREATE OR REPLACE FUNCTION public.trouble() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'trouble of the campaign' USING ERRCODE = TG_ARGV[0];
END $body$
"""
_AT_ONCE: LiteralString = (
    "CREATE TRIGGER trouble BEFORE INSERT ON audit.congress_trades "
    "FOR EACH STATEMENT EXECUTE FUNCTION public.trouble({})"
)
_AT_COMMIT: LiteralString = (
    "CREATE CONSTRAINT TRIGGER trouble AFTER INSERT ON audit.congress_trades "
    "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.trouble({})"
)
_THEIRS: LiteralString = (
    "FROM pg_stat_activity WHERE usename = %s AND datname = current_database() "
    "AND application_name = 'tradetrail-auditor'"
)
_WAITING: LiteralString = "SELECT count(*) " + _THEIRS + " AND wait_event_type = 'Lock'"
_LOCKS: dict[str, LiteralString] = {
    "positions": "SELECT FROM audit.positions ORDER BY topic DESC, partition DESC LIMIT 4 FOR UPDATE",
    "rows": "SELECT FROM audit.politician_profiles FOR UPDATE",
}
_OTHER_LOCKS: LiteralString = "SELECT FROM audit.positions ORDER BY topic, partition FOR UPDATE"
_DEADLOCKS: LiteralString = (
    "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
)
_LARGEST: LiteralString = (
    "SELECT coalesce(max(pg_relation_size(inhrelid::regclass)), 0) FROM pg_inherits "
    "WHERE inhparent = 'audit.events'::regclass"
)


def database(r: Round, how: str, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Take the database away until an auditor calls itself not ready; ``meanwhile`` is done before it returns."""
    r.count("outages", how)
    if how in ("read-only", "full-up"):
        with _refusing(r, how):
            r.await_red()
            meanwhile()
        return
    server = r.lane.postgres
    if how == "frozen":
        server.freeze()
    else:
        server.stop(_SIGNALS[how])
    try:
        r.await_red()
        meanwhile()
    finally:
        if how == "frozen":
            server.thaw()
        else:
            server.start()


@contextmanager
def _refusing(r: Round, how: str) -> Iterator[None]:
    name = sql.Identifier(r.database)
    allow, forbid = {
        "read-only": (
            sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only"),
            sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on"),
        ),
        "full-up": (
            sql.SQL("ALTER DATABASE {} CONNECTION LIMIT -1"),
            sql.SQL("ALTER DATABASE {} CONNECTION LIMIT 0"),
        ),
    }[how]
    r.lane.postgres.rows("postgres", forbid.format(name))
    _end(r, "pg_terminate_backend")
    try:
        yield
    finally:
        r.lane.postgres.rows("postgres", allow.format(name))
        _end(r, "pg_terminate_backend")


def _end(r: Round, how: str) -> None:
    query = sql.SQL("SELECT {}(pid) ").format(sql.Identifier(how)) + sql.SQL(_THEIRS)
    r.lane.postgres.rows(r.database, query, LOGIN)


def sessions(r: Round, how: str) -> None:
    """End the auditors' sessions, or what they are doing, again and again."""
    for _ in range(_ENDED_TIMES):
        time.sleep(r.chance.uniform(*_PAUSE_S))
        _end(r, f"pg_{'terminate' if how == 'terminated' else 'cancel'}_backend")
        r.count("sessions_ended", how)
        if not r.behind():
            r.publisher.publish()


def network(r: Round, how: str) -> None:
    """Cut every auditor off, let nothing through, or little."""
    r.count("network_troubles", how)
    for wire in r.wires.values():
        if how == "slow":
            wire.slow(_SLOW_S)
        else:
            wire.cut() if how == "cut" else wire.mute()
    if how == "slow":
        r.publisher.publish()
        time.sleep(_HELD_S)
    else:
        r.await_red()
    for wire in r.wires.values():
        if how == "silent" and r.chance.random() < 0.5:
            # What was half-open ends at last, instead of going on.
            wire.drop()
        wire.mend()


@contextmanager
def _outsider(r: Round, where: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Hold locks in a session of somebody else's, once an auditor waits for one of them."""
    r.await_true(
        "there are rows to lock", lambda: r.rows("SELECT 1 FROM audit.politician_profiles")
    )
    with psycopg.connect(
        r.lane.postgres.dsn(r.database), application_name="campaign"
    ) as connection:
        # So it is never the one that is ended.
        connection.execute("SET deadlock_timeout = '1h'")
        connection.execute("SET statement_timeout = '300s'")
        connection.execute(_LOCKS[where])
        r.publisher.publish()
        r.await_true("an auditor waits for a lock", lambda: r.rows(_WAITING, LOGIN)[0][0])
        yield connection
        connection.rollback()


def deadlock(r: Round, where: str) -> None:
    """Lock in another order what an auditor locks; it is the auditor that the database ends."""
    before = r.rows(_DEADLOCKS)[0][0]

    def is_counted() -> bool:
        # One that waited while it looked for an event that can't be kept held no position: then once more.
        with _outsider(r, where) as connection:
            with suppress(psycopg.errors.LockNotAvailable):
                connection.execute("SET lock_timeout = '20s'")
                connection.execute(_OTHER_LOCKS)
        # It is counted once its session is idle or over.
        time.sleep(_COUNTED_S)
        return bool(r.rows(_DEADLOCKS)[0][0] > before)

    r.await_true("a deadlock is counted", is_counted)
    r.count("deadlocks", where)


def lock_held(r: Round, where: str) -> None:
    """Hold what an auditor needs for longer than it waits."""
    with _outsider(r, where):
        r.count("locks_held", where)
        time.sleep(_HELD_S)
        r.await_red()


def disk_full(r: Round) -> None:
    """Keep the table of events from growing, as a disk that is full does, until an auditor says so and is not ready."""
    server = r.lane.postgres
    # Above a segment of the write-ahead log, which must go on.
    grown = max(int(r.rows(_LARGEST)[0][0]), SEGMENT_BYTES)
    server.stop()
    server.start(file_bytes_max=grown + _HALF_A_PAGE)
    try:
        r.await_true("the disk is full", lambda: _is_full(r))
        r.count("full_disks")
        r.await_red()
    finally:
        server.stop()
        server.start()


def _is_full(r: Round) -> bool:
    if r.publisher.lots < _LOTS_MAX and not r.behind():
        r.publisher.publish()
    return any("could not extend file" in each.log.read_text() for each in r.auditors.values())


def raised(r: Round, state: str, *, at_commit: bool) -> None:
    """Let the database answer so for a while, to a statement or only to the commit."""
    r.lane.postgres.rows(r.database, _TROUBLE)
    trigger = sql.SQL(_AT_COMMIT if at_commit else _AT_ONCE).format(sql.Literal(state))
    r.lane.postgres.rows(r.database, trigger)
    r.count("errors_raised", state)
    r.await_red()
    r.lane.postgres.rows(r.database, "DROP TRIGGER trouble ON audit.congress_trades")


def positions_back(r: Round) -> None:
    """Set positions back by hand, while auditors work."""
    for _ in range(3):
        r.await_true("something is audited", lambda: r.rows("SELECT 1 FROM audit.events LIMIT 1"))
        r.rows(
            "UPDATE audit.positions SET next_offset = floor(next_offset * %s) WHERE next_offset > 0",
            r.chance.random(),
        )
        r.count("set_back")
        r.publisher.publish()
        time.sleep(r.chance.uniform(0.2, 1.5))
