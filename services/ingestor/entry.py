"""The ingestor's command line: read it, make the parts, run the schedule or one task."""

from __future__ import annotations

import argparse
import getpass
import os
import socket
import sys
import threading
from datetime import date

from services.ingestor.lock import AlreadyRunning
from services.ingestor.parts import request_of
from services.ingestor.run import Runner
from services.ingestor.service import Schedule
from services.ingestor.settings import IngestorSettings, checked_task
from services.ingestor.sources.quiver import Window
from services.ingestor.startup import SERVICE, make_parts
from services.ingestor.tasks import TASKS
from tradetrail.errors import Retryable, Unreachable, UsageError
from tradetrail.events.generated import RunTrigger
from tradetrail.process import EXIT_FAILED, EXIT_OK, run_service
from tradetrail.settings import SharedSettings, load
from tradetrail.telemetry import HealthServer


def main(arguments: list[str]) -> int:
    """Run as asked; return the exit code (0 done, 1 the run failed, 2 usage, 3 a server is away)."""
    options = _parser().parse_args(arguments)

    def body(settings: SharedSettings, stop: threading.Event) -> int:
        own = load(IngestorSettings)
        return _once(settings, own, stop, options) if options.once else _serve(settings, own, stop)

    return run_service(SERVICE, body, IngestorSettings)


def _serve(settings: SharedSettings, own: IngestorSettings, stop: threading.Event) -> int:
    parts = make_parts(settings, own, stop)
    schedule = Schedule(parts)
    server = HealthServer(settings.http_host, settings.http_port, schedule.health)
    server.start()
    try:
        schedule.run(stop)
    finally:
        server.close()
        parts.memory.close()
    return EXIT_OK


def _once(
    settings: SharedSettings,
    own: IngestorSettings,
    stop: threading.Event,
    options: argparse.Namespace,
) -> int:
    name = checked_task(options.once)
    window = _window(options.start, options.end)
    parts = make_parts(settings, own, stop)
    try:
        request = request_of(name, RunTrigger.COMMAND, _person(), window)
        outcome = Runner(parts).run(request)
    except AlreadyRunning as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    except Retryable as error:
        raise Unreachable(str(error)) from error
    finally:
        parts.memory.close()
    if outcome.error is not None:
        sys.stderr.write(f"run {outcome.run_id} failed: {outcome.error}\n")
        return EXIT_FAILED
    counts = outcome.counts
    if counts is not None:
        sys.stdout.write(
            f"run {outcome.run_id} completed: {counts.fetched} fetched, {counts.created} created, "
            f"{counts.updated} updated, {counts.skipped} skipped, {counts.flagged} flagged\n"
        )
    for finding in outcome.findings:
        sys.stdout.write(f"{finding.code} {finding.subject}: {finding.message}\n")
    return EXIT_OK


def _window(start: date | None, end: date | None) -> Window | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise UsageError("--from and --to go together: name the first and the last day of report")
    if end < start:
        raise UsageError(f"--to {end} is before --from {start}")
    return Window(start, end, is_explicit=True)


def _person() -> str:
    """Return who asked, as far as the system knows."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError, ImportError):
        # A container's user may have no name.
        return f"uid {os.getuid()}@{socket.gethostname()}"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write YYYY-MM-DD") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services.ingestor",
        description="Fetch disclosures and reference data, on a schedule or once.",
        epilog=f"Tasks: {', '.join(TASKS)}",
    )
    parser.add_argument("--once", metavar="TASK", help="run one task now and end")
    parser.add_argument("--from", dest="start", type=_day, metavar="D", help="first day of report")
    parser.add_argument("--to", dest="end", type=_day, metavar="D", help="last day of report")
    parser.add_argument("--show-config", action="store_true", help="show the settings and end")
    return parser
