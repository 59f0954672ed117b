"""Log-in users for compliance: they read, within limits, and Postgres writes each of their statements into its log.

Settings of a role don't reach its members, so each user gets them by itself. The user can't change what is logged; the
time limits protect the server from accidents, and a user who insists can set them anew for a session.
"""

from __future__ import annotations

import re
import secrets
import sys
from typing import Any

import psycopg
from psycopg import errors, sql

from tradetrail.errors import Fatal, TradetrailError, Unreachable, UsageError
from tradetrail.process import EXIT_OK, EXIT_USAGE, exit_code_of
from tradetrail.redaction import hidden
from tradetrail.reports.connection import CONNECT_TIMEOUT_S, DatabaseSettings
from tradetrail.settings import load

GROUP = "tradetrail_compliance"
# What a person runs by hand is over by then; what runs longer would keep old rows alive for everyone.
STATEMENT_TIMEOUT_S = 30
# A transaction left open over lunch holds back vacuuming.
IDLE_TIMEOUT_S = 300
LOCK_TIMEOUT_S = 5
# A person and a few tools.
CONNECTIONS_MAX = 10
_PASSWORD_BYTES = 24
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_RESERVED = ("pg_", "tradetrail_")

_STANDING = """
SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
    OR EXISTS (
        SELECT 1 FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
        WHERE m.member = r.oid AND g.rolname <> %(group)s
    )
FROM pg_roles r WHERE rolname = %(name)s
"""


def add_compliance_user(dsn: str, schema: str, name: str) -> str:
    """Make the log-in user ``name``, or set one of them up anew, and return its new password.

    Raises UsageError for a name that can't be or is somebody else's, Fatal when this login may not make users,
    Unreachable when Postgres does not answer.
    """
    if not _NAME.fullmatch(name) or name.startswith(_RESERVED):
        raise UsageError(
            f"{name[:80]!r} can't be a compliance user: a small letter, then up to 62 of small letters, digits and _, "
            f"not beginning with {' or '.join(_RESERVED)}"
        )
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    try:
        with psycopg.connect(dsn, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            _set_up(connection, schema, name, password)
    except errors.InsufficientPrivilege as error:
        raise Fatal(
            f"this login may not make the user {name}: {str(error).strip()}; use a superuser, or one with CREATEROLE, "
            f"ADMIN on {GROUP} and GRANT SET ON PARAMETER log_statement"
        ) from error
    except psycopg.Error as error:
        raise Unreachable(f"the audit database does not answer: {str(error).strip()}") from error
    return password


def _set_up(connection: psycopg.Connection[Any], schema: str, name: str, password: str) -> None:
    known = connection.execute("SELECT to_regrole(%s)", (GROUP,)).fetchone()
    if known is None or known[0] is None:
        raise UsageError(f"there is no role {GROUP} yet: run python -m services.auditor --migrate")
    standing = connection.execute(_STANDING, {"group": GROUP, "name": name}).fetchone()
    if standing is not None and standing[0]:
        raise UsageError(f"the role {name} is there and may do more than read: choose another name")
    user = sql.Identifier(name)
    if standing is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(user))
    # Only what the server keeps of a password: its log may hold this statement.
    kept = connection.pgconn.encrypt_password(
        password.encode(), name.encode(), b"scram-sha-256"
    ).decode()
    connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN INHERIT CONNECTION LIMIT {} PASSWORD {}").format(
            user, sql.Literal(CONNECTIONS_MAX), sql.Literal(kept)
        )
    )
    connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(GROUP), user))
    for setting, value in (
        ("search_path", schema),
        ("timezone", "UTC"),
        ("default_transaction_read_only", "on"),
        ("statement_timeout", f"{STATEMENT_TIMEOUT_S}s"),
        ("lock_timeout", f"{LOCK_TIMEOUT_S}s"),
        ("idle_in_transaction_session_timeout", f"{IDLE_TIMEOUT_S}s"),
        ("log_statement", "all"),
    ):
        connection.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(
                user, sql.Identifier(setting), sql.Literal(value)
            )
        )


def main(arguments: list[str]) -> int:
    """Make the user that is named, say its password once, and return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m services.auditor --add-compliance-user NAME\n")
        return EXIT_USAGE
    try:
        database = load(DatabaseSettings)
        dsn, schema = database.postgres_dsn.get_secret_value(), database.postgres_schema
        password = add_compliance_user(dsn, schema, arguments[0])
    except TradetrailError as error:
        sys.stderr.write(f"tradetrail: {hidden(str(error))}\n")
        return exit_code_of(error)
    sys.stderr.write(
        f"{arguments[0]} reads schema {schema}, up to {STATEMENT_TIMEOUT_S} s a statement; Postgres logs each. "
        "Its password, told only now:\n"
    )
    sys.stdout.write(f"{password}\n")
    return EXIT_OK
