"""``tradetrail demo``: the whole system on simulated vendors, a report, and its page."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from tradetrail.cli.report.output import ReportFormat
from tradetrail.cli.report.symbol import show_symbol_report
from tradetrail.demo.plan import CASH_USD, DEFAULT_SYMBOL, Plan, Wish, plan
from tradetrail.demo.run import Walked, demo_stack, walk
from tradetrail.process import stop_on_signals
from tradetrail.reports.connection import DatabaseSettings, open_reader
from tradetrail.reports.counts import event_counts, run_counts
from tradetrail.reports.symbol import symbol_report
from tradetrail.stack.local import LocalStack
from tradetrail.stack.parts import PartStatus

# Without a terminal a line so often tells that the walk goes on.
_LINE_EVERY_SESSIONS = 20


def register(app: typer.Typer) -> None:
    """Add the command ``demo``."""
    app.command(
        epilog="Examples: `tradetrail demo --once`; "
        "`tradetrail demo --data FOLDER --symbol MSFT --from 2020-01-01 --to 2020-12-31`"
    )(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the report.")] = False,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of real records instead of invented ones.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the invented world.")] = 1,
    start: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day to walk.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day to walk.")
    ] = None,
    symbol: Annotated[str, typer.Option("--symbol", help="Symbol of the report.")] = DEFAULT_SYMBOL,
    cash: Annotated[float, typer.Option("--cash", min=0, help="Starting cash, USD.")] = float(
        CASH_USD
    ),
    output: Annotated[ReportFormat, typer.Option("--format", help="form of the report")] = (
        ReportFormat.TABLE
    ),
) -> None:
    """The whole system over some simulated months, then a symbol's report and its page."""
    talk = Console(stderr=True)
    wish = Wish(data, seed, _day(start), _day(end), symbol, Decimal(str(cash)))
    chosen = plan(wish)
    talk.print(
        f"Starting Kafka, registry, Postgres, simulated vendors and the four services "
        f"for {chosen.start} to {chosen.end} …"
    )
    with demo_stack(chosen, _Starting(talk).show) as stack:
        with _progress(talk) as progress:
            walked = walk(chosen, stack, progress)
        with open_reader(
            stack.addresses.postgres_dsn, DatabaseSettings().postgres_schema
        ) as database:
            report = symbol_report(database, chosen.symbol, chosen.start, chosen.end)
            counts, events = run_counts(database), sum(event_counts(database).values())
        show_symbol_report(report, output)
        _closing(talk, chosen, walked, counts, events)
        if not once:
            _stay(talk, stack, chosen)


class _Starting:
    """Says of each part, once, when it is ready."""

    def __init__(self, talk: Console) -> None:
        self._talk = talk
        self._ready: set[str] = set()

    def show(self, rows: list[PartStatus]) -> None:
        for row in rows:
            if row.is_well and row.name not in self._ready:
                self._ready.add(row.name)
                self._talk.print(f"  {row.name} is ready", highlight=False)


def _day(value: datetime | None) -> date | None:
    return value.date() if value else None


@contextmanager
def _progress(talk: Console) -> Iterator[Callable[[date, int], None]]:
    """Show a bar on a terminal, else a line now and then."""
    if not sys.stderr.isatty():

        def line(day: date, left: int) -> None:
            if left % _LINE_EVERY_SESSIONS == 0:
                talk.print(f"{day}: {left} sessions to go")

        yield line
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} sessions"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=talk, transient=True) as bars:
        bar = bars.add_task("walking", total=None)

        def move(day: date, left: int) -> None:
            total = bars.tasks[0].total or left
            bars.update(bar, description=str(day), completed=total - left, total=total)

        yield move


def _closing(
    talk: Console, chosen: Plan, walked: Walked, counts: dict[str, dict[str, int]], events: int
) -> None:
    table = Table(title=f"What happened from {chosen.start} to {chosen.end}, all symbols")
    table.add_column("kind")
    table.add_column("how many")
    for kind, parts in counts.items():
        said = ", ".join(f"{name} {count:,}" for name, count in parts.items()) or "none"
        table.add_row(kind.replace("_", " "), said)
    talk.print(table)
    talk.print(
        f"{walked.sessions} sessions and {events:,} events in {walked.took_s:.0f} s: "
        f"{events / walked.took_s:,.0f} events a second through the whole chain."
    )


def _stay(talk: Console, stack: LocalStack, chosen: Plan) -> None:
    page = stack.part("auditor").address
    query = f"from={chosen.start}&to={chosen.end}"
    talk.print(
        f"The report as a page: {page}/reports/symbol/{chosen.symbol}?{query}", soft_wrap=True
    )
    talk.print(f"All symbols:          {page}/")
    talk.print("Ctrl-C ends the demo.")
    wait_for_stop(stop_on_signals())


def wait_for_stop(stop: threading.Event) -> None:
    """Wait, without a limit, until a person or a signal ends it."""
    while not stop.wait(1.0):
        pass
