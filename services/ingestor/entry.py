"""The ingestor's command line: read it, then run the schedule or one task."""

from __future__ import annotations

import argparse
import threading

from services.ingestor.rebuild import rebuild
from services.ingestor.runs.backfill import check_order
from services.ingestor.runs.once import Asked, once, refuse
from services.ingestor.service import Schedule
from services.ingestor.settings import IngestorSettings, checked_task
from services.ingestor.startup import SERVICE, make_parts
from services.ingestor.tasks import TASKS
from tradetrail.arguments import RefusingParser, day_of
from tradetrail.errors import UsageError
from tradetrail.process import EXIT_OK, run_service
from tradetrail.settings import SharedSettings, load
from tradetrail.telemetry import HealthServer


def main(arguments: list[str]) -> int:
    """Run as asked; return the exit code (0 done, 1 failed or the state differs, 2 usage, 3 a server is away)."""
    try:
        options = _parser().parse_args(arguments)
        asked = _asked(options)
        if asked is not None or options.rebuild_state:
            # A person gets one line for a setting that can't be used, where a service writes a log line.
            load(SharedSettings)
            load(IngestorSettings)
    except UsageError as error:
        return refuse(error)

    def body(settings: SharedSettings, stop: threading.Event) -> int:
        own = load(IngestorSettings)
        if options.rebuild_state:
            return rebuild(settings, own, stop, dry_run=options.dry_run)
        return _serve(settings, own, stop) if asked is None else once(settings, own, stop, asked)

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


def _asked(options: argparse.Namespace) -> Asked | None:
    """Return what is to be run once; None for the schedule. Raises UsageError."""
    start, end = day_of("--from", options.start), day_of("--to", options.end)
    if options.dry_run and not options.rebuild_state:
        raise UsageError("--dry-run goes with --rebuild-state")
    if options.once and options.rebuild_state:
        raise UsageError(
            "--rebuild-state runs no task: leave out --once, or do one after the other"
        )
    if options.once is None:
        if start or end or options.again:
            raise UsageError("--from, --to and --again go with --once TASK")
        return None
    name = checked_task(options.once)
    if start is None and end is None:
        if options.again:
            raise UsageError("--again goes with --from and --to: it runs every window of a period")
        return Asked(name)
    if start is None or end is None:
        raise UsageError("--from and --to go together: name the first and the last day of report")
    check_order(name, start, end)
    return Asked(name, start, end, options.again)


def _parser() -> argparse.ArgumentParser:
    parser = RefusingParser(
        see="python -m services.ingestor --help",
        prog="python -m services.ingestor",
        description="Fetch disclosures and reference data, on a schedule or once.",
        epilog=f"Tasks: {', '.join(TASKS)}",
    )
    parser.add_argument("--once", metavar="TASK", help="run one task now and end")
    parser.add_argument("--from", dest="start", metavar="D", help="first day of report")
    parser.add_argument("--to", dest="end", metavar="D", help="last day of report")
    parser.add_argument(
        "--again",
        action="store_true",
        help="run every window of the period, also those that are done",
    )
    parser.add_argument(
        "--rebuild-state",
        action="store_true",
        help="make the state topic again from the log's records, and end",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="with --rebuild-state: only tell what differs"
    )
    parser.add_argument("--show-config", action="store_true", help="show the settings and end")
    return parser
