"""What a verification found, as a report: one object, flat rows of it, and lines for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from rich.console import Console

from services.auditor.verify.asked import Asked
from services.auditor.verify.bounds import Judged
from services.auditor.verify.events import Tally
from services.auditor.verify.findings import Finding, Findings
from services.auditor.verify.schemas import Schemas
from services.auditor.verify.state import Progressed
from services.auditor.verify.tables import TableTally
from tradetrail.cli.report.tables import print_line, print_section
from tradetrail.reports.export import Sheet

Report = dict[str, Any]

_PARTITION_COLUMNS = (
    *("topic", "partition", "position", "log_end", "behind", "events_compared"),
    *("below_log_start", "compacted_away", "unreadable", "content_unjudged", "differences"),
)
_TABLE_COLUMNS = ("table", "rows", "missing", "extra", "differing")
_FINDING_COLUMNS = tuple(field.name for field in fields(Finding))
_SUMS = ("events_compared", "below_log_start", "compacted_away", "unreadable", "content_unjudged")


def make_report(
    asked: Asked,
    identity: dict[str, str],
    partitions: Sequence[tuple[Judged, Tally]],
    tables: Sequence[TableTally],
    tables_skipped_because: str | None,
    schemas: Schemas,
    findings: Findings,
    resumed: Progressed | None,
    seconds: float,
) -> Report:
    """Return the report; ``differences`` is 0 exactly when nothing differs."""
    rows = [_partition(judged, tally) for judged, tally in partitions]
    return {
        "differences": findings.total,
        "first": asdict(findings.kept[0]) if findings.kept else None,
        "counts": {str(code): number for code, number in sorted(findings.counts.items())},
        "asked": asked.window.told | {"events_only": asked.events_only},
        "database": identity,
        "resumed": None
        if resumed is None
        else {"partitions": len(resumed.good_to), "events_found_good_before": resumed.events},
        **{name: sum(row[name] for row in rows) for name in (*_SUMS, "behind")},
        "partitions": rows,
        "rows_compared": sum(table.rows for table in tables),
        "tables": [asdict(table) for table in tables],
        "tables_skipped_because": tables_skipped_because,
        "schemas": schemas.stored,
        "schemas_unverified_because": schemas.unverified_because,
        "seconds": round(seconds, 1),
        "findings": [asdict(finding) for finding in findings.kept],
        "more": findings.more,
    }


def sheet(report: Report) -> Sheet:
    """Return the findings as flat rows."""
    return Sheet(_FINDING_COLUMNS, report["findings"])


def print_report(report: Report, console: Console) -> None:
    """Print the verdict in the first line, then what it rests on, then every finding that is kept."""
    findings = [Finding(**each) for each in report["findings"]]
    print_line(console, _verdict(report, findings))
    for line in _remarks(report):
        print_line(console, line)
    for finding in findings[1:]:
        print_line(console, f"also: {finding.line}")
    if report["more"]:
        print_line(console, f"and {report['more']} more")
    print_section(console, "partitions", report["partitions"], _PARTITION_COLUMNS, ("topic",))
    if report["tables"]:
        print_section(console, "tables", report["tables"], _TABLE_COLUMNS, ("table",))


def summary(report: Report) -> str:
    """Return the report in one line."""
    compared = f"{report['events_compared']} events and {report['rows_compared']} rows compared"
    if not report["differences"]:
        return f"no difference: {compared}"
    counts = ", ".join(f"{code} {number}" for code, number in report["counts"].items())
    return f"{report['differences']} differences ({counts}): {compared}"


def _verdict(report: Report, findings: Sequence[Finding]) -> str:
    if not report["differences"]:
        return summary(report)
    return f"first difference: {findings[0].line}" if findings else summary(report)


def _remarks(report: Report) -> list[str]:
    lines = [summary(report)] if report["differences"] else []
    if resumed := report["resumed"]:
        lines.append(
            f"resumed: {resumed['events_found_good_before']} events of {resumed['partitions']} partitions were found "
            "good by the run before and were not read again"
        )
    if report["behind"]:
        lines.append(
            f"behind: {report['behind']} offsets of the log are not audited yet and were not judged"
        )
    if report["below_log_start"]:
        lines.append(
            f"{report['below_log_start']} events are no longer in the log (retention): held against their own hash only"
        )
    if report["compacted_away"]:
        lines.append(
            f"{report['compacted_away']} events were compacted away: held against their own hash only"
        )
    if report["content_unjudged"]:
        lines.append(
            f"{report['content_unjudged']} events: no schema to be had, bytes and hash compared, other columns not"
        )
    if why := report["tables_skipped_because"]:
        lines.append(f"the tables were NOT compared, for want of the registry: {why}")
    if why := report["schemas_unverified_because"]:
        lines.append(f"schemas were not compared, events were read by the stored ones: {why}")
    return lines


def _partition(judged: Judged, tally: Tally) -> dict[str, Any]:
    topic, partition = judged.place
    return {
        "topic": topic,
        "partition": partition,
        "position": judged.position,
        "log_start": judged.extent.low,
        "log_end": judged.extent.end,
        "behind": judged.behind,
        "judged_from": max(judged.start, 0),
        "judged_to": judged.end,
        "events_compared": tally.compared,
        "below_log_start": tally.below_log_start,
        "compacted_away": tally.compacted_away,
        "unreadable": tally.unreadable,
        "content_unjudged": tally.content_unjudged,
        "differences": tally.differences,
    }
