"""Bytes in a report: as text where they are text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def readable(content: bytes | None) -> str | None:
    """Return bytes as text where they are UTF-8 that can be printed, else as hex after 0x."""
    if content is None:
        return None
    try:
        text = bytes(content).decode()
    except UnicodeDecodeError:
        return f"0x{bytes(content).hex()}"
    return text if text.isprintable() else f"0x{bytes(content).hex()}"


def readable_values(value: Any) -> Any:
    """Return ``value`` with the bytes in it readable, at any depth."""
    if isinstance(value, bytes):
        return readable(value)
    if isinstance(value, Mapping):
        return {name: readable_values(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [readable_values(each) for each in value]
    return value
