"""Query parameters as the vendor reads them: lenient, except that nonsense is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from simulators.quiverquant.answers import Refusal

# Rows of a page when the client does not say. Not documented by the vendor: clients should say.
PAGE_SIZE_DEFAULT = 1000
# Keeps one answer within what a client can hold; the vendor's own bound is not known.
PAGE_SIZE_MAX = 100_000


def text_of(wanted: Mapping[str, str], name: str) -> str | None:
    """Return a parameter without blanks around it, or None when it is absent or empty."""
    return wanted.get(name, "").strip() or None


def day_of(wanted: Mapping[str, str], name: str) -> date | None:
    """Return a YYYYMMDD parameter (YYYY-MM-DD is understood too). Raises Refusal (400) for anything else."""
    text = text_of(wanted, name)
    if text is None:
        return None
    digits = text.replace("-", "")
    try:
        if len(digits) != len("YYYYMMDD"):
            raise ValueError(f"{name} has {len(digits)} digits")
        return datetime.strptime(digits, "%Y%m%d").date()  # noqa: DTZ007 - a calendar day has no zone.
    except ValueError as error:
        raise Refusal(400, f"Invalid {name}: {text}. Use YYYYMMDD.") from error


def flag_of(wanted: Mapping[str, str], name: str) -> bool:
    """Return a boolean parameter, False when it is absent."""
    return (text_of(wanted, name) or "").casefold() in ("true", "1", "yes")


def page_of(wanted: Mapping[str, str]) -> slice | None:
    """Return the slice that ``page`` (from 1) and ``page_size`` ask for, None when neither is given.

    Raises Refusal (404, as Django REST framework does) for a page that can't exist.
    """
    if text_of(wanted, "page") is None and text_of(wanted, "page_size") is None:
        return None
    page, size = _count(wanted, "page", 1), _count(wanted, "page_size", PAGE_SIZE_DEFAULT)
    size = min(size, PAGE_SIZE_MAX)
    return slice((page - 1) * size, page * size)


def _count(wanted: Mapping[str, str], name: str, default: int) -> int:
    text = text_of(wanted, name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise Refusal(404, f"Invalid {name.replace('_', ' ')}.")
    return int(text)
