"""The options by which a command is told a stretch of the log."""

from __future__ import annotations

from typing import Annotated

import typer

Topic = Annotated[
    str | None, typer.Option("--topic", metavar="T", help="A window: this topic only")
]
Partition = Annotated[
    int | None, typer.Option("--partition", metavar="P", help="This partition of --topic only")
]
First = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="F", help="First offset, or day of Kafka's append time, YYYY-MM-DD, UTC"
    ),
]
Last = Annotated[
    str | None, typer.Option("--to", metavar="L", help="Last offset or day, inclusive")
]
