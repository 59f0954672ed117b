"""``tradetrail report …``: the audit database's answers, from the same queries as the HTTP API."""

from __future__ import annotations

import typer

from tradetrail.cli.report.decision import decision
from tradetrail.cli.report.declined import declined
from tradetrail.cli.report.event import event
from tradetrail.cli.report.executed import executed
from tradetrail.cli.report.failed import failed
from tradetrail.cli.report.known_at import known_at
from tradetrail.cli.report.operator_acts import operator_acts
from tradetrail.cli.report.performance import performance
from tradetrail.cli.report.portfolio import portfolio
from tradetrail.cli.report.reads import reads
from tradetrail.cli.report.runs import runs
from tradetrail.cli.report.symbol import symbol
from tradetrail.cli.report.unresolved import unresolved


def register(app: typer.Typer) -> None:
    """Add the group ``report``."""
    group = typer.Typer(no_args_is_help=True, help="Reports from the audit database.")
    group.callback()(_group)
    group.command(
        epilog="Examples: `tradetrail report symbol AAPL --from 2020-01-01 --to 2020-12-31`; "
        "`tradetrail report symbol MSFT --format csv > msft.csv`"
    )(symbol)
    group.command(
        epilog="Examples: `tradetrail report runs --status failed`; "
        "`tradetrail report runs --task data_fetch:congress_daily --from 2020-01-01 --format json`"
    )(runs)
    group.command(
        epilog="Examples: `tradetrail report executed --symbol MSFT --from 2020-01-01 --to 2020-12-31`; "
        "`tradetrail report executed --side buy --format csv > bought.csv`"
    )(executed)
    group.command(
        epilog="Examples: `tradetrail report failed --from 2020-03-02 --to 2020-03-02`; "
        "`tradetrail report failed --reason blocked --format csv > blocked.csv`"
    )(failed)
    group.command(
        epilog="Examples: `tradetrail report performance --from 2020-01-01 --to 2020-12-31`; "
        "`tradetrail report performance --strategy CongressionalTradingStrategy --format json`"
    )(performance)
    group.command(
        epilog="Examples: `tradetrail report declined --symbol MSFT --from 2020-03-02 --to 2020-03-02`; "
        "`tradetrail report declined --reason below_threshold --format csv > declined.csv`"
    )(declined)
    group.command(
        "known-at",
        epilog="Examples: `tradetrail report known-at 300870cc-bf2b-5475-88eb-cd69963b372a`; "
        "`tradetrail report known-at 300870cc-bf2b-5475-88eb-cd69963b372a --format json`",
    )(known_at)
    group.command(
        epilog="Examples: `tradetrail report decision 300870cc-bf2b-5475-88eb-cd69963b372a`; "
        "`tradetrail report decision 300870cc-bf2b-5475-88eb-cd69963b372a --format json`"
    )(decision)
    group.command(
        epilog="Examples: `tradetrail report event trade.megacap 0 17`; "
        "`tradetrail report event trade.megacap 0 17 --format json`"
    )(event)
    group.command(
        epilog="Examples: `tradetrail report unresolved`; "
        "`tradetrail report unresolved --symbol MSFT --format json`"
    )(unresolved)
    group.command(
        "operator-acts",
        epilog="Examples: `tradetrail report operator-acts --operator ann`; "
        "`tradetrail report operator-acts --act halt --from 2020-01-01 --format json`",
    )(operator_acts)
    group.command(
        epilog="Examples: `tradetrail report reads --reader cora`; "
        "`tradetrail report reads --from 2020-01-01 --all --format csv -o reads.csv`"
    )(reads)
    group.command(
        epilog="Examples: `tradetrail report portfolio`; `tradetrail report portfolio --format json`"
    )(portfolio)
    app.add_typer(group, name="report")


def _group() -> None:
    """Reports from the audit database."""
