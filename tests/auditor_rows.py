"""Rows of the typed tables by column, as tests read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.auditor.rows import Change, Key, fold, stubs
from services.auditor.tables import TABLES

NamedRows = dict[str, dict[Key, dict[str, Any]]]


def told_rows(changes: Iterable[Change]) -> NamedRows:
    """Return the rows that ``changes`` make, by table and key."""
    return {
        name: {key: dict(zip(TABLES[name].columns, row, strict=True)) for key, row in rows.items()}
        for name, rows in fold(changes).items()
    }


def all_rows(changes: Iterable[Change]) -> NamedRows:
    """Return the rows that ``changes`` make, and of the parents that they only refer to the key alone."""
    changes = list(changes)
    rows = told_rows(changes)
    for name, keys in stubs(fold(changes), TABLES).items():
        stub = {key: dict(zip(TABLES[name].key, key, strict=True)) for key in keys}
        rows[name] = rows.get(name, {}) | stub
    return rows
