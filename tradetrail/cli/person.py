"""What every command shares by which a person acts: who, why, key, wait, asking back, and how an answer is printed."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tradetrail.cli.report.tables import cell
from tradetrail.process import EXIT_FAILED
from tradetrail.reports.encode import to_json
from tradetrail.settings import SharedSettings, load
from tradetrail.stack.running import running_env
from tradetrail.telemetry import configure_logging

_WAIT_S_MAX = 600.0
PIPE_COLUMNS = 160

talk = Console(stderr=True, highlight=False, soft_wrap=True)


class Format(StrEnum):
    """How to print the answer."""

    TABLE = "table"
    JSON = "json"


Who = Annotated[str, typer.Option("--as", metavar="WHO", help="who acts; recorded")]
Why = Annotated[str, typer.Option("--why", metavar="WHY", help="the reason, in a line; recorded")]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="K",
        help="the same key with the same words asks again and never acts twice; made when left out",
    ),
]
Wait = Annotated[
    float, typer.Option("--wait", min=1, max=_WAIT_S_MAX, help="seconds to wait for the answer")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="don't ask back")]
Form = Annotated[Format, typer.Option("--format", help="table for people, json for programs")]


def begin(meant: str, question: str, undone: str, key: str, *, yes: bool) -> SharedSettings:
    """Ask back on a terminal, tell the key, and return where the log is.

    Raises typer.Exit with 1 when the person says no.
    """
    settings = settings_of_log()
    configure_logging(settings.model_copy(update={"log_format": "console", "log_level": "error"}))
    if sys.stdin.isatty() and not yes and not _is_meant(meant, question):
        talk.print(undone)
        raise typer.Exit(EXIT_FAILED)
    # Told before anything is written: whatever happens next, the key asks again.
    talk.print(f"key {key}", markup=False)
    return settings


def show(report: dict[str, Any], form: Format) -> None:
    """Print a report of names and values; what is empty is left out of a table."""
    if form is Format.JSON:
        sys.stdout.write(f"{to_json(report, indent=2)}\n")
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in report.items():
        if value is None or value == []:
            continue
        shown = "; ".join(map(str, value)) if isinstance(value, list) else cell(value)
        table.add_row(name.replace("_", " "), Text(shown))
    console().print(table)


def console() -> Console:
    """Return the console for data: as wide as the terminal, else a fixed width."""
    return Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)


def settings_of_log() -> SharedSettings:
    """Return where the log is: the environment's, or else the local stack's that runs here."""
    settings = load(SharedSettings)
    if "kafka" in settings.model_fields_set:
        return settings
    env = running_env() or {}
    local = {
        name: env[variable]
        for name in ("kafka", "registry_url", "clock_url")
        if (variable := f"TRADETRAIL_{name.upper()}") in env
        and name not in settings.model_fields_set
    }
    return settings.model_copy(update=local)


def _is_meant(meant: str, question: str) -> bool:
    talk.print(meant, markup=False)
    try:
        return talk.input(f"{question} y/N ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
