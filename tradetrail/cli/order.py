"""``tradetrail order``: a person's buy or sell, answered by the decider as any signal is; more in ``order_acts``."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

from tradetrail.cli import order_acts
from tradetrail.cli.order_log import Answer, ask
from tradetrail.cli.person import Form, Format, Key, Wait, Who, Why, Yes, begin, show
from tradetrail.events.generated import DecisionMade, Side
from tradetrail.manual_orders import Submission, manual_order, submission
from tradetrail.person import made_by
from tradetrail.process import EXIT_FAILED
from tradetrail.symbols import check_symbol

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
    def submitted(who: str, why: str, key: str) -> Submission:
        order = manual_order(check_symbol(symbol), side, quantity, limit, time_in_force)
        return submission(order, who, why, key)

    return made_by(told, submitted)


def _order(asked: Submission, wait_s: float, yes: bool, form: Format) -> None:
    meant = f"{asked.order.text}\nas {asked.operator}: {asked.why}"
    settings = begin(meant, "Order this?", "nothing was ordered", asked.key, yes=yes)
    answer = ask(settings, asked, wait_s)
    show(_report(answer, asked), form)
    if not isinstance(answer, DecisionMade):
        raise typer.Exit(EXIT_FAILED)


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
