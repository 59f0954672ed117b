"""``tradetrail order buy | sell``: a person's order, answered by the decider as any signal is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tradetrail.cli.order_log import Answer, ask
from tradetrail.cli.report.tables import cell
from tradetrail.errors import UsageError
from tradetrail.events.generated import DecisionMade, Side
from tradetrail.ids import new_id
from tradetrail.manual_orders import BadOrder, Submission, manual_order, submission
from tradetrail.process import EXIT_FAILED
from tradetrail.reports.encode import to_json
from tradetrail.settings import SharedSettings, load
from tradetrail.stack.running import running_env
from tradetrail.symbols import check_symbol
from tradetrail.telemetry import configure_logging

# A decider answers within a second when all is well. While the broker is away it waits longer itself: ask again then.
WAIT_S_DEFAULT = 30.0
_WAIT_S_MAX = 600.0
_PIPE_COLUMNS = 160

_talk = Console(stderr=True, highlight=False, soft_wrap=True)


class Format(StrEnum):
    """How to print the answer."""

    TABLE = "table"
    JSON = "json"


class _GoodFor(StrEnum):
    DAY = "day"
    GTC = "gtc"


_Symbol = Annotated[str, typer.Argument(metavar="SYMBOL", help="such as AAPL or BRK.B")]
_Quantity = Annotated[
    str, typer.Argument(metavar="QTY", help="shares; a fraction has at most nine decimals")
]
_Who = Annotated[str, typer.Option("--as", metavar="WHO", help="who orders; recorded")]
_Why = Annotated[str, typer.Option("--why", metavar="WHY", help="the reason, in a line; recorded")]
_Limit = Annotated[
    str | None, typer.Option("--limit", metavar="P", help="limit price, USD a share; else market")
]
_Time = Annotated[
    _GoodFor, typer.Option("--time-in-force", help="for the day, or until cancelled (gtc)")
]
_Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="K",
        help="the same key for the same order asks again and never orders twice; made when left out",
    ),
]
_Wait = Annotated[
    float, typer.Option("--wait", min=1, max=_WAIT_S_MAX, help="seconds to wait for the answer")
]
_Yes = Annotated[bool, typer.Option("--yes", "-y", help="order without asking back")]
_Form = Annotated[Format, typer.Option("--format", help="table for people, json for programs")]


def register(app: typer.Typer) -> None:
    """Add the group ``order``."""
    group = typer.Typer(no_args_is_help=True, help="Orders by a person, with name and reason.")
    group.callback()(_group)
    group.command(
        "buy",
        help=_help(
            "Buy shares: recorded with who and why, then decided, checked and sent as any other decision."
        ),
        epilog='Examples: `tradetrail order buy AAPL 10 --as ann --why "index change"`; '
        '`tradetrail order buy AAPL 0.5 --limit 185.20 --as ann --why "dip" --key ann-7 --yes`',
    )(_command(Side.BUY))
    group.command(
        "sell",
        help=_help(
            "Sell shares that are held, never more: recorded with who and why, then as any other decision."
        ),
        epilog='Examples: `tradetrail order sell AAPL 10 --as ann --why "earnings ahead"`; '
        '`tradetrail order sell AAPL 10 --limit 190 --time-in-force gtc --as ann --why "target"`',
    )(_command(Side.SELL))
    app.add_typer(group, name="order")


def _group() -> None:
    """Orders by a person, with name and reason."""


def _help(what: str) -> str:
    return (
        f"{what}\n\nExit code 0: decided (the executor sends it next); 1: declined, or not confirmed; 2: used wrongly; "
        "3: no answer in time, or a server is away."
    )


def _command(side: Side) -> Callable[..., None]:
    """Return the command that orders on one side."""

    def order(
        symbol: _Symbol,
        quantity: _Quantity,
        who: _Who,
        why: _Why,
        limit: _Limit = None,
        time_in_force: _Time = _GoodFor.DAY,
        key: _Key = None,
        wait_s: _Wait = WAIT_S_DEFAULT,
        yes: _Yes = False,
        form: _Form = Format.TABLE,
    ) -> None:
        asked = _submission(side, symbol, quantity, limit, time_in_force, (who, why, key))
        _order(asked, wait_s, yes, form)

    return order


def _submission(
    side: Side,
    symbol: str,
    quantity: str,
    limit: str | None,
    time_in_force: _GoodFor,
    told: tuple[str, str, str | None],
) -> Submission:
    who, why, key = told
    try:
        order = manual_order(check_symbol(symbol), side, quantity, limit, time_in_force)
        return submission(order, who.strip(), why.strip(), str(new_id()) if key is None else key)
    except BadOrder as error:
        raise UsageError(str(error)) from error


def _order(asked: Submission, wait_s: float, yes: bool, form: Format) -> None:
    settings = _settings()
    configure_logging(settings.model_copy(update={"log_format": "console", "log_level": "error"}))
    if sys.stdin.isatty() and not yes and not _is_meant(asked):
        _talk.print("nothing was ordered")
        raise typer.Exit(EXIT_FAILED)
    # Told before anything is written: whatever happens next, the key asks again.
    _talk.print(f"key {asked.key}", markup=False)
    answer = ask(settings, asked, wait_s)
    _show(_report(answer, asked), form)
    if not isinstance(answer, DecisionMade):
        raise typer.Exit(EXIT_FAILED)


def _is_meant(asked: Submission) -> bool:
    _talk.print(f"{asked.order.text}\nas {asked.operator}: {asked.why}", markup=False)
    try:
        return _talk.input("Order this? y/N ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _report(answer: Answer, asked: Submission) -> dict[str, Any]:
    made = answer if isinstance(answer, DecisionMade) else None
    order, market = asked.order, answer.rationale.market_context
    portfolio = answer.rationale.portfolio_context
    report: dict[str, Any] = {
        "answer": "made" if made else "declined",
        "decision_id": answer.decision_id,
        "key": asked.key,
        "symbol": answer.symbol,
        "side": str(order.side),
        "quantity": made.quantity if made else order.quantity,
        "order_type": str(made.order_type if made else order.order_type),
        "limit_price": made.limit_price if made else order.limit_price,
        "time_in_force": str(made.time_in_force if made else order.time_in_force),
        "made_by": asked.operator,
        "why": asked.why,
        "created_at": answer.occurred_at,
        "current_price": market.current_price if market else None,
        "existing_position": portfolio.existing_position if portfolio else None,
    }
    if not isinstance(answer, DecisionMade):
        report |= {"reason": str(answer.reason), "reason_text": answer.reason_text}
    report["notes"] = [rule.explanation for rule in answer.rationale.rules if not rule.passed]
    return report


def _show(report: dict[str, Any], form: Format) -> None:
    if form is Format.JSON:
        sys.stdout.write(f"{to_json(report, indent=2)}\n")
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in report.items():
        if value is None or value == []:
            continue
        shown = "; ".join(value) if isinstance(value, list) else cell(value)
        table.add_row(name.replace("_", " "), Text(shown))
    Console(width=None if sys.stdout.isatty() else _PIPE_COLUMNS).print(table)


def _settings() -> SharedSettings:
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
