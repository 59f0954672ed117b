"""What an id stands for, as far as it is audited: an execution, or a decision that was made."""

from __future__ import annotations

from typing import Any

import psycopg

from tradetrail.reports.queries import rows


def order_of_id(
    connection: psycopg.Connection[Any], wanted: str
) -> tuple[str, str, str | None] | None:
    """Return symbol, decision id and, of an execution, its id; None when nothing is recorded under the id."""
    for row in rows(connection, "order_of_id", {"id": wanted}):
        return row["symbol"], row["decision_id"], row["execution_id"]
    return None
