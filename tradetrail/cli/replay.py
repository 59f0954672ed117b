"""``tradetrail replay``: recorded decisions again, by the decider's own code, in a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tradetrail.cli.child import FOR_PEOPLE, passed_on, run_child
from tradetrail.cli.report.output import ReportFormat
from tradetrail.stack.home import Home
from tradetrail.stack.local import LocalStack
from tradetrail.stack.running import demo_home, running_env

# What a replay reads; nothing else of a stopped stack is started for it.
_LOG_PARTS = ("kafka", "registry")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples: `tradetrail replay`; `tradetrail replay --from 2020-01-01 --to 2020-12-31 --symbol AAPL`; "
        "`tradetrail replay --set strength_min=3 --format csv --output what-if.csv`; "
        "`tradetrail replay --set CongressionalTradingStrategy.lookback_days=30`"
    )(replay)


def replay(
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="D", help="First day of the triggers, YYYY-MM-DD, New York"),
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="D", help="Last day, inclusive")
    ] = None,
    symbol: Annotated[
        str | None, typer.Option("--symbol", metavar="S", help="This symbol only")
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option("--strategy", metavar="NAME", help="This only; a what-if if it was never on"),
    ] = None,
    version: Annotated[
        str | None,
        typer.Option(
            "--strategy-version", metavar="V", help="What-if: another version of --strategy"
        ),
    ] = None,
    thresholds: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="THRESHOLD=VALUE", help="What-if: another value; repeatable"),
    ] = None,
    form: Annotated[ReportFormat, typer.Option("--format", help="Form of the output")] = (
        ReportFormat.TABLE
    ),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file instead of stdout")
    ] = None,
) -> None:
    """Run recorded decisions again and show any difference; with another threshold or strategy, what would change.

    Reads the log only: nothing is written, no order can be sent. Exit code 0: no difference, or a what-if; 1:
    differences; 2: usage; 3: a server is away.
    """
    command = [sys.executable, "-m", "services.decider.replay", f"--format={form.value}"]
    # The decider's code judges them: it knows its strategies and thresholds.
    command += passed_on(
        (
            ("--from", first),
            ("--to", last),
            ("--symbol", symbol),
            ("--strategy", strategy),
            ("--strategy-version", version),
            ("--output", output),
        )
    )
    command += [f"--set={each}" for each in thresholds or ()]
    with _log() as env:
        raise typer.Exit(run_child(command, env))


@contextmanager
def _log() -> Iterator[Mapping[str, str]]:
    """Yield settings that lead to the log: the environment's, the running stack's, or those of one that is stopped."""
    running = running_env()
    home = None if running or "TRADETRAIL_KAFKA" in os.environ else _stopped()
    if home is None:
        yield {**FOR_PEOPLE, **(running or {}), **os.environ}
        return
    talk = Console(stderr=True, highlight=False, soft_wrap=True)
    talk.print(f"no stack runs: starting Kafka and the registry of {home.root} for this replay …")
    with LocalStack(home.root, _LOG_PARTS) as stack:
        yield {**FOR_PEOPLE, **stack.env(), **os.environ}


def _stopped() -> Home | None:
    """Return the folder of the stack that ran last here, the project's or its demo's; None when none ever did."""
    homes = [
        home
        for home in (Home.find(), demo_home())
        if (home.data / "kafka" / "log").is_dir() and home.state_file.exists()
    ]
    return max(homes, key=lambda home: home.state_file.stat().st_mtime_ns, default=None)
