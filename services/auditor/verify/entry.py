"""The command line of a verification: read it, verify, put the report out."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from services.auditor.refilling.servers import Servers
from services.auditor.settings import AuditorSettings
from services.auditor.verify.asked import Asked, add_window, window_of
from services.auditor.verify.report import print_report, sheet, summary
from services.auditor.verify.run import verify
from tradetrail.arguments import RefusingParser
from tradetrail.cli.report.output import ReportFormat, show
from tradetrail.process import EXIT_FAILED, EXIT_OK, EXIT_UNREACHABLE, end_politely, run_command
from tradetrail.reports.connection import DatabaseSettings
from tradetrail.settings import SharedSettings, load
from tradetrail.telemetry import configure_logging

FINDINGS_MAX = 100


def main(arguments: list[str]) -> int:
    """Verify as asked and return the exit code.

    0: no difference; 1: differences; 2: usage; 3: a server is away.
    """
    signal.signal(signal.SIGTERM, end_politely)
    return run_command(
        lambda: _verify(_parser().parse_args(arguments)),
        "interrupted; with --state the same command goes on from here\n",
    )


def _verify(options: argparse.Namespace) -> int:
    asked = Asked(window_of(options), options.findings_max, options.events_only)
    shared = load(SharedSettings)
    configure_logging(shared)
    servers = Servers(shared, load(DatabaseSettings), load(AuditorSettings))
    report = verify(servers, asked, options.state)
    form = ReportFormat(options.format)
    show(report, form, options.output, printer=print_report, sheet=sheet)
    if form is not ReportFormat.TABLE or options.output is not None:
        sys.stderr.write(f"verified: {summary(report)}\n")
    if report["differences"]:
        return EXIT_FAILED
    return EXIT_UNREACHABLE if report["tables_skipped_because"] else EXIT_OK


def _parser() -> argparse.ArgumentParser:
    parser = RefusingParser(
        see="python -m services.auditor --verify --help",
        prog="python -m services.auditor --verify",
        description="Compare the log with the audit database.",
    )
    add_window(parser)
    parser.add_argument("--events-only", action="store_true", help="leave the tables out")
    parser.add_argument(
        "--max-findings",
        dest="findings_max",
        type=int,
        default=FINDINGS_MAX,
        help="told one by one",
    )
    parser.add_argument(
        "--state", type=Path, help="file that keeps how far an interrupted run came"
    )
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--output", "-o", type=Path, help="write to this file instead of stdout")
    return parser
