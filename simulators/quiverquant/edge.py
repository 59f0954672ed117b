"""The vendor's front door, as ASGI middleware: faults, keys, plan and rate limits, then the endpoint; and the count.

Order, as the vendor's framework has it: unknown paths are 404 before anything else, then 401, 403, 429. An answer is
held back whole before it is sent, so that a fault can spoil any part of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulators.quiverquant.answers import (
    INVALID_TOKEN,
    NOT_FOUND_HTML,
    NOT_PROVIDED,
    ROWS_HEADER,
    UPGRADE,
    Refusal,
    json_answer,
)
from simulators.quiverquant.faults import (
    AnswerFault,
    ArmedFaults,
    EmptyFault,
    Fault,
    HtmlFault,
    RepeatPageFault,
    SlowFault,
    StallFault,
    StatusFault,
    TruncateFault,
    spoilt,
)
from simulators.quiverquant.rates import RateLimits

# Requests the book remembers one by one; older ones stay in the counts.
REQUESTS_REMEMBERED_MAX = 500
# What the hobbyist plan lacks. Source: the vendor's page on plans.
_TRADER_PATHS = ("/beta/live/insiders",)


@dataclass(frozen=True, slots=True)
class Served:
    """One request and what it got. ``fault`` is the kind of the fault that struck it."""

    path: str
    query: str
    status: int
    rows: int
    body_bytes: int
    fault: str | None


@dataclass(slots=True)
class Account:
    """The one customer: key, plan, allowances, and all that was asked and answered."""

    token: str
    plan: str
    limits: RateLimits
    faults: ArmedFaults = field(default_factory=ArmedFaults)
    requests: deque[Served] = field(default_factory=lambda: deque(maxlen=REQUESTS_REMEMBERED_MAX))
    requests_total: int = 0
    rows_total: int = 0
    by_path: dict[str, Counter[str]] = field(default_factory=dict)

    def admit(self, path: str, authorization: str) -> None:
        """Check key, plan and rate. Raises Refusal (401, 403, 429)."""
        prefix, _, key = authorization.partition(" ")
        challenge = {"WWW-Authenticate": "Token"}
        if prefix.casefold() not in ("bearer", "token") or not key.strip():
            raise Refusal(401, NOT_PROVIDED, challenge)
        if key.strip() != self.token:
            raise Refusal(401, INVALID_TOKEN, challenge)
        if self.plan == "hobbyist" and any(fnmatchcase(path, own) for own in _TRADER_PATHS):
            raise Refusal(403, UPGRADE)
        self.limits.take(path)

    def record(self, served: Served) -> None:
        """Count one answered request."""
        self.requests.append(served)
        self.requests_total += 1
        self.rows_total += served.rows
        counts = self.by_path.setdefault(served.path, Counter())
        counts["requests"] += 1
        counts["rows"] += served.rows
        counts[f"status_{served.status}"] += 1

    def told(self) -> dict[str, Any]:
        """Return the counts, and the last requests one by one."""
        return {
            "total": self.requests_total,
            "rows": self.rows_total,
            "by_path": {path: dict(counts) for path, counts in sorted(self.by_path.items())},
            "last": [asdict(served) for served in self.requests],
        }


@dataclass(slots=True)
class _Held:
    """An answer held back whole."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    rows: int = 0


class FrontDoor:
    """ASGI middleware around the endpoints; ``/control`` passes untouched."""

    def __init__(self, app: ASGIApp, account: Account) -> None:
        """Guard ``app`` for ``account``."""
        self._app = app
        self._account = account

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"].startswith("/control"):
            await self._app(scope, receive, send)
            return
        path, query = scope["path"], scope["query_string"].decode("latin-1")
        fault = self._account.faults.striking(path, _page(query))
        if isinstance(fault, StallFault) and fault.when == "before":
            await asyncio.sleep(fault.stall_s)
        if isinstance(fault, StatusFault):
            held = await _held(fault.answer(), scope, receive)
        elif isinstance(fault, AnswerFault):
            sent = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
            held = await _held(fault.answer(sent), scope, receive)
        else:
            if isinstance(fault, RepeatPageFault):
                scope = {**scope, "query_string": _page_before(query).encode("latin-1")}
            held = await self._answer(scope, receive)
        sent = await _deliver(held, fault, send)
        kind = fault.kind if fault is not None else None
        self._account.record(Served(path, query, held.status, held.rows, sent, kind))

    async def _answer(self, scope: Scope, receive: Receive) -> _Held:
        """Let the endpoint answer; keys and limits apply to the vendor's own paths that exist."""
        held = await _held(self._app, scope, receive)
        is_unknown = held.status == 404 and held.body == NOT_FOUND_HTML.encode()
        if is_unknown or not scope["path"].startswith("/beta/"):
            return held
        headers = dict(scope["headers"])
        try:
            self._account.admit(scope["path"], headers.get(b"authorization", b"").decode("latin-1"))
        except Refusal as refusal:
            answer = json_answer(refusal.body, refusal.status, refusal.headers)
            return await _held(answer, scope, receive)
        return held


async def _held(app: ASGIApp | Response, scope: Scope, receive: Receive) -> _Held:
    held = _Held()
    parts: list[bytes] = []

    async def hold(message: Message) -> None:
        if message["type"] == "http.response.start":
            held.status = message["status"]
            for name, value in message["headers"]:
                if name == ROWS_HEADER.encode():
                    held.rows = int(value)
                elif name != b"content-length":
                    held.headers.append((name, value))
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await app(scope, receive, hold)
    held.body = b"".join(parts)
    return held


async def _deliver(held: _Held, fault: Fault | None, send: Send) -> int:
    """Send an answer, spoilt as ``fault`` has it; return the bytes of body sent."""
    body, length = held.body, len(held.body)
    is_cut = isinstance(fault, TruncateFault) and fault.cut
    if fault is not None and not isinstance(
        fault, StatusFault | AnswerFault | StallFault | SlowFault | RepeatPageFault
    ):
        body = spoilt(fault, held.body)
        length = length if is_cut else len(body)
        if isinstance(fault, HtmlFault | EmptyFault):
            held.status = 200
        if isinstance(fault, HtmlFault):
            held.headers = [(b"content-type", b"text/html; charset=utf-8")]
    headers = [*held.headers, (b"content-length", str(length).encode())]
    if isinstance(fault, TruncateFault) and fault.chunked:
        headers = held.headers
    await send({"type": "http.response.start", "status": held.status, "headers": headers})
    pieces, delay_s = [body], 0.0
    if isinstance(fault, SlowFault):
        size = max(-(-len(body) // fault.chunks), 1)
        pieces = [body[start : start + size] for start in range(0, len(body), size)]
        delay_s = fault.delay_s
    elif isinstance(fault, StallFault) and fault.when == "within":
        pieces, delay_s = [body[: len(body) // 2], body[len(body) // 2 :]], fault.stall_s
    for number, piece in enumerate(pieces):
        if number:
            await asyncio.sleep(delay_s)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if not is_cut:  # Ending without the last message makes the server drop the connection.
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    return len(body)


def _page(query: str) -> int:
    text = dict(parse_qsl(query)).get("page", "1")
    return int(text) if text.isascii() and text.isdigit() else 1


def _page_before(query: str) -> str:
    wanted = dict(parse_qsl(query, keep_blank_values=True))
    return urlencode(wanted | {"page": str(max(_page(query) - 1, 1))})
