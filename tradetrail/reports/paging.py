"""Pages of a listing, newest first, by key and not by number: what begins meanwhile shifts no later page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tradetrail.errors import UsageError
from tradetrail.reports.encode import instant

LIMIT_DEFAULT = 100
# A page is held in memory whole: about 1 KB a run and 400 bytes for each of its calls, or 2 KB a declined signal.
LIMIT_MAX = 10_000
# Longer than any id or name that we make; what is longer was not copied from here.
NAME_LENGTH_MAX = 200
_CURSOR_BREAK = "~"


def check_name(what: str, text: str | None) -> str | None:
    """Return ``text`` if it can be a name or an id. Raises UsageError that calls it ``what``."""
    if text is not None and not (text.isprintable() and 0 < len(text) <= NAME_LENGTH_MAX):
        raise UsageError(f"{text[:80]!r} is no {what}: 1 to {NAME_LENGTH_MAX} printable characters")
    return text


def check_among(what: str, asked: str | None, there_are: Iterable[str | None]) -> None:
    """Tell a filter that nothing happens to pass from one that nothing ever could. Raises UsageError for the latter."""
    known = {name for name in there_are if name}
    if asked is not None and asked not in known:
        raise UsageError(f"there is no {what} {asked!r}; there are: {', '.join(sorted(known))}")


def page_arguments(limit: int, after: str | None) -> dict[str, Any]:
    """Return the arguments of a page's query, which asks for one row more than the page has.

    ``after`` is the cursor of the page before. Raises UsageError for a limit out of bounds and for what is no cursor.
    """
    after_at, after_id = _place(after)
    return {"after_at": after_at, "after_id": after_id, "rows_max": check_limit(limit) + 1}


def check_limit(limit: int) -> int:
    """Return ``limit`` if a page can have so many rows. Raises UsageError."""
    if not 1 <= limit <= LIMIT_MAX:
        raise UsageError(f"a page has from 1 to {LIMIT_MAX} rows, not {limit}")
    return limit


def cut(
    found: list[dict[str, Any]], limit: int, *, at: str, key: str
) -> tuple[list[dict[str, Any]], str | None]:
    """Return the page's rows and the cursor of the next page, None on the last; ``at`` and ``key`` are its columns."""
    shown = found[:limit]
    return shown, cursor_behind(shown[-1], at=at, key=key) if len(found) > limit else None


def cursor_behind(row: dict[str, Any], *, at: str, key: str) -> str:
    """Return the cursor of the page that begins behind ``row``; ``at`` and ``key`` are its columns."""
    return f"{instant(row[at])}{_CURSOR_BREAK}{row[key]}"


def _place(cursor: str | None) -> tuple[datetime | None, str | None]:
    if cursor is None:
        return None, None
    when, _, key = cursor.partition(_CURSOR_BREAK)
    try:
        at = datetime.fromisoformat(when)
        if at.tzinfo is None or not check_name("id", key):
            raise ValueError("a part is missing")
    except (ValueError, UsageError) as error:
        raise UsageError(
            f"{cursor[:80]!r} is no cursor: give the `next` of the page before, unchanged"
        ) from error
    return at, key
