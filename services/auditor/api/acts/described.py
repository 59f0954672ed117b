"""What acts answer, as the API's description tells it."""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_POSITION = {
    "type": ["object", "null"],
    "description": "Where the act stands in the log; null for one so old that only its answer was found.",
    "properties": {"topic": _TEXT, "partition": {"type": "integer"}, "offset": {"type": "integer"}},
}
_ACT = {
    "type": "object",
    "required": ["act_id", "act", "scope", "acted_by", "key", "why", "position", "repeated"],
    "properties": {
        "act_id": _TEXT,
        "act": _TEXT,
        "scope": _TEXT,
        "acted_by": _TEXT,
        "key": _TEXT,
        "why": _TEXT,
        "position": _POSITION,
        "repeated": {"type": "boolean", "description": "The log had it before this request."},
        "look_at": {"type": "string", "description": "The report in which the act stands."},
        "note": _TEXT_OR_NULL,
        "answer": {
            "type": ["string", "null"],
            "description": "Of acts on orders: made or declined, done or refused; null while it is awaited.",
        },
        "complete": {
            "type": "boolean",
            "description": "Of halts and resumes: every executor has answered, or none runs.",
        },
        "executors": {"type": "array", "items": {"type": "object"}},
        "overtaken_by": {"type": ["object", "null"]},
    },
}
_ASKED = {
    "act_id": "5d2f1c0e-52f6-5a55-9a3e-1f6a6d9a7c11",
    "acted_by": "ann",
    "repeated": False,
    "key": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}
_ORDERED = {
    **_ASKED,
    "act": "manual_order",
    "scope": "AAPL",
    "position": {"topic": "trade.megacap", "partition": 1, "offset": 4711},
    "look_at": "/reports/operator-acts?operator=ann&act=manual_order&symbol=AAPL",
    "answer": "made",
    "decision_id": "2455515a-0e24-597e-8c61-7cbce7773c86",
    "symbol": "AAPL",
    "side": "buy",
    "quantity": 10,
    "why": "index change",
    "notes": [],
}
_HALTED = {
    **_ASKED,
    "act": "halt",
    "scope": "everything",
    "why": "prices look wrong",
    "complete": True,
    "executors": [{"instance": "executor-0", "standing": "acknowledged", "is_active": True}],
    "position": {"topic": "trade.control", "partition": 0, "offset": 42},
    "overtaken_by": None,
    "look_at": "/reports/operator-acts?operator=ann&act=halt",
    "note": None,
}
_AWAITED = {
    **_ORDERED,
    "answer": None,
    "note": "It stands in the log and will be answered when a decider runs; the same request again, with the same "
    "key, tells.",
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "instance": _TEXT,
        "recorded": {
            "enum": ["yes", "no", "unknown"],
            "description": "Whether this request's act stands in the log.",
        },
    },
}


def _answer(description: str, **examples: dict[str, Any]) -> dict[str, Any]:
    named = {name: {"value": example} for name, example in examples.items()}
    content = {"application/json": {"schema": _ACT, "examples": named}}
    return {"description": description, "content": content}


def _problem(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": _PROBLEM}},
    }


ANSWERS: dict[int | str, dict[str, Any]] = {
    201: _answer("Recorded now, and answered.", order=_ORDERED, halt=_HALTED),
    200: _answer("Recorded before under the same key; what was answered.", order=_ORDERED),
    202: _answer("Recorded, and not answered by all yet.", order=_AWAITED),
    400: _problem("The body is no JSON."),
    401: _problem("No token, or a wrong one."),
    403: _problem("The token may not act, or the request came from a browser's session."),
    404: _problem("No order is recorded under this id."),
    409: _problem(
        "Recorded, and refused or declined, with the answer; or the key stands for another act, and nothing was "
        "recorded. `recorded` says which."
    ),
    413: _problem("The body is too large."),
    422: _problem("What is asked for can't be; nothing was recorded."),
    429: _problem("Asked too often; nothing was recorded."),
    503: _problem(
        "The log does not answer. `recorded` says whether nothing was recorded, or whether that is not known; the "
        "same request with the same key tells."
    ),
}
