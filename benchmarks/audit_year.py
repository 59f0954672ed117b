"""What a decision costs the audit: bytes of tables and indexes, SQL statements, and megabytes a year."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from benchmarks.audit_rig import Field, audited, field, new_schema, scalar
from benchmarks.parts import Say
from services.auditor.database.migrate import migrate

DAYS, DECISIONS_A_DAY = 250, 20
_SIZE = """
SELECT sum(pg_total_relation_size(c.oid))::bigint
FROM pg_class c WHERE c.relnamespace = %s::text::regnamespace AND c.relkind IN ('r', 'm')
"""
_MB = 1e6


def year(kafka: str, registry_url: str, dsn: str, decisions: int, say: Say) -> dict[str, Any]:
    """Audit ``decisions`` decisions with all that belongs to each, and nothing else; return what one costs."""
    made = field(kafka, registry_url, dsn, decisions, trades_only=True)
    with new_schema(dsn) as schema:
        migrate(dsn, schema)
        empty = size_of(made, schema)
        _, _, statements = audited(made, schema)
        grown = size_of(made, schema) - empty
    count = made.written["DecisionMade"]
    figures = {
        "decisions": count,
        "events_per_decision": round(made.count / count, 1),
        "log_bytes_per_decision": round(made.written["bytes"] / count),
        "bytes_per_decision": round(grown / count),
        "statements_per_decision": round(statements / count, 3),
        "mb_per_year": round(grown / count * DAYS * DECISIONS_A_DAY / _MB, 1),
    }
    say(f"a decision with all of its events: {figures['bytes_per_decision']:,} bytes")
    return figures


def size_of(made: Field, schema: str) -> int:
    """Return the bytes of all tables and indexes of a schema."""
    return int(scalar(made.dsn, sql.SQL(_SIZE), schema))
