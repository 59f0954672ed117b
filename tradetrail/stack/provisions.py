"""What must be on the machine before a supervisor starts: wheels and the servers' files, told to whoever waits."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from tradetrail.stack import artifacts
from tradetrail.stack.assembly import ADDRESS_VARIABLE, INFRASTRUCTURE
from tradetrail.stack.java import java_binary
from tradetrail.stack.postgres import postgres_binaries


class StderrReporter:
    """Says slow work on standard error, one line each; no bars."""

    def say(self, text: str) -> None:
        """Write one line."""
        sys.stderr.write(f"{text}\n")

    def download(
        self, _filename: str, _total_bytes: int
    ) -> AbstractContextManager[Callable[[int], None]]:
        """Show nothing of a single file."""
        return nullcontext(lambda _count: None)


def prepare(names: Sequence[str], reporter: artifacts.Reporter) -> None:
    """Make sure that what the embedded servers among ``names`` are made of is on this machine."""
    embedded = [
        name
        for name in INFRASTRUCTURE
        if name in names and not os.environ.get(ADDRESS_VARIABLE[name])
    ]
    for name in embedded:
        if name == "postgres":
            postgres_binaries()
        else:
            java_binary()
            artifacts.ensure(name, reporter)
