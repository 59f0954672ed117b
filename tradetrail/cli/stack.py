"""``tradetrail up | down | status | doctor``: the local stack."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tradetrail.errors import Fatal, UsageError
from tradetrail.stack import control
from tradetrail.stack.assembly import ALL_PARTS, check_names
from tradetrail.stack.doctor import Examination, examine
from tradetrail.stack.home import Home
from tradetrail.stack.local import LocalStack
from tradetrail.stack.parts import PartStatus
from tradetrail.stack.running import current_home, stop_running

# An executor folds the whole log when it takes over; years of it take a while.
SETTLE_TIMEOUT_S = 120.0
_LOOK_AGAIN_S = 0.2

_talk = Console(stderr=True)
# Into a file or a pipe a row stays one line.
_WIDTH_PIPED = 220
_COLOURS = {
    "healthy": "green",
    "external": "cyan",
    "starting": "yellow",
    "unhealthy": "red",
    "stopped": "dim",
}


class Format(StrEnum):
    """How to print."""

    TABLE = "table"
    JSON = "json"


FormatOption = Annotated[
    Format, typer.Option("--format", help="table for people, json for programs")
]

Section = Callable[[Sequence[PartStatus], dict[str, str]], Any]


def _held(rows: Sequence[PartStatus], _env: dict[str, str]) -> dict[str, Any]:
    return {row.name: row.facts["held"] for row in rows if "held" in row.facts}


def _lag(rows: Sequence[PartStatus], _env: dict[str, str]) -> dict[str, Any]:
    return {row.name: row.facts["lag_records"] for row in rows if "lag_records" in row.facts}


def _halted(rows: Sequence[PartStatus], _env: dict[str, str]) -> dict[str, Any]:
    """Return what is halted, by whom, since when and why."""
    return {
        scope: told for row in rows for scope, told in dict(row.facts.get("halted") or {}).items()
    }


# What the status tells beyond the parts: name → function of the parts' states (``facts`` is each health page) and the
# stack's settings (``TRADETRAIL_*``). Each is a key of the JSON and a line under the table: add more here.
STATUS_SECTIONS: dict[str, Section] = {"lag_records": _lag, "held": _held, "halted": _halted}


def register(app: typer.Typer) -> None:
    """Add the commands of the local stack."""
    app.command(epilog="Examples: `tradetrail up`; `tradetrail up --only kafka,registry,postgres`")(
        up
    )
    app.command(epilog="Example: `tradetrail down`")(down)
    app.command(epilog="Example: `tradetrail status --format json`")(status)
    app.command(epilog="Example: `tradetrail doctor`")(doctor)


class TerminalReporter:
    """Shows slow work on standard error: bars on a terminal, plain lines elsewhere."""

    def say(self, text: str) -> None:
        """Show one line."""
        _talk.print(text, highlight=False, markup=False)

    @contextmanager
    def download(self, filename: str, total_bytes: int) -> Iterator[Callable[[int], None]]:
        """Show one file's progress."""
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
        )
        with Progress(
            *columns, console=_talk, transient=True, disable=not _talk.is_terminal
        ) as progress:
            task = progress.add_task(filename, total=total_bytes)
            yield lambda count: progress.advance(task, count)


