"""What an HTTP client sent and got: a plain value, apart from the client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer; ``status_code`` and ``body`` are None when no whole answer came, ``error`` says why.

    The names of ``headers`` are in lower case.
    """

    method: str
    endpoint: str
    request: dict[str, Any]
    status_code: int | None
    error: str | None
    body: bytes | None
    headers: dict[str, str]
    duration_us: int
