"""The derived table of trades against what it is derived from, in the live schema itself.

The decisions and executions behind it were held against the log; so nothing of the log is needed here, and no excuse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from services.auditor.database.compare import compare_computed
from services.auditor.database.differences import Difference
from services.auditor.verify.findings import Code, Finding, Findings
from services.auditor.verify.tables import TableTally

TRADES, COMPUTED = "trades", "trades_computed"
_CODES = {
    "missing": Code.ROW_MISSING,
    "extra": Code.ROW_EXTRA,
    "different": Code.ROW_DIFFERS,
}


def compare_trades(
    connection: psycopg.Connection[Any],
    schema: str,
    findings: Findings,
    moved: Callable[[int], None],
) -> TableTally:
    """Compare every trade with its decision and executions; the first that differs is told, all are counted."""
    found = compare_computed(
        connection, schema, TRADES, COMPUTED, told=lambda _table, rows: moved(rows)
    )
    numbers = {"missing": found.missing, "extra": found.extra, "different": found.different}
    if found.first is not None:
        findings.add(_finding(found.first))
        numbers[found.first.kind] -= 1
        for kind, number in numbers.items():
            findings.count(_CODES[kind], number)
    return TableTally(
        TRADES, found.left_rows + found.missing, found.missing, found.extra, found.different
    )


def _finding(first: Difference) -> Finding:
    key = ", ".join(f"{name}={value}" for name, value in first.key.items())
    told = {
        "missing": ("such a row", "none"),
        "extra": ("no such row", "one"),
        "different": (first.right or "none", first.left or "none"),
    }
    log, database = told[first.kind]
    return Finding(
        _CODES[first.kind],
        table=first.table,
        key=key,
        column=first.column,
        log=log,
        database=database,
        explanation="by its decision and executions; triggers keep this table",
    )
