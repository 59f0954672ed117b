"""``tradetrail order cancel | replace | resolve | reconcile``: acts on orders, answered by the account's executor."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from tradetrail.acts import order_acts as acts
from tradetrail.acts.asking import ask
from tradetrail.acts.find_order import find
from tradetrail.acts.log import Log, open_log
from tradetrail.cli.person import Form, Format, Key, Wait, Who, Why, Yes, begin, show
from tradetrail.events.generated import AnswerOutcome
from tradetrail.operator_acts import Asked, Fate, replacement, resolution
from tradetrail.person import refused
from tradetrail.process import EXIT_FAILED
from tradetrail.symbols import check_symbol

# The broker answers within its request's deadline of 10 s, and an order is looked up once or twice after that.
WAIT_S_DEFAULT = 30.0
# The broker's book of one day is read in pages, at its rate limit.
RECONCILE_WAIT_S_DEFAULT = 120.0

_CODES = (
    "\n\nExit code 0: done; 1: refused, nothing was changed, or not confirmed; 2: used wrongly; 3: no answer in time, "
    "or a server is away."
)

_Id = Annotated[str, typer.Argument(metavar="ID", help="a decision or one of its executions")]
_Symbol = Annotated[
    str | None,
    typer.Option(
        "--symbol", metavar="S", help="its symbol, when the id is too old to be found in the log"
    ),
]
_Shares = Annotated[str | None, typer.Option("--qty", metavar="N", help="whole shares, in all")]
_Limit = Annotated[
    str | None, typer.Option("--limit", metavar="P", help="limit price, USD a share")
]


def register(group: typer.Typer) -> None:
    """Add the commands to the group ``order``."""
    group.command(
        help="Cancel a decision that waits, or ask the broker to cancel its open order; a fill may win."
        + _CODES,
        epilog='Example: `tradetrail order cancel 0b9e4c52-… --as ann --why "earnings tonight"`',
    )(cancel)
    group.command(
        "replace",
        help="Replace an open order by one of another size or limit: a new execution of the same decision, through "
        "every pre-trade control. A fill of the old one may win." + _CODES,
        epilog='Example: `tradetrail order replace 0b9e4c52-… --limit 186.10 --as ann --why "chase"`',
    )(replace_order)
    group.command(
        help="Settle an order that stays unknown, or that the broker accepted and does not know any more: say what "
        "became of it. Where the broker knows the order, its word stands." + _CODES,
        epilog='Examples: `tradetrail order resolve 7d1f… not-sent --as ann --why "broker confirmed by phone"`; '
        '`tradetrail order resolve 7d1f… filled --qty 10 --price 101.25 --as ann --why "statement"`',
    )(resolve)
    group.command(
        help="Compare with the broker's book now: what it has and the log lacks is recorded."
        + _CODES,
        epilog='Example: `tradetrail order reconcile --as ann --why "after the outage"`',
    )(reconcile)


def cancel(
    wanted: _Id,
    who: Who,
    why: Why,
    symbol: _Symbol = None,
    key: Key = None,
    wait_s: Wait = WAIT_S_DEFAULT,
    yes: Yes = False,
    form: Form = Format.TABLE,
) -> None:
    """Cancel a decision or an open order."""
    act = acts.cancel(wanted, (who, why, key))
    _act_on_order(act, symbol, f"cancel {act.scope}", wait_s, yes, form)


def replace_order(
    wanted: _Id,
    who: Who,
    why: Why,
    quantity: _Shares = None,
    limit: _Limit = None,
    symbol: _Symbol = None,
    key: Key = None,
    wait_s: Wait = WAIT_S_DEFAULT,
    yes: Yes = False,
    form: Form = Format.TABLE,
) -> None:
    """Replace an open order."""
    with refused():
        change = replacement(quantity, limit)
    act = acts.replace_order(wanted, change, (who, why, key))
    meant = f"replace {act.scope} by {change.text}"
    _act_on_order(act, symbol, meant, wait_s, yes, form)


def resolve(
    wanted: _Id,
    fate: Annotated[Fate, typer.Argument(metavar="OUTCOME", help=", ".join(Fate))],
    who: Who,
    why: Why,
    quantity: Annotated[
        str | None, typer.Option("--qty", metavar="Q", help="shares filled in all")
    ] = None,
    price: Annotated[
        str | None, typer.Option("--price", metavar="P", help="their average price, USD a share")
    ] = None,
    broker_order: Annotated[
        str | None, typer.Option("--broker-order", metavar="ID", help="the broker's id of it")
    ] = None,
    symbol: _Symbol = None,
    key: Key = None,
    wait_s: Wait = WAIT_S_DEFAULT,
    yes: Yes = False,
    form: Form = Format.TABLE,
) -> None:
    """Settle an order that is unknown, or that the broker has lost."""
    with refused():
        told = resolution(fate, quantity, price, broker_order)
    act = acts.resolve(wanted, told, (who, why, key))
    meant = f"settle {act.scope} as {told.fate}"
    _act_on_order(act, symbol, meant, wait_s, yes, form)


def reconcile(
    who: Who,
    why: Why,
    key: Key = None,
    wait_s: Wait = RECONCILE_WAIT_S_DEFAULT,
    yes: Yes = False,
    form: Form = Format.TABLE,
) -> None:
    """Compare with the broker's book."""
    act = acts.reconcile((who, why, key))
    settings = begin(
        _said(act, "compare with the broker's book"), "Do this?", acts.UNDONE, act.key, yes=yes
    )
    _finish(open_log(settings), act, wait_s, form)


def _act_on_order(
    act: Asked, symbol: str | None, meant: str, wait_s: float, yes: bool, form: Format
) -> None:
    known = None if symbol is None else check_symbol(symbol)
    settings = begin(_said(act, meant), "Do this?", acts.UNDONE, act.key, yes=yes)
    log = open_log(settings)
    _finish(log, acts.about(act, known, partial(find, log)), wait_s, form)


def _finish(log: Log, act: Asked, wait_s: float, form: Format) -> None:
    answer = ask(log, acts.question(log, act), wait_s)
    show(acts.report(answer, act), form)
    if answer.outcome is not AnswerOutcome.DONE:
        raise typer.Exit(EXIT_FAILED)


def _said(act: Asked, meant: str) -> str:
    return f"{meant}\nas {act.operator}: {act.why}"
