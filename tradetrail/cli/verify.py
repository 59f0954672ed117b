"""``tradetrail verify``: the log against the audit database, by the auditor's own code, in a process of its own."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tradetrail.cli.child import FOR_PEOPLE, passed_on, run_child
from tradetrail.cli.log_window import First, Last, Partition, Topic
from tradetrail.stack.running import running_env


class VerifyFormat(StrEnum):
    """How to print what was found."""

    TABLE = "table"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples: `tradetrail verify`; `tradetrail verify --events-only --format json`; "
        "`tradetrail verify --topic trade.megacap --from 2020-03-01 --to 2020-03-31`; "
        "`tradetrail verify --topic trade.megacap --partition 0 --from 1200 --to 1300`; "
        "`tradetrail verify --state verify.json` (again after an interruption: it goes on)"
    )(verify)


def verify(
    topic: Topic = None,
    partition: Partition = None,
    first: First = None,
    last: Last = None,
    events_only: Annotated[
        bool, typer.Option("--events-only", help="Leave the tables out; a reader's rights suffice")
    ] = False,
    findings_max: Annotated[
        int, typer.Option("--max-findings", min=1, help="Differences told one by one, at most")
    ] = 100,
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="FILE", help="Keeps how far an interrupted run came"),
    ] = None,
    form: Annotated[VerifyFormat, typer.Option("--format", help="Form of the output")] = (
        VerifyFormat.TABLE
    ),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file instead of stdout")
    ] = None,
) -> None:
    """Compare the log with the audit database: every event, and every row with what the log gives.

    Changes neither; the auditors go on meanwhile. Exit code 0: no difference; 1: differences, the first one named in
    the first line; 2: usage; 3: a server is away.
    """
    command = [sys.executable, "-m", "services.auditor", "--verify", f"--format={form.value}"]
    command += passed_on(
        (
            ("--topic", topic),
            ("--partition", partition),
            ("--from", first),
            ("--to", last),
            ("--max-findings", findings_max),
            ("--state", state),
            ("--output", output),
        )
    )
    command += ["--events-only"] * events_only
    env = {**FOR_PEOPLE, **(running_env() or {}), **os.environ}
    raise typer.Exit(run_child(command, env))
