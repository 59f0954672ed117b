"""What an HTTP client sent and got: a plain value, apart from the client."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer; ``status_code`` and ``body`` are None when no whole answer came, ``error`` says why.

    The names of ``headers`` are in lower case. ``was_sent`` is False only when not one byte of the request left.
    """

    method: str
    endpoint: str
    request: dict[str, Any]
    status_code: int | None = None
    error: str | None = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    duration_us: int = 0
    was_sent: bool = True
