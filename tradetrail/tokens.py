"""The tokens by which the HTTP API knows its readers: who may do what."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What the holder of a token may do; all of them read reports."""

    VIEWER = "viewer"
    COMPLIANCE = "compliance"
    """Its reads are recorded."""
    OPERATOR = "operator"
    """May act as well: halt, cancel, order by hand."""
