"""Small sums over the whole database: what the demo did, what an overview shows."""

from __future__ import annotations

from typing import Any

import psycopg

from tradetrail.reports.queries import rows

_COUNTS = {
    "runs": "count_runs",
    "disclosures": "count_disclosures",
    "decisions": "count_decisions",
    "declined": "count_declined",
    "orders": "count_executions",
    "fills": "count_fills",
    "dead_letters": "count_dead_letters",
}


def run_counts(connection: psycopg.Connection[Any]) -> dict[str, dict[str, int]]:
    """Return how many there are of each kind: runs by status, disclosures created and updated, decisions by status,
    declined signals by reason, orders by status, fills by side, dead letters by reason.
    """
    return {
        kind: {row["name"]: row["count"] for row in rows(connection, query)}
        for kind, query in _COUNTS.items()
    }


def event_counts(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Return how many events of each type there are. Reads the whole table: for tools and tests."""
    return {row["name"]: row["count"] for row in rows(connection, "count_events")}


def symbols(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Return every symbol with how much is recorded about it."""
    return rows(connection, "symbols")


def audited_positions(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Return the next offset to audit per "topic/partition"."""
    return {
        f"{r['topic']}/{r['partition']}": r["next_offset"] for r in rows(connection, "positions")
    }
