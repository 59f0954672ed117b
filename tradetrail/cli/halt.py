"""``tradetrail halt | resume``: recorded, and answered by every executor before the command returns."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from tradetrail.acts import halts
from tradetrail.acts.halts import Heard, Standing, announce
from tradetrail.acts.log import open_log
from tradetrail.cli.person import (
    Form,
    Format,
    Key,
    Wait,
    Who,
    Why,
    Yes,
    begin,
    console,
    show,
    talk,
)
from tradetrail.events.generated import OperatorAct
from tradetrail.operator_acts import EVERYTHING, Asked, halt_scope
from tradetrail.person import refused
from tradetrail.process import EXIT_UNREACHABLE

# A POST in flight ends within its total deadline of 10 s, and a frozen executor leaves its group after 6 s.
WAIT_S_DEFAULT = 30.0

_CODES = (
    "\n\nExit code 0: every executor has answered, or none runs; 1: not confirmed; 2: used wrongly; 3: an executor did "
    "not answer, or a server is away. Whatever the code, what was recorded is in force."
)
_Symbol = Annotated[str | None, typer.Option("--symbol", metavar="S", help="this symbol only")]
_Strategy = Annotated[
    str | None, typer.Option("--strategy", metavar="NAME", help="this strategy only")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        help="Send no more orders: of everything, a symbol or a strategy. Returns when every executor has answered, "
        "after what was under way is known." + _CODES,
        epilog='Examples: `tradetrail halt --as ann --why "prices look wrong"`; '
        '`tradetrail halt --symbol AAPL --cancel-open --as ann --why "trading halted"`',
    )(halt)
    app.command(
        help="Lift a halt. Without --symbol or --strategy every halt is lifted." + _CODES,
        epilog='Example: `tradetrail resume --symbol AAPL --as ann --why "prices are right again"`',
    )(resume)


def halt(
    who: Who,
    why: Why,
    symbol: _Symbol = None,
    strategy: _Strategy = None,
    cancel_open: Annotated[
        bool, typer.Option("--cancel-open", help="ask the broker to cancel open orders, too")
    ] = False,
    key: Key = None,
    wait_s: Wait = WAIT_S_DEFAULT,
    yes: Yes = False,
    form: Form = Format.TABLE,
) -> None:
    """Halt."""
    act = halts.halt(_scope(symbol, strategy), (who, why, key), cancel_open=cancel_open)
    # Stopping is safe and urgent; only what can't be undone is asked back.
    _act(act, "halt it and cancel its open orders", wait_s, yes or not cancel_open, form)


def resume(
    who: Who,
    why: Why,
    symbol: _Symbol = None,
    strategy: _Strategy = None,
    key: Key = None,
    wait_s: Wait = WAIT_S_DEFAULT,
    yes: Yes = False,
    form: Form = Format.TABLE,
) -> None:
    """Resume."""
    act = halts.resume(_scope(symbol, strategy), (who, why, key))
    lifted = "lift every halt" if act.scope == EVERYTHING else "lift the halt"
    _act(act, lifted, wait_s, yes, form)


def _scope(symbol: str | None, strategy: str | None) -> str:
    with refused():
        return halt_scope(symbol, strategy)


def _act(act: Asked, meant: str, wait_s: float, yes: bool, form: Format) -> None:
    said = f"{act.scope}: {meant}\nas {act.operator}: {act.why}"
    settings = begin(said, "Do this?", "nothing was changed", act.key, yes=yes)
    heard = announce(open_log(settings), act, wait_s)
    silent = [each for each in heard if each.standing is not Standing.ACKNOWLEDGED]
    if form is Format.JSON:
        show(halts.report(act, heard), form)
    else:
        _print(heard)
    if not heard:
        talk.print(
            f"No executor runs. The {act.act} of {act.scope} is recorded, and in force for the next start.",
            markup=False,
        )
    if silent:
        talk.print(_what_to_do(act, silent, wait_s), markup=False)
        raise typer.Exit(EXIT_UNREACHABLE)


def _what_to_do(act: Asked, silent: list[Heard], wait_s: float) -> str:
    names = "; ".join(_silence(each, wait_s) for each in silent)
    if act.act is OperatorAct.RESUME:
        return f"{names}. The resume is recorded; an executor that comes back reads it before it sends anything."
    return (
        f"{names}. The halt is recorded and stops whatever reads the log, but an order such a process had begun before "
        f"may still be on its way: end the process (kill it), look at `tradetrail status`, and give the same command "
        f"with --key {act.key} to ask again"
    )


def _silence(heard: Heard, wait_s: float) -> str:
    member = heard.member
    left = heard.standing is Standing.VANISHED
    how = "left its group without an answer" if left else f"said nothing for {wait_s:g} s"
    return f"{member.instance} ({member.host}, account {member.account}) {how}"


def _print(heard: list[Heard]) -> None:
    if not heard:
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("executor", "account", "answer", "role", "what"):
        table.add_column(heading, overflow="fold")
    for each in heard:
        answer = each.answer
        role = "" if answer is None else "active" if answer.is_active else "standby"
        table.add_row(
            *(
                Text(text)
                for text in (
                    each.member.instance,
                    each.member.account,
                    each.standing.value,
                    role,
                    answer.explanation if answer else "",
                )
            )
        )
    console().print(table)
