"""Runs rebuilds of an audit, in this process or in one of its own, and looks at what they leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from psycopg import sql
from pydantic import SecretStr

from services.auditor.database.compare import compare
from services.auditor.database.differences import first_difference
from services.auditor.database.migrate import migrate
from services.auditor.rebuild.asked import Asked
from services.auditor.rebuild.progress import showing
from services.auditor.rebuild.report import report_of
from services.auditor.rebuild.whole import rebuild_whole
from services.auditor.rebuild.window import rebuild_window
from services.auditor.refilling.refill import Refill
from services.auditor.refilling.servers import Servers
from services.auditor.settings import AuditorSettings
from services.auditor.verify.asked import Window
from tests import auditor_story as story
from tests.integration.auditor_harness import Audit, audit_of
from tradetrail.events import Event
from tradetrail.reports.connection import DatabaseSettings
from tradetrail.settings import SharedSettings

# Far above what a rebuild of a few hundred events takes on a machine that does other things, too.
REBUILD_TIMEOUT_S = 240.0
WHO = ("--as=ann", "--why=a row was altered")


@contextmanager
def rebuildable(log: SharedSettings, dsn: str) -> Iterator[Audit]:
    """Make an audit; take it away again with all that rebuilds have made of it."""
    with audit_of(log, dsn) as audit:
        try:
            yield audit
        finally:
            for schema in schemas(audit) - {audit.schema}:
                drop(audit, schema)


@contextmanager
def begun(audit: Audit, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start a rebuild in a process of its own; kill it at the end of the block if it still runs."""
    env = {
        "TRADETRAIL_KAFKA": audit.log.kafka,
        "TRADETRAIL_REGISTRY_URL": audit.log.registry_url,
        "TRADETRAIL_TOPIC_PREFIX": audit.log.topic_prefix,
        "TRADETRAIL_POSTGRES_DSN": audit.dsn,
        "TRADETRAIL_POSTGRES_SCHEMA": audit.schema,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "services.auditor", "--rebuild", "--format=json", *words],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any], str]:
    """Wait for a rebuild to end; return its exit code, its report (empty without one) and what it said."""
    out, said = process.communicate(timeout=REBUILD_TIMEOUT_S)
    return process.returncode, json.loads(out or '{"differences": null}'), said


def rebuild(audit: Audit, *words: str) -> tuple[int, dict[str, Any], str]:
    """Run a rebuild to its end."""
    with begun(audit, *words) as process:
        return ended(process)


def rebuild_here(audit: Audit, window: Window, who: str | None = None) -> dict[str, Any]:
    """Run a rebuild in this process, applied when somebody does it; return its report."""
    database = DatabaseSettings(postgres_dsn=SecretStr(audit.dsn), postgres_schema=audit.schema)
    servers = Servers(audit.log, database, AuditorSettings())
    asked = Asked(window, who is not None, who, who and "a row was altered")
    do = rebuild_whole if window.is_whole else rebuild_window
    with showing() as shown:
        return report_of(asked, do(servers, asked, shown), 0)


def execute(audit: Audit, *statements: str) -> None:
    """Run statements as the superuser, past every trigger and foreign key."""
    with psycopg.connect(audit.dsn, options=f"-c search_path={audit.schema}") as connection:
        connection.execute("SET session_replication_role = 'replica'")
        for statement in statements:
            connection.execute(statement.encode())


def schemas(audit: Audit) -> set[str]:
    """Return the schemas of this audit: its own, and what rebuilds made of it."""
    found = audit.rows(
        "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %(own)s)", own=audit.schema
    )
    return {name for (name,) in found}


def drop(audit: Audit, schema: str) -> None:
    """Drop a schema."""
    with psycopg.connect(audit.dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


@contextmanager
def refilled(audit: Audit, settings: AuditorSettings, further: int = 0) -> Iterator[str]:
    """Make a second schema and fill it to the positions of the first, or ``further`` than those."""
    schema = f"{audit.schema}_again"
    migrate(audit.dsn, schema)
    rows = audit.rows("SELECT topic, partition, next_offset FROM positions")
    with closing(Refill(audit.log, settings, audit.dsn, schema, origin=audit.schema)) as refill:
        refill.to({(t, p): end + further for t, p, end in rows})
        yield schema


def first_of(audit: Audit, other: str) -> str | None:
    """Return the first difference between the audit and another schema."""
    with psycopg.connect(audit.dsn) as connection:
        found = first_difference(compare(connection, audit.schema, other))
    return None if found is None else str(found)


def disclosures(count: int, salt: object = "") -> list[tuple[str, str, Event]]:
    """Return disclosures of a few symbols in both groups."""
    symbols = ("AAPL", "MSFT", "IBM", "GE", "F", "T")
    return [
        ("megacap" if s in ("AAPL", "MSFT") else "default", s, story.disclosure(f"{salt}{n}", s))
        for n, s in ((n, symbols[n % len(symbols)]) for n in range(count))
    ]
