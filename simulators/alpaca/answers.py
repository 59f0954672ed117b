"""JSON in and out of the endpoints."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from simulators.alpaca import refusals
from simulators.alpaca.amounts import load_json
from simulators.alpaca.wire import dump


def answer(content: Any, status: int = 200) -> Response:
    """Return a JSON answer."""
    return Response(dump(content), status, media_type="application/json")


def json_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object a body holds, numbers exact. Raises Refused when it holds none."""
    try:
        content = load_json(body)
    except ValueError as error:
        raise refusals.malformed() from error
    if not isinstance(content, dict):
        raise refusals.malformed()
    return content
