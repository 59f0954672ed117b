"""What command lines of our programs have in common: days, and refusing in a line instead of ending the process."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any, NoReturn

from tradetrail.errors import UsageError


class RefusingParser(argparse.ArgumentParser):
    """Raises UsageError, as every command does, where argparse prints how it is used and ends the process."""

    def __init__(self, *, see: str, **options: Any) -> None:
        """Take whole option names only; ``see`` is the command that a refusal points to."""
        super().__init__(allow_abbrev=False, **options)
        self._see = see

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message}; see {self._see}")


def day_of(option: str, text: str | None) -> date | None:
    """Return the day that an option names, None where it is not given. Raises UsageError for what is no day."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{option} {text!r} is no day ({error}); write YYYY-MM-DD, such as 2020-12-31"
        ) from error
