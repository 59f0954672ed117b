"""What maintenance can find, and how it says so: a code, what it is about, a sentence, and the facts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from services.ingestor.known.coverage import Days
from services.ingestor.maintenance.comparison import Difference
from services.ingestor.tasks import Task
from tradetrail.events.generated import RunFinding

# Enough to look into; the count is exact, and the command fetches them all.
EXAMPLES_MAX = 20
# A finding stays small however many holes there are; how many there are in all is said.
RANGES_MAX = 100


class FindingCode(StrEnum):
    """What was noticed; docs/ingestor.md says what to do about each."""

    NO_COMPLETED_RUN = "no_completed_run"
    """A task has not completed for longer than the limit, or never."""
    CHAMBER_SILENT = "chamber_silent"
    """Nothing was reported by a chamber for longer than the limit, though it was asked for."""
    SOURCE_SILENT = "source_silent"
    """Nothing was reported by a data source for longer than the limit, though it was asked for."""
    DAYS_NOT_COVERED = "days_not_covered"
    """Days of report between covered ones that no completed run asked for."""
    MISSING_RECORDS = "missing_records"
    """The bulk endpoint has rows that the log has not."""
    CHANGED_RECORDS = "changed_records"
    """The bulk endpoint has rows that correct known records."""
    VANISHED_RECORDS = "vanished_records"
    """Known records that the bulk endpoint no longer has."""
    NOT_COMPARED = "not_compared"
    """A congress run was under way for so long that the comparison was left out."""


def finding(code: FindingCode, subject: str, message: str, **details: Any) -> RunFinding:
    """Return a finding; days among ``details`` become text."""
    facts = json.dumps(details, sort_keys=True, default=str)
    return RunFinding(code=code.value, subject=subject, message=message, details=facts)


def mending(task: Task, days: Days) -> str:
    """Return the command that fetches ``days`` of report again."""
    return f"tradetrail ingest {task.name} --from {days.first} --to {days.last}"


def of_gaps(task: Task, gaps: Sequence[Days]) -> list[RunFinding]:
    """Return what is to be said of days that were not covered; nothing when there are none."""
    if not gaps:
        return []
    told = gaps[:RANGES_MAX]
    count = sum((days.last - days.first).days + 1 for days in gaps)
    commands = [mending(task, days) for days in told]
    return [
        finding(
            FindingCode.DAYS_NOT_COVERED,
            task.name,
            f"{_many(count, 'day')} of report in {_many(len(gaps), 'range')} were never asked for, the first is "
            f"{told[0]}; mend with: {commands[0]}",
            count=count,
            range_count=len(gaps),
            ranges=[{"from": days.first, "to": days.last} for days in told],
            commands=commands,
        )
    ]


def of_difference(task: Task, compared: Days, difference: Difference) -> list[RunFinding]:
    """Return what is to be said of a comparison; nothing when bulk endpoint and log agree."""
    missing = [_example(record.content, record.reported_on) for record in difference.missing]
    changed = [
        _example(verdict.record.content, verdict.record.reported_on)
        | {
            "record_id": known.record_id,
            "was_reported_on": known.reported_on,
            "changed_fields": verdict.changed_fields,
        }
        for known, verdict in difference.changed
    ]
    vanished = [
        _example(known.content, known.reported_on) | {"record_id": known.record_id}
        for known in difference.vanished
    ]
    return [
        *_of_rows(FindingCode.MISSING_RECORDS, task, compared, missing),
        *_of_rows(FindingCode.CHANGED_RECORDS, task, compared, changed),
        *_of_rows(FindingCode.VANISHED_RECORDS, task, compared, vanished),
    ]


_SAID = {
    FindingCode.MISSING_RECORDS: "in the bulk endpoint and not in the log",
    FindingCode.CHANGED_RECORDS: "corrected in the bulk endpoint",
    FindingCode.VANISHED_RECORDS: "no longer in the bulk endpoint",
}


def _of_rows(
    code: FindingCode, task: Task, compared: Days, rows: Sequence[Mapping[str, Any]]
) -> list[RunFinding]:
    if not rows:
        return []
    days = Counter(str(row["day"]) for row in rows)
    facts: dict[str, Any] = {
        "count": len(rows),
        "compared": {"from": compared.first, "to": compared.last},
        "days": dict(sorted(days.items())),
        "examples": rows[:EXAMPLES_MAX],
    }
    if code is FindingCode.VANISHED_RECORDS:
        advice = "they stay as recorded; ask the vendor why"
    else:
        # A corrected day of report: the old one must be fetched too, or the correction would be a new record.
        asked = [row[at] for row in rows for at in ("day", "was_reported_on") if row.get(at)]
        facts["command"] = mending(task, Days(min(asked), max(asked)))
        advice = f"mend with: {facts['command']}"
    when = Days(min(row["day"] for row in rows), max(row["day"] for row in rows))
    return [
        finding(
            code,
            task.data_source,
            f"{_many(len(rows), 'record')} reported {when}: {_SAID[code]}; {advice}",
            **facts,
        )
    ]


def _example(content: Mapping[str, Any], day: date | None) -> dict[str, Any]:
    return {
        "person": content.get("Representative"),
        "ticker": content.get("Ticker"),
        "day": day,
    }


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
