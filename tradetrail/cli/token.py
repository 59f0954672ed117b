"""``tradetrail token``: makes, lists and revokes the tokens of the HTTP API; a running auditor notices at once."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from tradetrail.arguments import day_of
from tradetrail.cli.person import Form, Format, console, talk
from tradetrail.reports.encode import to_json
from tradetrail.tokens import (
    Role,
    Token,
    add_token,
    entry_of,
    new_token,
    read_tokens,
    revoke_token,
)

_File = Annotated[
    Path,
    typer.Option(
        "--file", metavar="F", envvar="TRADETRAIL_API_TOKENS_FILE", help="the tokens file"
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group ``token``."""
    group = typer.Typer(no_args_is_help=True, help="Tokens of the HTTP API.")
    group.callback()(_group)
    group.command(
        epilog="Examples: `tradetrail token new --name ann --role viewer --file tokens.json`; "
        "`tradetrail token new --name desk --role operator --expires 2027-06-30`"
    )(new)
    group.command("list", epilog="Example: `tradetrail token list --format json`")(list_tokens)
    group.command(epilog="Example: `tradetrail token revoke ann`")(revoke)
    app.add_typer(group, name="token")


def _group() -> None:
    """Tokens of the HTTP API."""


def new(
    name: Annotated[str, typer.Option("--name", metavar="N", help="whose token; recorded")],
    role: Annotated[Role, typer.Option("--role", help="what it allows")],
    file: _File,
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="DAY", help="last day it is good for, UTC; else no end"),
    ] = None,
) -> None:
    """Make a token and print it, this once; the file gets its hash."""
    token = new_token()
    entry = entry_of(token, name, role, _today(), day_of("--expires", expires))
    add_token(file, entry)
    until = f", good through {entry.expires}" if entry.expires else ""
    talk.print(f"{name} is {role}{until}. The token, told only now:", markup=False)
    sys.stdout.write(f"{token}\n")


def list_tokens(file: _File, form: Form = Format.TABLE) -> None:
    """List the tokens: names, roles, days; the tokens themselves are kept nowhere."""
    today, tokens = _today(), read_tokens(file)
    if form is Format.JSON:
        rows = [
            token.model_dump(exclude={"sha256"}) | {"expired": token.is_over(today)}
            for token in tokens
        ]
        sys.stdout.write(f"{to_json({'tokens': rows}, indent=2)}\n")
        return
    table = Table("name", "role", "created", "expires", box=None, pad_edge=False)
    for token in tokens:
        table.add_row(Text(token.name), token.role, str(token.created), _end(token, today))
    console().print(table)


def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="whose token")], file: _File
) -> None:
    """Take a token away; the next request with it is refused, and whoever signed in with it is signed out."""
    revoke_token(file, name)
    talk.print(f"{name} is revoked", markup=False)


def _end(token: Token, today: date) -> str:
    if token.expires is None:
        return "-"
    return f"{token.expires}{', over' if token.is_over(today) else ''}"


def _today() -> date:
    return datetime.now(UTC).date()
