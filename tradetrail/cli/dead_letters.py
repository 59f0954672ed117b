"""``tradetrail dead-letters``: events that could not be processed: which, why, and appended anew once they can be."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from rich.console import Console

from tradetrail.cli.dead_letter_log import Requeuer
from tradetrail.cli.person import Form as AnswerForm
from tradetrail.cli.person import Format, Who, Why, Yes, begin, settings_of_log, show
from tradetrail.cli.report.listings import Asked, put_out
from tradetrail.cli.report.options import (
    After,
    Every,
    First,
    Form,
    Last,
    Limit,
    Output,
    period,
    reader,
)
from tradetrail.cli.report.output import ReportFormat
from tradetrail.cli.report.tables import print_section, print_sums
from tradetrail.errors import Retryable
from tradetrail.events import to_datum
from tradetrail.events.generated import DeadLetterReason
from tradetrail.log.codec import BadEvent, Codec
from tradetrail.manual_orders import check_person
from tradetrail.person import refused
from tradetrail.reports.dead_letters import (
    DEAD_LETTERS,
    LetterFilter,
    LetterStatus,
    dead_letter,
)
from tradetrail.reports.readable import readable, readable_values
from tradetrail.requeues import parse_place, place_text

# What is shown of an event's bytes: enough to see what it is; `--format json` shows all of them.
_BYTES_SHOWN_MAX = 1_024
_SHOWN = ("found_at", "place", "source_key", "reason_code", "reason", "status", "requeued_by")
_WHOLE = ("found_at", "place", "reason_code", "status")
_WIDE_COLUMNS = 140

_Place = Annotated[
    str,
    typer.Argument(metavar="TOPIC/PARTITION/OFFSET", help="the event's place, as `list` shows it"),
]


def register(app: typer.Typer) -> None:
    """Add the group ``dead-letters``."""
    group = typer.Typer(no_args_is_help=True, help="Events that could not be processed.")
    group.callback()(_group)
    group.command(
        "list",
        epilog="Examples: `tradetrail dead-letters list --status waiting`; "
        "`tradetrail dead-letters list --topic trade.megacap --reason unknown_schema --format csv`",
    )(list_letters)
    group.command("show", epilog="Example: `tradetrail dead-letters show trade.megacap/0/17`")(
        show_letter
    )
    group.command(
        "requeue",
        epilog='Example: `tradetrail dead-letters requeue trade.megacap/0/17 --as ann --why "the schema is back"`',
    )(requeue)
    app.add_typer(group, name="dead-letters")


def _group() -> None:
    """Events that could not be processed."""


def list_letters(
    first: First = None,
    last: Last = None,
    topic: Annotated[str | None, typer.Option("--topic", help="only of this topic")] = None,
    key: Annotated[
        str | None, typer.Option("--event-key", help="only of this key, such as a symbol")
    ] = None,
    reason: Annotated[
        DeadLetterReason | None, typer.Option("--reason", help="only with this reason")
    ] = None,
    status: Annotated[
        LetterStatus | None, typer.Option("--status", help="only those that wait, or were requeued")
    ] = None,
    limit: Limit = None,
    after: After = None,
    every: Every = False,
    form: Form = ReportFormat.TABLE,
    output: Output = None,
) -> None:
    """Which events could not be processed, and why. Newest first."""
    start, end = period(first, last)
    chosen = LetterFilter(start=start, end=end, topic=topic, key=key, reason=reason, status=status)
    put_out(DEAD_LETTERS, chosen, Asked(limit, after, every, form, output), _print)


def show_letter(place: _Place, form: AnswerForm = Format.TABLE) -> None:
    """One dead letter: the reason, its bytes, and what it says if it can be read by now."""
    asked = parse_place(place)
    with reader() as connection:
        letter = dead_letter(connection, asked)
    value = letter.pop("value")
    value = None if value is None else bytes(value)
    told = letter | {"source_key": readable(letter["source_key"])} | _read_now(value)
    kept = value if form is Format.JSON else (value or b"")[:_BYTES_SHOWN_MAX]
    told["size_bytes"] = None if value is None else len(value)
    told["hex"] = None if kept is None else kept.hex(" ", 4)
    told["text"] = None if kept is None else kept.decode(errors="replace")
    if form is Format.TABLE and told["text"]:
        told["text"] = "".join(c if c.isprintable() else "·" for c in told["text"])
    show(told, form)


def _read_now(value: bytes | None) -> dict[str, Any]:
    """Return what the bytes say today, or why they still say nothing."""
    try:
        decoded = Codec(settings_of_log().registry_url).decode(value)
    except BadEvent as bad:
        return {"readable_now": False, "type": None, "content": None, "still": f"{bad.code}: {bad}"}
    except Retryable as error:
        return {"readable_now": None, "type": None, "content": None, "still": str(error)}
    said = readable_values(to_datum(decoded.event))
    return {"readable_now": True, "type": decoded.type_name, "content": said, "still": None}


def requeue(
    place: _Place,
    who: Who,
    why: Why,
    yes: Yes = False,
    form: AnswerForm = Format.TABLE,
) -> None:
    """Append the event of a dead letter anew, byte for byte, with who and why; once.

    Refused while it can't be read, when it was requeued before, and when later events depend on it
    (docs/dead-letters.md). Exit code 0: appended; 1: not confirmed; 2: refused; 3: a server is away.
    """
    asked = parse_place(place)
    who, why = who.strip(), why.strip()
    with refused():
        check_person(who, why, "requeue")
    meant = (
        f"append the event of {place_text(asked)} anew, at the end of its topic\nas {who}: {why}"
    )
    # The letter itself is the key: it is requeued once.
    settings = begin(meant, "Do this?", "nothing was appended", place_text(asked), yes=yes)
    began = time.monotonic()
    done = Requeuer(settings).requeue(asked, who, why)
    show(
        {
            "letter": place_text(asked),
            "type": done.type_name,
            "event_id": done.event_id,
            "requeued_place": place_text(done.place),
            "act_id": done.act_id,
            "events_looked_at": done.looked_at,
            "seconds": round(time.monotonic() - began, 1),
        },
        form,
    )


def _print(report: dict[str, Any], console: Console) -> None:
    told = report["dead_letters"]
    if console.width >= _WIDE_COLUMNS:
        print_section(console, "dead_letters", told, _SHOWN, whole=_WHOLE)
    else:
        narrow = [
            {
                "place": f"{row['place']}\n{row['status']}",
                "why": f"{row['reason_code']}: {row['reason']}",
            }
            for row in told
        ]
        print_section(console, "dead_letters", narrow, ("place", "why"), whole=("place",))
    console.print()
    totals = dict(report["totals"])
    reasons = totals.pop("reasons")
    print_sums(console, "totals", totals | reasons)
