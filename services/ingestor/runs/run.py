"""One run of one task, from its lock to its end.

Steps, in order: take the lock, fence, read the log to its end, close abandoned runs, record the beginning, fetch (each
call recorded), judge, deliver all or nothing. Whatever goes wrong after the beginning ends in a recorded failure; a run
that is cut off is closed by the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import structlog

from services.ingestor.breakpoints import reached
from services.ingestor.maintenance.daily import Maintenance
from services.ingestor.parts import Outcome, Parts, Request
from services.ingestor.recording.calls import RunCalls
from services.ingestor.recording.counts import Counts, record_counts, seat_counts, sector_counts
from services.ingestor.recording.delivery import Delivery, RunFacts
from services.ingestor.recording.journal import Journal
from services.ingestor.recording.lock import AlreadyRunning, SourceLock
from services.ingestor.rows.records import congress_records, insider_records
from services.ingestor.runs.closing import close_abandoned, failed_event
from services.ingestor.sources.committees import fetch_seats
from services.ingestor.sources.quiver import Window
from services.ingestor.tasks import Kind
from services.ingestor.trouble import ErrorCode, RunTrouble
from tradetrail.errors import Fatal, Poison, Retryable, UsageError
from tradetrail.events.generated import (
    Cause,
    IngestionRunStarted,
    RunFinding,
)
from tradetrail.ids import derive_id
from tradetrail.log.producer import Outgoing
from tradetrail.sessions import new_york_date

# The completed event lists every record id (37 bytes each) and must stay below the largest event (1 MiB).
RECORDS_MAX = 25_000

log = structlog.get_logger(__name__)


class Runner:
    """Runs tasks, one at a time."""

    def __init__(self, parts: Parts) -> None:
        """Use ``parts``."""
        self._parts = parts

    def run(self, request: Request) -> Outcome:
        """Run the task once.

        Raises AlreadyRunning when another run of its data source holds the lock, Retryable when the log is away before
        the beginning is recorded, Fatal when the lock was lost, UsageError when nobody said where its data is.
        """
        if request.task.kind is Kind.SECTORS and self._parts.sectors is None:
            raise UsageError(
                f"{request.task.name} has nothing to fetch: set TRADETRAIL_SECTORS_URL to the address of a CSV file"
            )
        with self._lock(request.task.data_source) as lock:
            reached("locked", self._parts.own.die_at)
            journal = self._opened(lock)
            return _Run(self._parts, lock, journal, request).execute()

    def close_abandoned(self, data_source: str) -> int:
        """Close the open runs of a data source, if its lock is free; return how many were closed."""
        with self._lock(data_source) as lock:
            journal = self._opened(lock)
            return close_abandoned(self._parts, journal, data_source)

    def _lock(self, data_source: str) -> SourceLock:
        parts = self._parts
        return SourceLock(parts.settings, parts.topics, data_source, parts.own.lock_wait_s)

    def _opened(self, lock: SourceLock) -> Journal:
        parts = self._parts
        journal = Journal(parts.settings, parts.codec, lock, parts.own.die_at)
        # Only after fencing: an open transaction of a dead run would hide what was committed after it began.
        parts.memory.catch_up()
        reached("caught_up", parts.own.die_at)
        return journal


class _Run:
    """One run under its lock; ``execute`` is its whole life."""

    def __init__(self, parts: Parts, lock: SourceLock, journal: Journal, request: Request) -> None:
        self._parts = parts
        self._lock = lock
        self._journal = journal
        self._request = request
        self._task = request.task
        self._fetched = 0
        self._findings: tuple[RunFinding, ...] = ()

    def execute(self) -> Outcome:
        close_abandoned(self._parts, self._journal, self._task.data_source)
        started, cause = self._begin()
        calls = RunCalls(
            run_id=started.run_id,
            key=self._task.name,
            topic=self._parts.topics.runs,
            cause=cause,
            journal=self._journal,
            lock=self._lock,
            clock=self._parts.clock,
            stamp=self._parts.stamp,
            stop=self._parts.stop,
            die_at=self._parts.own.die_at,
        )
        try:
            counts = self._work(started, calls)
        except RunTrouble as trouble:
            return self._fail(started, calls, trouble)
        except (Retryable, Poison) as error:
            return self._fail(started, calls, _ours(error))
        except Fatal:
            raise
        except Exception as error:
            log.exception("a defect ended the run", run_id=started.run_id)
            defect = RunTrouble(ErrorCode.INTERNAL, f"a defect of the ingestor: {error!r}")
            return self._fail(started, calls, defect)
        log.info("run completed", run_id=started.run_id, task=self._task.name, **_said(counts))
        return Outcome(started.run_id, counts, findings=self._findings)

    def _begin(self) -> tuple[IngestionRunStarted, Cause]:
        parts, task = self._parts, self._task
        now = parts.clock.now()
        window = self._window(now)
        number = parts.memory.runs.count(task.name)
        run_id = str(derive_id("run", task.name, now.isoformat(), number))
        started = IngestionRunStarted(
            event_id=str(derive_id("run-started", run_id)),
            **parts.stamp.envelope(now),
            story_id=run_id,
            run_id=run_id,
            task_name=task.name,
            data_source=task.data_source,
            data_date_start=window.start,
            data_date_end=window.end,
            trigger=self._request.trigger,
            requested_by=self._request.requested_by,
            configuration_hash=parts.configuration_hash,
        )
        reached("starting", parts.own.die_at)
        topic, partition, offset = self._journal.commit(
            [Outgoing(parts.topics.runs, task.name, started)]
        )[0]
        reached("started", parts.own.die_at)
        cause = Cause(topic=topic, partition=partition, offset=offset, event_id=started.event_id)
        return started, cause

    def _window(self, now: datetime) -> Window:
        if self._request.window is not None:
            return self._request.window
        today = new_york_date(now)
        if self._task.kind not in (Kind.CONGRESS, Kind.INSIDER):
            return Window(today, today)
        start = today - timedelta(days=self._parts.own.window_days)
        uncovered = self._parts.memory.runs.uncovered_from(self._task.name)
        return Window(min(start, uncovered or start), today)

    def _work(self, started: IngestionRunStarted, calls: RunCalls) -> Counts:
        window = self._request.window or Window(
            started.data_date_start or date.min, started.data_date_end or date.max
        )
        if self._task.kind is Kind.MAINTENANCE:
            return self._maintain(started, calls)
        if self._task.kind is Kind.COMMITTEES:
            return self._seats(started, calls)
        if self._task.kind is Kind.SECTORS:
            return self._sectors(started, calls)
        if self._task.kind is Kind.CONGRESS:
            rows, has_undated = self._parts.quiver.congress(calls, window)
            records = congress_records(rows)
        else:
            rows, has_undated = self._parts.quiver.insiders(calls, window), False
            records = insider_records(rows)
        self._fetched = len(rows)
        reached("fetched", self._parts.own.die_at)
        ledger = self._parts.memory.ledger(self._task.data_source)
        verdicts = ledger.judge(records, window.start, window.end, has_undated=has_undated)
        _check_size(len(verdicts), "ask for shorter windows (--from, --to)")
        counts = record_counts(verdicts, len(rows))
        self._deliver(self._delivery(started, calls).records(verdicts, counts))
        return counts

    def _seats(self, started: IngestionRunStarted, calls: RunCalls) -> Counts:
        call_id, seats = fetch_seats(self._parts.committees, calls)
        self._fetched = len(seats)
        reached("fetched", self._parts.own.die_at)
        changes = self._parts.memory.seats.changes(seats)
        counts = seat_counts(changes, len(seats))
        self._deliver(self._delivery(started, calls).seats(changes, call_id, counts))
        return counts

    def _sectors(self, started: IngestionRunStarted, calls: RunCalls) -> Counts:
        if self._parts.sectors is None:
            raise Fatal("a run of sectors began without an address of the file")
        call_id, table = self._parts.sectors.fetch(calls)
        self._fetched = table.rows
        reached("fetched", self._parts.own.die_at)
        changes = self._parts.memory.sectors.changes(table.sectors)
        _check_size(len(changes), "give a file with fewer companies")
        counts = sector_counts(changes, table)
        self._deliver(self._delivery(started, calls).sectors(changes, call_id, counts))
        return counts

    def _maintain(self, started: IngestionRunStarted, calls: RunCalls) -> Counts:
        """Close what was left open anywhere (each source's own lock tells if it is under way), then look around."""
        runner = Runner(self._parts)
        sources = {run.data_source for run in self._parts.memory.runs.open_runs()}
        for data_source in sorted(sources - {self._task.data_source}):
            try:
                runner.close_abandoned(data_source)
            except AlreadyRunning:
                log.info("a run is under way", data_source=data_source)
        maintenance = Maintenance(self._parts, calls, started.occurred_at)
        maintenance.look()
        self._findings = tuple(maintenance.findings)
        self._fetched = maintenance.rows_compared
        counts = Counts(fetched=self._fetched, created=0, updated=0, flagged=0, flags={})
        self._deliver(self._delivery(started, calls).findings(self._findings, counts))
        return counts

    def _delivery(self, started: IngestionRunStarted, calls: RunCalls) -> Delivery:
        parts = self._parts
        facts = RunFacts(
            run_id=started.run_id,
            task=self._task,
            started_at=started.occurred_at,
            start=started.data_date_start,
            end=started.data_date_end,
            completed_at=parts.clock.now(),
            causes=calls.causes,
            last_cause=calls.last_cause,
        )
        return Delivery(parts.topics, parts.stamp, facts)

    def _deliver(self, outputs: Sequence[Outgoing]) -> None:
        reached("before_delivery", self._parts.own.die_at)
        self._journal.deliver(outputs)
        reached("delivered", self._parts.own.die_at)

    def _fail(self, started: IngestionRunStarted, calls: RunCalls, trouble: RunTrouble) -> Outcome:
        log.error(
            "run failed",
            run_id=started.run_id,
            task=self._task.name,
            code=trouble.code,
            error=str(trouble),
        )
        failed = failed_event(
            self._parts, started, self._parts.clock.now(), trouble, calls.last_cause, self._fetched
        )
        self._journal.commit([failed])
        return Outcome(started.run_id, None, f"{trouble.code}: {trouble}")


def _check_size(count: int, advice: str) -> None:
    if count > RECORDS_MAX:
        raise RunTrouble(
            ErrorCode.RUN_TOO_LARGE,
            f"{count} new or changed records; one run delivers at most {RECORDS_MAX}: {advice}",
        )


def _ours(error: Exception) -> RunTrouble:
    if isinstance(error, Poison):
        return RunTrouble(ErrorCode.RUN_TOO_LARGE, f"{error}; nothing was delivered")
    return RunTrouble(
        ErrorCode.LOG_UNAVAILABLE, f"{error}; nothing was delivered", kind=type(error).__name__
    )


def _said(counts: Counts) -> dict[str, int]:
    return {
        "fetched": counts.fetched,
        "created": counts.created,
        "updated": counts.updated,
        "skipped": counts.skipped,
        "flagged": counts.flagged,
    }
