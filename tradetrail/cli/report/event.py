"""``tradetrail report event``: one event of the log, byte for byte, and what it says."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from tradetrail.cli.report.options import Form, Output, reader
from tradetrail.cli.report.output import ReportFormat, show, talk
from tradetrail.cli.report.tables import cell, print_line
from tradetrail.process import EXIT_FAILED
from tradetrail.reports.encode import to_json
from tradetrail.reports.event import OFFSET_MAX, PARTITION_MAX, event_report, event_sheet

# What people see of a vendor's answer; the other formats give all of it.
_BODY_SHOWN_MAX = 2_000


def event(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="such as trade.megacap")],
    partition: Annotated[int, typer.Argument(metavar="PARTITION", min=0, max=PARTITION_MAX)],
    offset: Annotated[int, typer.Argument(metavar="OFFSET", min=0, max=OFFSET_MAX)],
    form: Form = ReportFormat.TABLE,
    output: Output = None,
) -> None:
    """One event: where it stands, its exact bytes, their hash computed again, and each field as it was written.

    Read from the database alone, by the schema kept there: Kafka, registry and services may be gone. Exit code 1 when
    the bytes don't give the recorded hash, or stand there more than once.
    """
    with reader() as connection:
        report = event_report(connection, topic, partition, offset)
    show(report, form, output, printer=print_event_report, sheet=event_sheet)
    told = report["event"]
    if not told["hash_fits"] or told["copies"] > 1:
        talk(f"{_judgement(told)}; `tradetrail verify` compares with the log")
        raise typer.Exit(EXIT_FAILED)


def print_event_report(report: dict[str, Any], console: Console) -> None:
    """Print an event for people; times are New York's, but for those inside the event."""
    for line in _head(report["event"]):
        print_line(console, line)
    if report["unreadable_because"]:
        print_line(console, f"not readable: {report['unreadable_because']}")
    if report["content"] is not None:
        below = {} if report["body"] is None else {"body": "… below"}
        fields = to_json(report["content"] | below, indent=2)
        print_line(console, f"\nfields, as they were written:\n{fields}")
    if parts := report["body_parts"]:
        places = (f"{each['topic']}/{each['partition']}/{each['offset']}" for each in parts)
        count = (report["content"] or {})["chunk_count"]
        print_line(
            console, f"\n{len(parts)} of {count} events carry the answer: {', '.join(places)}"
        )
    if report["body"] is not None:
        left = len(report["body"]) - _BODY_SHOWN_MAX
        more = f"\n… and {left} characters more; `--format json` has them all" if left > 0 else ""
        print_line(console, f"\nthe answer it carries:\n{report['body'][:_BODY_SHOWN_MAX]}{more}")


def _head(told: dict[str, Any]) -> list[str]:
    place = f"{told['topic']}/{told['partition']}/{told['offset']}"
    version = "" if told["schema_version"] is None else f" version {told['schema_version']}"
    lines = [
        f"{place}: {told['type'] or 'no event that could be taken in'}, key {cell(told['key'])}",
        f"appended by Kafka {cell(told['appended_at'])}, occurred {cell(told['occurred_at'])}",
        f"event id {cell(told['event_id'])}, story {cell(told['story_id'])}",
        f"schema {cell(told['schema_id'])}: {cell(told['schema_name'])}{version}",
        f"{cell(told['size_bytes'])} bytes, hash {told['hash']}",
        _judgement(told),
    ]
    if told["reason_code"]:
        lines.append(f"dead letter, {told['reason_code']}: {cell(told['reason'])}")
    return lines


def _judgement(told: dict[str, Any]) -> str:
    if told["copies"] > 1:
        return f"THERE ARE {told['copies']} EVENTS AT THIS PLACE, one too many"
    if not told["hash_fits"]:
        return f"THE BYTES GIVE ANOTHER HASH: {told['recomputed_hash']}"
    return "the bytes give the recorded hash"
