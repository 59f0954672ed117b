"""What a person sees of a backfill while it goes on: a bar on a terminal, else one line per window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from services.ingestor.parts import Outcome
from services.ingestor.recording.counts import Counts
from services.ingestor.runs.backfill import Plan, Show, said
from services.ingestor.sources.quiver import Window

Waiting = Callable[[], str | None]


def counted(counts: Counts) -> str:
    """Return a run's numbers as people read them."""
    return (
        f"{counts.fetched} fetched, {counts.created} created, {counts.updated} updated, {counts.skipped} skipped, "
        f"{counts.flagged} flagged"
    )


@contextmanager
def shown(stream: TextIO, waiting: Waiting) -> Iterator[Show]:
    """Return what shows a backfill on ``stream``; ``waiting`` tells what is being waited for, if anything."""
    if not stream.isatty():
        yield _Lines(stream)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rows]} rows"),
        _WaitingColumn(waiting),
    )
    # Redirecting would take the summary on stdout for talk, and log lines go to the stream they were given.
    bar = Progress(
        *columns, console=Console(file=stream), redirect_stdout=False, redirect_stderr=False
    )
    with bar:
        yield _Bar(bar)


def _continuing(plan: Plan) -> str | None:
    """Return what to say of windows that are left out; None when all are run."""
    if plan.since is None:
        return None
    return (
        f"continuing: {plan.done} of {len(plan.windows)} windows are done since {plan.since:%Y-%m-%d %H:%M} UTC; "
        "--again runs all"
    )


class _Lines:
    """One line for each window."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._count = 0

    def planned(self, plan: Plan) -> None:
        """Say how much was done before."""
        self._count = len(plan.windows)
        if line := _continuing(plan):
            self._write(line)

    def began(self, number: int, window: Window) -> None:
        """Say nothing yet."""

    def ended(self, number: int, window: Window, outcome: Outcome, totals: Counts) -> None:
        """Say how the window's run ended, unless it is the only one: then the summary does."""
        if self._count > 1 and outcome.counts is not None:
            where = f"window {number} of {self._count}, {said(window)}"
            self._write(f"{where}: {counted(outcome.counts)}")

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


class _Bar:
    """A bar of windows, with the one that is being run and the rows so far."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("reading the log", total=None, rows=0)

    def planned(self, plan: Plan) -> None:
        """Say how much was done before, and how much there is in all."""
        if line := _continuing(plan):
            # Through the bar's own console, which writes it above the bar.
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        self._bar.update(self._task, total=len(plan.windows), completed=plan.done)

    def began(self, number: int, window: Window) -> None:
        """Name the window that is being run."""
        self._bar.update(self._task, description=said(window))

    def ended(self, number: int, window: Window, outcome: Outcome, totals: Counts) -> None:
        """Move on, if its run completed."""
        done = 1 if outcome.counts is not None else 0
        self._bar.update(self._task, advance=done, rows=totals.fetched)


class _WaitingColumn(ProgressColumn):
    """What is being waited for."""

    def __init__(self, waiting: Waiting) -> None:
        super().__init__()
        self._waiting = waiting

    def render(self, task: Task) -> Text:
        """Return it, or nothing."""
        return Text(self._waiting() or "")