def up(
    only: Annotated[
        str, typer.Option(help="Comma-separated parts instead of all: " + ", ".join(ALL_PARTS))
    ] = "",
    data: Annotated[
        Path | None, typer.Option(help="Folder of real records for the simulated vendors")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the invented records")] = None,
) -> None:
    """Start the local stack and return when every part is ready; it runs until `tradetrail down`."""
    names = tuple(name.strip() for name in only.split(",") if name.strip()) or ALL_PARTS
    arguments: list[str] = []
    if data is not None:
        if not data.is_dir():
            raise UsageError(f"there is no data folder {data}")
        arguments += ["--data", str(data.absolute())]
    if seed is not None:
        arguments += ["--seed", str(seed)]
    home = Home.find()
    rows = _already_up(home, names) if home.is_locked() else _start(home, names, arguments)
    _console().print(_table(rows))
    _talk.print(
        f"data, logs and settings: {home.root}; stop with `tradetrail down`", highlight=False
    )


def _start(home: Home, names: Sequence[str], arguments: Sequence[str]) -> list[PartStatus]:
    stack = LocalStack(home.root, names, simulator_arguments=arguments, reporter=TerminalReporter())
    stack.start()
    try:
        with Live(console=_talk, transient=True, auto_refresh=False) as live:
            terminal = _talk.is_terminal
            stack.wait_ready(
                show=(lambda rows: live.update(_table(rows), refresh=True)) if terminal else None
            )
        rows = _settled(stack)
        stack.detach()
    finally:
        stack.stop()
    return rows


def _settled(stack: LocalStack) -> list[PartStatus]:
    """Return every part's state once all are healthy: a service that took over work is busy for a moment.

    Raises Fatal when one stays ill.
    """
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while True:
        rows = stack.status()
        ill = [f"{row.name} ({row.detail})" for row in rows if not row.is_well]
        if not ill:
            return rows
        if time.monotonic() > deadline:
            raise Fatal(
                f"still ill after {SETTLE_TIMEOUT_S:.0f} s: {', '.join(ill)}; see `tradetrail doctor`"
            )
        time.sleep(_LOOK_AGAIN_S)


def _already_up(home: Home, names: Sequence[str]) -> list[PartStatus]:
    answer = control.ask(home, {"op": "status", "fresh": True})
    rows = [PartStatus.from_json(row) for row in answer["parts"]]
    absent = sorted(set(check_names(names)) - {row.name for row in rows})
    if absent:
        raise UsageError(
            f"the stack in {home.root} runs without {', '.join(absent)}; `tradetrail down` first"
        )
    _talk.print(f"already running in {home.root}", highlight=False)
    return rows


def down() -> None:
    """Stop the local stack; its data stays."""
    home = current_home()
    if stop_running(home):
        _talk.print(f"stopped the local stack in {home.root}", highlight=False)
    else:
        _talk.print(f"no local stack runs in {home.root}", highlight=False)


def status(format_: FormatOption = Format.TABLE) -> None:
    """Show every part with its process, address and health; exit 1 if one is ill, 3 if no stack runs."""
    home = current_home()
    answer = control.ask(home, {"op": "status", "fresh": True})
    rows = [PartStatus.from_json(row) for row in answer["parts"]]
    healthy = all(row.is_well for row in rows)
    sections = {
        name: section(rows, dict(answer["env"])) for name, section in STATUS_SECTIONS.items()
    }
    if format_ is Format.JSON:
        content = {
            "home": str(home.root),
            "supervisor_pid": answer["pid"],
            "phase": answer["phase"],
            "healthy": healthy,
            "parts": [row.to_json() for row in rows],
            "steps": [PartStatus.from_json(row).to_json() for row in answer["steps"]],
            **sections,
        }
        print(json.dumps(content, indent=2))
    else:
        console = _console()
        console.print(_table(rows))
        for name, content in sections.items():
            console.print(f"{name}: {content}", highlight=False)
    if not healthy:
        raise typer.Exit(1)


def doctor(format_: FormatOption = Format.TABLE) -> None:
    """Say what is wrong with this machine or the stack, and how to mend it; exit 1 if something is."""
    found = list(examine(current_home()))
    if format_ is Format.JSON:
        print(json.dumps({"checks": [examination.to_json() for examination in found]}, indent=2))
    else:
        _print_examinations(found)
    if any(not examination.ok for examination in found):
        raise typer.Exit(1)


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _WIDTH_PIPED)


def _print_examinations(found: list[Examination]) -> None:
    console = _console()
    for examination in found:
        mark = "[green]ok  [/green]" if examination.ok else "[red]FAIL[/red]"
        console.print(f"{mark} ", end="")
        console.print(
            f"{examination.name}: {examination.found}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
        if not examination.ok:
            console.print(
                f"     → {examination.remedy}", highlight=False, markup=False, soft_wrap=True
            )


def _table(rows: list[PartStatus]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("part", "health", "pid", "address", "up", "restarts", "detail"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        colour = _COLOURS[row.health]
        table.add_row(
            row.name,
            f"[{colour}]{row.health}[/{colour}]",
            str(row.pid or ""),
            row.address,
            f"{row.uptime_s:.0f} s" if row.uptime_s is not None else "",
            str(row.restarts),
            row.detail,
        )
    return table
