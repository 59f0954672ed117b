"""The command line of a replay: read it, replay, put the report out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from services.decider.replay.asked import Asked, Override
from services.decider.replay.changes import check_names
from services.decider.replay.report import print_report, sheet, sums
from services.decider.replay.run import replay
from tradetrail.arguments import RefusingParser, day_of
from tradetrail.cli.report.output import ReportFormat, check_form, show
from tradetrail.errors import UsageError
from tradetrail.process import EXIT_FAILED, EXIT_OK, run_command
from tradetrail.settings import SharedSettings, load
from tradetrail.symbols import check_symbol
from tradetrail.telemetry import configure_logging


def main(arguments: list[str]) -> int:
    """Replay as asked and return the exit code.

    0: no difference, or a what-if; 1: differences; 2: usage; 3: a server is away.
    """
    # Interrupted, it says nothing: nothing was written, so there is nothing to clean up.
    return run_command(lambda: _replay(_parser().parse_args(arguments)))


def _replay(options: argparse.Namespace) -> int:
    form, output = ReportFormat(options.format), options.output
    check_form(form, output)
    asked = _asked(options)
    check_names(asked)
    shared = load(SharedSettings)
    configure_logging(shared)
    report = replay(shared, asked)
    show(report, form, output, printer=print_report, sheet=sheet)
    if form is not ReportFormat.TABLE or output is not None:
        told = ", ".join(
            f"{name.replace('_', ' ')} {value}" for name, value in sums(report).items()
        )
        sys.stderr.write(f"replayed: {told}\n")
    return EXIT_FAILED if report.get("differences") else EXIT_OK


def _asked(options: argparse.Namespace) -> Asked:
    """Return what the options ask for. Raises UsageError."""
    return Asked(
        first=day_of("--from", options.first),
        last=day_of("--to", options.last),
        symbol=None if options.symbol is None else check_symbol(options.symbol),
        strategy=options.strategy,
        version=options.version,
        overrides=tuple(_override(text) for text in options.set),
    )


def _override(text: str) -> Override:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise UsageError(
            f"--set {text!r} is no threshold=value; such as --set strength_min=3, "
            "or --set CongressionalTradingStrategy.lookback_days=30"
        )
    owner, dot, threshold = name.rpartition(".")
    return Override(owner if dot else None, threshold, value)


def _parser() -> argparse.ArgumentParser:
    parser = RefusingParser(
        see="tradetrail replay --help",
        prog="python -m services.decider.replay",
        description="Run recorded decisions again, or under other thresholds. Writes nothing.",
    )
    parser.add_argument("--from", dest="first", metavar="D", help="first day of the triggers")
    parser.add_argument("--to", dest="last", metavar="D", help="last day, inclusive")
    parser.add_argument("--symbol", metavar="S", help="this symbol only")
    parser.add_argument("--strategy", metavar="NAME", help="this strategy only")
    parser.add_argument("--strategy-version", dest="version", metavar="V", help="another version")
    parser.add_argument(
        "--set", action="append", default=[], metavar="THRESHOLD=VALUE", help="another value"
    )
    parser.add_argument("--format", default="table", choices=[each.value for each in ReportFormat])
    parser.add_argument("--output", type=Path, metavar="FILE", help="write to this file")
    return parser
