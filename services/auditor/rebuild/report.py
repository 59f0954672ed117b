"""What a rebuild found and did, as a report: one object, flat rows of it, and lines for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from services.auditor.database.differences import TableComparison, first_difference
from services.auditor.rebuild.asked import Asked
from services.auditor.rebuild.whole import Rebuilt
from services.auditor.rebuild.window import Mended
from tradetrail.cli.report.tables import print_line, print_section
from tradetrail.reports.export import Sheet

Report = dict[str, Any]

_TABLE_COLUMNS = ("table", "live_rows", "log_rows", "missing", "extra", "different")


def report_of(asked: Asked, done: Rebuilt | Mended, seconds: float) -> Report:
    """Return the report; ``differences`` is 0 exactly when the live tables held what the log gives."""
    first = first_difference(done.compared)
    report = {
        "differences": differences(done.compared),
        "first": None if first is None else asdict(first) | {"text": str(first)},
        "asked": asked.arguments | {"apply": asked.apply},
        "act_id": done.act_id,
        "tables": [_table(each) for each in done.compared],
        "seconds": round(seconds, 1),
    }
    if isinstance(done, Rebuilt):
        return report | {"old_schema": done.old_schema, "old_schema_kept": done.old_kept}
    return report | {"events": done.events, "rows_mended": done.mended}


def differences(compared: Sequence[TableComparison]) -> int:
    """Return how many rows differ; a table or column that one side lacks counts as one."""
    return sum(
        each.missing + each.extra + each.different or int(not each.same) for each in compared
    )


def sheet(report: Report) -> Sheet:
    """Return the tables as flat rows."""
    return Sheet(_TABLE_COLUMNS, report["tables"])


def summary(report: Report) -> str:
    """Return the report in one line."""
    rows = sum(table["live_rows"] for table in report["tables"])
    found = f"{report['differences']} of {rows} rows differ from the log"
    if not report["differences"]:
        found = f"no difference: {rows} rows are what the log gives"
    if "rows_mended" in report:
        did = f"; {report['rows_mended']} rows mended" if report["asked"]["apply"] else ""
        return f"{found}{did} ({report['events']} events in the window)"
    if report["old_schema"] is None:
        return found
    kept = "kept" if report["old_schema_kept"] else "dropped"
    return f"{found}; swapped, the schema before was {kept} ({report['old_schema']})"


def print_report(report: Report, console: Console) -> None:
    """Print the verdict first, then every table that differs or, without a difference, how many rows each holds."""
    print_line(console, summary(report))
    if report["first"] is not None:
        print_line(console, f"first difference: {report['first']['text']}")
    if report["differences"] and not report["asked"]["apply"]:
        print_line(console, "nothing was changed; --apply --as WHO --why WHY mends it")
    tables = report["tables"]
    if report["differences"]:
        tables = [t for t in tables if t["missing"] or t["extra"] or t["different"]]
    print_section(console, "tables", tables, _TABLE_COLUMNS, ("table",))


def _table(compared: TableComparison) -> dict[str, Any]:
    return {
        "table": compared.table,
        "live_rows": compared.left_rows,
        "log_rows": compared.right_rows,
        "missing": compared.missing,
        "extra": compared.extra,
        "different": compared.different,
    }
