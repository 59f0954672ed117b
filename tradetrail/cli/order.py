"""``tradetrail order``: a person's buy or sell, answered by the decider as any signal is; more in ``order_acts``."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer

from tradetrail.acts import ordering
from tradetrail.acts.ordering import ask
from tradetrail.cli import order_acts
from tradetrail.cli.person import Form, Format, Key, Wait, Who, Why, Yes, begin, show
from tradetrail.events.generated import DecisionMade, Side
from tradetrail.manual_orders import Submission
from tradetrail.process import EXIT_FAILED

# A decider answers within a second when all is well. While the broker is away it waits longer itself: ask again then.
WAIT_S_DEFAULT = 30.0


class _GoodFor(StrEnum):
    DAY = "day"
    GTC = "gtc"


_Symbol = Annotated[str, typer.Argument(metavar="SYMBOL", help="such as AAPL or BRK.B")]
_Quantity = Annotated[
    str, typer.Argument(metavar="QTY", help="shares; a fraction has at most nine decimals")
]
_Limit = Annotated[
    str | None, typer.Option("--limit", metavar="P", help="limit price, USD a share; else market")
]
_Time = Annotated[
    _GoodFor, typer.Option("--time-in-force", help="for the day, or until cancelled (gtc)")
]


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
    order_acts.register(group)
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
        who: Who,
        why: Why,
        limit: _Limit = None,
        time_in_force: _Time = _GoodFor.DAY,
        key: Key = None,
        wait_s: Wait = WAIT_S_DEFAULT,
        yes: Yes = False,
        form: Form = Format.TABLE,
    ) -> None:
        told = (who, why, key)
        asked = ordering.order(side, symbol, quantity, limit, time_in_force, told)
        _order(asked, wait_s, yes, form)

    return order


def _order(asked: Submission, wait_s: float, yes: bool, form: Format) -> None:
    meant = f"{asked.order.text}\nas {asked.operator}: {asked.why}"
    settings = begin(meant, "Order this?", "nothing was ordered", asked.key, yes=yes)
    answer = ask(settings, asked, wait_s)
    show(ordering.report(answer, asked), form)
    if not isinstance(answer, DecisionMade):
        raise typer.Exit(EXIT_FAILED)
