"""One task now, asked for by a person: a single run, or the runs of a long period; said in one line at the end."""

from __future__ import annotations

import getpass
import os
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from services.ingestor.parts import Outcome, Parts, request_of
from services.ingestor.recording.lock import AlreadyRunning
from services.ingestor.runs.backfill import GO_ON, BackfillOutcome, backfill, said
from services.ingestor.runs.progress import counted, shown
from services.ingestor.runs.run import Runner
from services.ingestor.settings import IngestorSettings
from services.ingestor.startup import make_parts
from tradetrail.errors import Retryable, TradetrailError, Unreachable
from tradetrail.events.generated import RunTrigger
from tradetrail.process import EXIT_FAILED, EXIT_OK, exit_code_of
from tradetrail.settings import SharedSettings


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for: a task, for days of report if they named some, all windows if they said so."""

    task: str
    start: date | None = None
    end: date | None = None
    again: bool = False


def once(
    settings: SharedSettings, own: IngestorSettings, stop: threading.Event, asked: Asked
) -> int:
    """Do it; return the exit code (0 completed, 1 a run failed, 2 usage, 3 a server is away). Says errors in a line.

    Findings of maintenance are printed, one a line; they are no failure.
    """
    return commanded(settings, own, stop, lambda parts: _run(parts, asked))


def commanded(
    settings: SharedSettings,
    own: IngestorSettings,
    stop: threading.Event,
    work: Callable[[Parts], int],
) -> int:
    """Do ``work`` for a person; return its exit code. Errors are said in a line; a log that is away is exit code 3."""
    try:
        parts = make_parts(settings, own, stop)
        try:
            return work(parts)
        except Retryable as error:
            raise Unreachable(str(error)) from error
        finally:
            parts.memory.close()
    except TradetrailError as error:
        return refuse(error)


def refuse(error: TradetrailError) -> int:
    """Say an error in one line, as every command does; return its exit code."""
    sys.stderr.write(f"tradetrail: {error}\n")
    return exit_code_of(error)


def _run(parts: Parts, asked: Asked) -> int:
    if asked.start is None or asked.end is None:
        request = request_of(asked.task, RunTrigger.COMMAND, _person(), None)
        try:
            return _tell(Runner(parts).run(request))
        except AlreadyRunning as error:
            return refuse(error)
    with shown(sys.stderr, lambda: parts.waiting) as show:
        outcome = backfill(
            parts,
            asked.task,
            asked.start,
            asked.end,
            again=asked.again,
            requested_by=_person(),
            show=show,
        )
    return _tell_all(outcome, asked)


def _tell(outcome: Outcome) -> int:
    if outcome.counts is None:
        sys.stderr.write(f"run {outcome.run_id} failed: {outcome.error}\n")
        return EXIT_FAILED
    sys.stdout.write(f"run {outcome.run_id} completed: {counted(outcome.counts)}\n")
    for finding in outcome.findings:
        sys.stdout.write(f"{finding.code} {finding.subject}: {finding.message}\n")
    return EXIT_OK


def _tell_all(outcome: BackfillOutcome, asked: Asked) -> int:
    window, plan = outcome.failed_window, outcome.plan
    if len(plan.windows) == 1:
        if outcome.outcomes:
            return _tell(outcome.outcomes[0])
        sys.stderr.write(f"tradetrail: {outcome.error}\n")
        return EXIT_FAILED
    completed = sum(one.counts is not None for one in outcome.outcomes)
    ended = "completed" if window is None else "stopped"
    sys.stdout.write(
        f"backfill {ended}: {plan.done + completed} of {len(plan.windows)} windows done, {completed} of them now: "
        f"{counted(outcome.totals)}\n"
    )
    if window is None:
        return EXIT_OK
    go_on = f"{GO_ON}, without --again" if asked.again else GO_ON
    sys.stderr.write(f"tradetrail: window {said(window)} failed: {outcome.error}; {go_on}\n")
    return EXIT_FAILED


def _person() -> str:
    """Return who asked, as far as the system knows."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError, ImportError):
        # A container's user may have no name.
        return f"uid {os.getuid()}@{socket.gethostname()}"
