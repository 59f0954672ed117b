"""``tradetrail rebuild``: audit tables again from the log, by the auditor's own code, in a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from tradetrail.cli.child import FOR_PEOPLE, passed_on, run_child
from tradetrail.cli.log_window import First, Last, Partition, Topic
from tradetrail.cli.report.output import ReportFormat
from tradetrail.stack.running import running_env


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples: `tradetrail rebuild`; "
        '`tradetrail rebuild --apply --as ann --why "a row was altered by hand"`; '
        "`tradetrail rebuild --topic trade.megacap --from 2020-03-01 --to 2020-03-31`; "
        '`tradetrail rebuild --topic trade.megacap --partition 0 --from 1200 --to 1300 --apply --as ann --why "…"`'
    )(rebuild)


def rebuild(
    topic: Topic = None,
    partition: Partition = None,
    first: First = None,
    last: Last = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Change the audit database; needs --as and --why")
    ] = False,
    who: Annotated[
        str | None, typer.Option("--as", metavar="WHO", help="Who acts; recorded")
    ] = None,
    why: Annotated[
        str | None, typer.Option("--why", metavar="WHY", help="The reason, in a line; recorded")
    ] = None,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Drop the old schema instead of keeping it")
    ] = False,
    form: Annotated[ReportFormat, typer.Option("--format", help="Form of the output")] = (
        ReportFormat.TABLE
    ),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file instead of stdout")
    ] = None,
) -> None:
    """Make the audit tables again from the log, beside the live ones, and compare; with --apply, swap them.

    With a window, only what its events say is compared, and mended in place. The auditors go on meanwhile. A dry run
    unless --apply. Exit code 0: no difference, or applied; 1: differences, or refused; 2: usage; 3: a server is away.
    """
    command = [sys.executable, "-m", "services.auditor", "--rebuild", f"--format={form.value}"]
    command += passed_on(
        (
            ("--topic", topic),
            ("--partition", partition),
            ("--from", first),
            ("--to", last),
            ("--as", who),
            ("--why", why),
            ("--output", output),
        )
    )
    command += ["--apply"] * apply + ["--drop-old"] * drop_old
    env = {**FOR_PEOPLE, **(running_env() or {}), **os.environ}
    raise typer.Exit(run_child(command, env))
