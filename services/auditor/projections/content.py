"""Reads an event's content for the projections."""

from __future__ import annotations

from typing import Any

from services.auditor.entry import Entry


def content(entry: Entry) -> dict[str, Any]:
    """Return what the event says, all fields by name."""
    if entry.decoded is None:
        raise ValueError(f"the event at {entry.place} was not decoded")
    return entry.decoded.datum


def pick(datum: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the fields ``names``."""
    return {name: datum[name] for name in names}


def known(text: str | None) -> str | None:
    """Return ``text``, or None for the empty string: an empty id names nothing."""
    return text or None
