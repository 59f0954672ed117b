"""Days as people write them on a command line."""

from __future__ import annotations

from datetime import date

from tradetrail.errors import UsageError


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
