"""``tradetrail ingest TASK``: one ingestion run now, by the ingestor itself, in a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from tradetrail.cli.child import FOR_PEOPLE, run_child
from tradetrail.errors import UsageError
from tradetrail.stack.running import running_env
from tradetrail.tasks import DATA_SOURCES


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples: `tradetrail ingest data_fetch:congress_daily`; "
        "`tradetrail ingest data_fetch:congress_daily --from 2015-01-01 --to 2023-12-31`"
    )(ingest)


def ingest(
    task: Annotated[str, typer.Argument(help="One of: " + ", ".join(DATA_SOURCES))],
    start: Annotated[
        str | None, typer.Option("--from", metavar="D", help="First day of report, YYYY-MM-DD")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="D", help="Last day of report, YYYY-MM-DD")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Run every window of the period, also those done")
    ] = False,
) -> None:
    """Run one ingestion task now; a long period is cut into windows, and the same command goes on where it ended.

    Exit code 0: completed; 1: a run failed; 2: usage; 3: a server is away.
    """
    if task not in DATA_SOURCES:
        raise UsageError(f"there is no task {task!r}; the tasks are: {', '.join(DATA_SOURCES)}")
    command = [sys.executable, "-m", "services.ingestor", "--once", task]
    # The ingestor judges the period: it knows which tasks take one, and its clock.
    for option, day in (("--from", start), ("--to", end)):
        command += [] if day is None else [f"{option}={day}"]
    command += ["--again"] if again else []
    raise typer.Exit(run_child(command, _environment()))


def _environment() -> Mapping[str, str]:
    """Return our environment, completed by the settings of the local stack that runs, if one does."""
    return {**FOR_PEOPLE, **(running_env() or {}), **os.environ}
