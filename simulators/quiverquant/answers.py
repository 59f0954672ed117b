"""Answers as the vendor words them: JSON rows, Django REST framework's errors, Django's HTML page for unknown paths."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fastapi import Response

NOT_PROVIDED = "Authentication credentials were not provided."
INVALID_TOKEN = "Invalid token."
UPGRADE = "Upgrade your subscription plan to access this dataset."
# The header by which the edge learns how many rows an answer holds; it is taken off before sending.
ROWS_HEADER = "x-simulator-rows"
NOT_FOUND_HTML = (
    '<!doctype html>\n<html lang="en">\n<head>\n  <title>Not Found</title>\n</head>\n<body>\n  <h1>Not Found</h1>'
    "<p>The requested resource was not found on this server.</p>\n</body>\n</html>\n"
)
FAILED_HTML = (
    '<!doctype html>\n<html lang="en">\n<head>\n  <title>Server Error ({status})</title>\n</head>\n<body>\n'
    "  <h1>Server Error ({status})</h1><p></p>\n</body>\n</html>\n"
)


class Refusal(Exception):
    """An answer that is an error, in the framework's own form ``{"detail": …}``."""

    def __init__(self, status: int, detail: Any, headers: dict[str, str] | None = None) -> None:
        """Refuse with ``status``; ``detail`` that is no text is the whole body."""
        super().__init__(f"{status} {detail}")
        self.status = status
        self.body = {"detail": detail} if isinstance(detail, str) else detail
        self.headers = headers or {}


def rows_answer(rows: Sequence[Any]) -> Response:
    """Return rows as one JSON array."""
    return json_answer(list(rows), headers={ROWS_HEADER: str(len(rows))})


def json_answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return any JSON body."""
    content = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    # Half a surrogate pair is JSON, but no UTF-8: it goes out escaped, as it came.
    return Response(content.encode(errors="backslashreplace"), status, headers, "application/json")


def html_answer(page: str, status: int) -> Response:
    """Return an HTML page."""
    return Response(page, status, media_type="text/html")
