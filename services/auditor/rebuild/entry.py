"""The command line of a rebuild: read it, rebuild, put the report out."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from services.auditor.rebuild.asked import Asked
from services.auditor.rebuild.progress import showing
from services.auditor.rebuild.report import print_report, report_of, sheet, summary
from services.auditor.rebuild.whole import rebuild_whole
from services.auditor.rebuild.window import rebuild_window
from services.auditor.refilling.servers import Servers
from services.auditor.settings import AuditorSettings
from services.auditor.verify.asked import add_window, window_of
from tradetrail.arguments import RefusingParser
from tradetrail.cli.report.output import ReportFormat, check_form, show
from tradetrail.process import EXIT_FAILED, EXIT_OK, end_politely, run_command
from tradetrail.reports.connection import DatabaseSettings
from tradetrail.settings import SharedSettings, load
from tradetrail.telemetry import configure_logging


def main(arguments: list[str]) -> int:
    """Rebuild as asked and return the exit code.

    0: no difference, or applied; 1: differences in a dry run, or refused; 2: usage; 3: a server is away.
    """
    signal.signal(signal.SIGTERM, end_politely)
    return run_command(
        lambda: _rebuild(_parser().parse_args(arguments)),
        "interrupted; the next rebuild begins anew\n",
    )


def _rebuild(options: argparse.Namespace) -> int:
    form, output = ReportFormat(options.format), options.output
    check_form(form, output)
    window = window_of(options)
    asked = Asked(window, options.apply, options.who, options.why, options.drop_old)
    shared = load(SharedSettings)
    configure_logging(shared)
    servers = Servers(shared, load(DatabaseSettings), load(AuditorSettings))
    began = time.monotonic()
    with showing() as shown:
        do = rebuild_whole if window.is_whole else rebuild_window
        report = report_of(asked, do(servers, asked, shown), time.monotonic() - began)
    show(report, form, output, printer=print_report, sheet=sheet)
    if form is not ReportFormat.TABLE or output is not None:
        sys.stderr.write(f"rebuilt: {summary(report)}\n")
    return EXIT_FAILED if report["differences"] and not asked.apply else EXIT_OK


def _parser() -> argparse.ArgumentParser:
    parser = RefusingParser(
        see="tradetrail rebuild --help",
        prog="python -m services.auditor --rebuild",
        description="Make audit tables again from the log. A dry run unless --apply.",
    )
    add_window(parser)
    parser.add_argument("--apply", action="store_true", help="change the audit database")
    parser.add_argument("--as", dest="who", metavar="WHO", help="who acts; recorded")
    parser.add_argument("--why", metavar="WHY", help="the reason; recorded")
    parser.add_argument("--drop-old", action="store_true", help="don't keep the old schema")
    parser.add_argument("--format", default="table", choices=[each.value for each in ReportFormat])
    parser.add_argument("--output", "-o", type=Path, metavar="FILE", help="write to this file")
    return parser
