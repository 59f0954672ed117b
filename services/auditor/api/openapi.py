"""What the API says of itself: what FastAPI knows of the questions, and here the answers, each with an example.

The examples are real answers over made-up events, a row of each list; their schemas follow from them. What stands
deeper than a row's columns differs by source and rule, so its form is not promised.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from services.auditor.api.negotiation import MEDIA_TYPES, Form
from services.auditor.api.problems import MEDIA_TYPE as PROBLEM
from services.auditor.api.reports.reads import report_name

EXAMPLES = Path(__file__).parent / "examples"
_DESCRIPTION = (
    "Reports on what was disclosed, decided, executed, refused, and why. Numbers are exact decimals, instants are UTC, "
    "periods are days in New York. Errors are problems (RFC 9457). Without tokens the API is open for reading."
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_WHY = {
    400: "A word that can't be, such as a period that ends before it begins, or a cursor that is none.",
    401: "No token, or one that is unknown, revoked or expired.",
    403: "The role of the token does not allow it, or the request names a foreign host or page.",
    404: "Nothing is recorded under this id or symbol.",
    406: "None of the accepted forms can be had.",
    422: "A value of the wrong form, or an unknown parameter.",
    429: "Asked too often; the header Retry-After says when to come again.",
    500: "A mistake of ours; the request id leads to it.",
    503: "The audit database does not answer, tokens can't be read, a compliance read can't be recorded, or enough "
    "exports are under way.",
}
_EVERYWHERE = (400, 401, 403, 429, 500, 503)
_ASKED = (404, 406, 422)
_OPEN_TO_ALL = frozenset({"/health", "/metrics"})
_HEALTH = {
    "status": "ready",
    "positions": {"trade.megacap/0": 4711},
    "lag_records": 0,
    "lag_age_s": 0.0,
    "trouble": None,
    "access": "tokens",
}


def describe(app: FastAPI) -> None:
    """Make ``/openapi.json`` tell answers, problems and tokens as well; the routes must be there already."""

    def description() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = description  # type: ignore[method-assign]


def shortened(report: Any) -> Any:
    """Return an answer with one row of each list: the one that leaves the fewest columns empty."""
    if isinstance(report, dict):
        return {name: shortened(value) for name, value in report.items()}
    if isinstance(report, list) and report:
        return [shortened(max(report, key=_filled))]
    return report


def schema_of(example: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of answers like ``example``: its keys, the columns of its rows, and their types."""
    properties = {name: _part(name, value) for name, value in example.items()}
    return {"type": "object", "required": list(example), "properties": properties}


def _described(app: FastAPI) -> dict[str, Any]:
    told = get_openapi(
        title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes
    )
    parts = told.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = _problem_schema()
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "Made by `tradetrail token`."},
        "browser": {"type": "apiKey", "in": "cookie", "name": "tradetrail_session"},
    }
    for path, methods in told["paths"].items():
        for operation in methods.values():
            _complete(path, operation)
    return told


def _complete(path: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if path in _OPEN_TO_ALL:
        operation["security"] = []
        responses |= _of_probe(path)
        responses["500"] = _problem(500)
        return
    # The last of these: without tokens nobody needs one to read.
    reading: list[dict[str, list[str]]] = [{"token": []}, {"browser": []}, {}]
    operation["security"] = [{"token": []}] if path.startswith("/acts/") else reading
    if operation["responses"].keys() <= {"200", "422"}:
        responses["200"] = _of_report(report_name(path))
        responses.pop("422", None)
    for status in (*_EVERYWHERE, *(_ASKED if operation.get("parameters") else (406,))):
        responses.setdefault(str(status), _problem(status))


def _of_report(name: str) -> dict[str, Any]:
    example = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    content: dict[str, Any] = {
        MEDIA_TYPES[Form.JSON]: {"schema": schema_of(example), "example": example}
    }
    text = {"schema": {"type": "string"}}
    content |= {MEDIA_TYPES[Form.HTML]: text, MEDIA_TYPES[Form.CSV]: text}
    content[MEDIA_TYPES[Form.PARQUET]] = {"schema": {"type": "string", "format": "binary"}}
    return {
        "description": "The report, in the form that the header Accept asks for.",
        "content": content,
    }


def _of_probe(path: str) -> dict[str, Any]:
    if path == "/metrics":
        content: dict[str, Any] = {"text/plain": {"schema": {"type": "string"}}}
        return {"200": {"description": "Metrics for Prometheus.", "content": content}}
    content = {"application/json": {"schema": schema_of(_HEALTH), "example": _HEALTH}}
    return {
        "200": {"description": "The audit keeps up.", "content": content},
        "503": {"description": "The audit lags behind.", "content": content},
    }


def _problem(status: int) -> dict[str, Any]:
    title = HTTPStatus(status).phrase
    example = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": _WHY[status],
        "instance": "/reports/executed",
        "request_id": "5a0d6c3f6be44d0f8f2f3a3a1b6c7d8e",
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {
        PROBLEM: {"schema": schema, "example": example},
        MEDIA_TYPES[Form.HTML]: {"schema": {"type": "string"}},
    }
    return {"description": _WHY[status], "content": content}


def _problem_schema() -> dict[str, Any]:
    names = ("type", "title", "detail", "instance", "request_id")
    properties: dict[str, Any] = {name: {"type": "string"} for name in names}
    properties["status"] = {"type": "integer"}
    return {"type": "object", "required": list(properties), "properties": properties}


def _part(name: str, value: Any) -> dict[str, Any]:
    """Return the schema of one key of an answer: columns by name, rows with all of theirs."""
    if isinstance(value, dict):
        columns = {key: _column(key, each) for key, each in value.items()}
        return {"type": ["object", "null"], "properties": columns}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        row = value[0]
        columns = {key: _column(key, each) for key, each in row.items()}
        return {
            "type": "array",
            "items": {"type": "object", "required": list(row), "properties": columns},
        }
    if isinstance(value, list):
        return {"type": "array"}
    return _column(name, value)


def _column(name: str, value: Any) -> dict[str, Any]:
    """Return the schema of a value, which may be missing anywhere."""
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"type": ["boolean", "null"]}
    if isinstance(value, int | float):
        return {"type": ["number", "null"]}
    if isinstance(value, str):
        instant = name.endswith("_at") and _INSTANT.fullmatch(value)
        return {"type": ["string", "null"]} | ({"format": "date-time"} if instant else {})
    return {"type": ["object", "null"] if isinstance(value, dict) else ["array", "null"]}


def _filled(row: Any) -> int:
    return (
        sum(value not in (None, [], {}) for value in row.values()) if isinstance(row, dict) else 0
    )
