"""Tasks that no longer run, and vendors that no longer report. Pure: what the log tells comes in, findings come out.

Counted in sessions of the New York exchange, which leave out the weekends and holidays on which few report. Silence is
counted only up to the day that completed runs reach: what nobody has asked for is no silence of the vendor's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from services.ingestor.known.coverage import Coverage
from services.ingestor.known.ledger import Known
from services.ingestor.maintenance.findings import FindingCode, finding
from services.ingestor.tasks import Task
from tradetrail.events.generated import RunFinding
from tradetrail.sessions import sessions

CHAMBERS = ("Representatives", "Senate")
_DAY = timedelta(days=1)


def of_runs(task: Task, coverage: Coverage, today: date, sessions_max: int) -> list[RunFinding]:
    """Return a finding when more than ``sessions_max`` sessions before ``today`` are not asked for yet."""
    reach = coverage.reach(task.name)
    if reach is None:
        said, count = "no run has ever completed", None
    else:
        count = len(sessions(reach + _DAY, today - _DAY))
        if count <= sessions_max:
            return []
        said = f"completed runs reach to {reach}: {count} sessions are not asked for yet (limit {sessions_max})"
    return [
        finding(
            FindingCode.NO_COMPLETED_RUN,
            task.name,
            f"{said}; see why the last ones failed, then run: tradetrail ingest {task.name}",
            reach=reach,
            sessions=count,
            sessions_max=sessions_max,
        )
    ]


def of_chamber(
    task: Task, coverage: Coverage, chamber: str, newest: date | None, sessions_max: int
) -> list[RunFinding]:
    """Return a finding when a chamber's ``newest`` report is more than ``sessions_max`` sessions old."""
    return _of_silence(FindingCode.CHAMBER_SILENT, chamber, (task, coverage), newest, sessions_max)


def of_source(
    task: Task, coverage: Coverage, newest: date | None, sessions_max: int
) -> list[RunFinding]:
    """Return a finding when a data source's ``newest`` report is more than ``sessions_max`` sessions old."""
    code, subject = FindingCode.SOURCE_SILENT, task.data_source
    return _of_silence(code, subject, (task, coverage), newest, sessions_max)


def newest(known: Iterable[Known], reach: date | None) -> date | None:
    """Return the newest day of report up to ``reach``; later ones are typing errors."""
    days = (one.reported_on for one in known)
    return max(
        (d for d in days if d is not None and reach is not None and d <= reach), default=None
    )


def newest_by_chamber(known: Iterable[Known], reach: date | None) -> dict[str, date]:
    """Return the newest day of report up to ``reach`` of each chamber that ever reported."""
    days = [
        (one.reported_on, one)
        for one in known
        if one.reported_on is not None and reach is not None and one.reported_on <= reach
    ]
    # Newest first, since what a record says is read anew at each look: as a rule a few looks are enough.
    days.sort(key=lambda entry: entry[0], reverse=True)
    found: dict[str, date] = {}
    for day, one in days:
        found.setdefault(str(one.content.get("House")), day)
        if found.keys() >= set(CHAMBERS):
            break
    return found


def _of_silence(
    code: FindingCode,
    subject: str,
    asked: tuple[Task, Coverage],
    newest: date | None,
    sessions_max: int,
) -> list[RunFinding]:
    task, coverage = asked
    reach, first = coverage.reach(task.name), coverage.first(task.name)
    since = newest or (first and first - _DAY)
    if reach is None or since is None:
        return []
    count = len(sessions(since + _DAY, reach))
    if count <= sessions_max:
        return []
    what = f"nothing new since {newest}" if newest else f"nothing at all since {first}"
    return [
        finding(
            code,
            subject,
            f"{what}: {count} sessions through {reach} (limit {sessions_max}); look at the vendor's page and at the "
            "recorded answers",
            newest=newest,
            reach=reach,
            sessions=count,
            sessions_max=sessions_max,
        )
    ]
