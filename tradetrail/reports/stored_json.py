"""Objects that the database keeps as JSON: carried as their text, read only where somebody looks inside."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any


class StoredObject(Mapping[str, Any]):
    """A JSON object, as ``text``; its numbers are Decimals. Equal to a dictionary of the same content."""

    def __init__(self, text: str) -> None:
        """Take the text of an object as the database gives it; it is not looked at yet."""
        self.text = text

    @cached_property
    def content(self) -> dict[str, Any]:
        """Return the object, read once."""
        content: dict[str, Any] = read_json(self.text)
        return content

    def __getitem__(self, name: str) -> Any:
        """Return the value of ``name``. Raises KeyError."""
        return self.content[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self.content)

    def __len__(self) -> int:
        """Return how many names there are."""
        return len(self.content)

    def __repr__(self) -> str:
        """Return what it holds."""
        return repr(self.content)

    __hash__ = None  # type: ignore[assignment]


def read_json(text: str | bytes) -> Any:
    """Return what JSON says, its fractions exact."""
    return json.loads(text, parse_float=Decimal)
