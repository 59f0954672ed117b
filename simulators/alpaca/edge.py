"""The edge of the server: every vendor request passes here, in this order.

Counted, authorised, held against the rate limit, met by armed faults, then answered by the application; headers
are added last. ``/control`` passes by untouched.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulators.alpaca import refusals
from simulators.alpaca.amounts import load_json
from simulators.alpaca.armed import ArmedFaults
from simulators.alpaca.faults import (
    AlterFault,
    DropFault,
    HttpFault,
    LateFault,
    LatencyFault,
    StatusFault,
    TruncateFault,
)
from simulators.alpaca.limiter import RateLimit
from simulators.alpaca.transport import connection_of
from simulators.alpaca.wire import dump
from tradetrail.ids import derive_id

# No request of the API is near this size; more is refused before it is kept.
BODY_BYTES_MAX = 1 << 20
# Of each POST of an order its arrival is kept; of more than this many the oldest are forgotten.
ORDER_ARRIVALS_MAX = 100_000
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_HTML = b"<html><head><title>%d</title></head><body><center><h1>%d</h1></center></body></html>"


@dataclass(frozen=True, slots=True)
class Keys:
    """The one pair of keys the account answers to."""

    key_id: str
    secret_key: str

    def allow(self, headers: dict[bytes, bytes]) -> bool:
        """Tell whether a request's headers carry the keys (own headers, or basic)."""
        given = (headers.get(b"apca-api-key-id", b""), headers.get(b"apca-api-secret-key", b""))
        if given == (self.key_id.encode(), self.secret_key.encode()):
            return True
        wanted = base64.b64encode(f"{self.key_id}:{self.secret_key}".encode())
        return headers.get(b"authorization") == b"Basic " + wanted


@dataclass(frozen=True, slots=True)
class OrderArrival:
    """When the head of an order's POST was here, in real time: since 1970, and on the machine's monotonic clock.

    ``connection`` is the client's port: what came over one connection has the same.
    """

    client_order_id: str
    real_ns: int
    monotonic_ns: int
    connection: int


@dataclass(slots=True)
class Arrivals:
    """What came in: requests by method and path, and order bodies by client_order_id."""

    requests: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    order_posts: Counter[str] = field(default_factory=Counter)
    # The client_order_ids that came with two different bodies: one id must mean one order.
    changed_order_posts: set[str] = field(default_factory=set)
    orders: deque[OrderArrival] = field(default_factory=lambda: deque(maxlen=ORDER_ARRIVALS_MAX))
    _first_order_posts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def count(self, scope: Scope, order: dict[str, Any], real_ns: int, monotonic_ns: int) -> str:
        """Count a request that came at an instant; return the name it is counted under (ids in paths made one)."""
        method, path = scope["method"], scope["path"]
        name = f"{method} {_UUID.sub('{id}', path)}"
        self.requests[name] += 1
        if method == "POST" and path == "/v2/orders":
            client_order_id = str(order.get("client_order_id", ""))
            self.order_posts[client_order_id] += 1
            _, port = scope["client"] or ("", 0)
            self.orders.append(OrderArrival(client_order_id, real_ns, monotonic_ns, port))
            if self._first_order_posts.setdefault(client_order_id, order) != order:
                self.changed_order_posts.add(client_order_id)
        return name


@dataclass(slots=True)
class Answer:
    """A whole answer, before it goes out."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    @classmethod
    def of(cls, refusal: refusals.Refused) -> Answer:
        """Return the answer that tells a refusal."""
        return cls(refusal.status, [(b"content-type", b"application/json")], dump(refusal.body))


class Edge:
    """The ASGI application around the API."""

    def __init__(self, app: ASGIApp, keys: Keys, faults: ArmedFaults, limit: int) -> None:
        """Guard ``app``; ``limit`` is requests a minute for trading and, apart, for market data."""
        self._app = app
        self._keys = keys
        self._faults = faults
        self.trading_limit = RateLimit(limit)
        self.market_data_limit = RateLimit(limit)
        self.arrivals = Arrivals()
        self._request_numbers = itertools.count(1)
        self._late: set[asyncio.Task[Answer]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or not scope["path"].startswith("/v2/"):
            await self._app(scope, receive, send)
            return
        came_at = time.time_ns(), time.monotonic_ns()
        body = await _read(receive)
        order = _json_object(body)
        name = self.arrivals.count(scope, order, *came_at)
        is_market_data = scope["path"].startswith("/v2/stocks")
        limit = self.market_data_limit if is_market_data else self.trading_limit
        refusal = self._refusal(scope, limit, body)
        faults: list[Any] = []
        if refusal is None:
            faults = self._faults.on_request(scope["method"], scope["path"], order)
            answer = await self._answer(scope, body, faults)
        else:
            answer = Answer.of(refusal)
        if answer is None:
            await _cut(scope, receive)
            return
        self.arrivals.statuses[f"{name} {answer.status}"] += 1
        request_id = derive_id("simulated-request", next(self._request_numbers)).hex
        answer.headers = [
            *answer.headers,
            (b"content-length", b"%d" % len(answer.body)),
            (b"x-request-id", request_id.encode()),
            *limit.headers(),
        ]
        if any(isinstance(fault, TruncateFault) and fault.cut for fault in faults):
            await _send_half(answer, send)
            await _cut(scope, receive)
            return
        await _send(answer, send)

    def _refusal(self, scope: Scope, limit: RateLimit, body: bytes) -> refusals.Refused | None:
        if not self._keys.allow(dict(scope["headers"])):
            return refusals.unauthorized()
        if not limit.take():
            return refusals.too_many_requests()
        if len(body) > BODY_BYTES_MAX:
            return refusals.malformed("request body is too large")
        return None

    async def _answer(self, scope: Scope, body: bytes, faults: list[HttpFault]) -> Answer | None:
        """Return what to answer under these faults; None cuts the connection."""
        for fault in faults:
            if isinstance(fault, LateFault):
                return self._answer_late(scope, body, fault)
            if isinstance(fault, LatencyFault) and fault.when == "before":
                await asyncio.sleep(fault.latency_ms / 1000)
            elif isinstance(fault, StatusFault) and fault.when == "before":
                return _faulty(fault)
            elif isinstance(fault, DropFault) and fault.when == "before":
                return None
        answer: Answer | None = await _ask(self._app, scope, body)
        for fault in faults:
            if isinstance(fault, LatencyFault) and fault.when == "after":
                await asyncio.sleep(fault.latency_ms / 1000)
            elif isinstance(fault, StatusFault) and fault.when == "after":
                answer = _faulty(fault)
            elif isinstance(fault, DropFault) and fault.when == "after":
                return None
            elif isinstance(fault, TruncateFault) and answer is not None and not fault.cut:
                answer.body = answer.body[: len(answer.body) // 2]
            elif isinstance(fault, AlterFault) and answer is not None:
                answer.body = _altered(answer.body, fault)
        return answer

    def _answer_late(self, scope: Scope, body: bytes, fault: LateFault) -> Answer | None:
        """Let the broker act later, and answer now as if it had not."""

        async def act() -> Answer:
            await asyncio.sleep(fault.delay_ms / 1000)
            return await _ask(self._app, scope, body)

        task = asyncio.create_task(act())
        self._late.add(task)  # a task nobody holds may be collected before it ran
        task.add_done_callback(self._late.discard)
        return None if fault.answer == "drop" else _faulty(StatusFault(kind="status", status=504))


def _faulty(fault: StatusFault) -> Answer:
    extra = [(k.lower().encode(), v.encode()) for k, v in fault.headers.items()]
    if fault.body == "empty":
        return Answer(fault.status, extra)
    if fault.body == "html":
        page = _HTML % (fault.status, fault.status)
        return Answer(fault.status, [(b"content-type", b"text/html"), *extra], page)
    content: dict[str, Any] = {} if fault.code is None else {"code": fault.code}
    content["message"] = fault.message or f"simulated fault {fault.status}"
    return Answer(fault.status, [(b"content-type", b"application/json"), *extra], dump(content))


def _altered(body: bytes, fault: AlterFault) -> bytes:
    """Return a JSON body with other fields; what is none stays."""
    try:
        content = json.loads(body)
    except ValueError:
        return body
    for each in content if isinstance(content, list) else [content]:
        if isinstance(each, dict):
            each.update(fault.fields)
            for name in fault.without:
                each.pop(name, None)
    return dump(content)


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        if len(body) <= BODY_BYTES_MAX:
            body += message.get("body", b"")
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return body


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        content = load_json(body) if body else None
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


async def _ask(app: ASGIApp, scope: Scope, body: bytes) -> Answer:
    """Run the application on a request that was read already; return its whole answer."""
    answer = Answer()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [h for h in message["headers"] if h[0] != b"content-length"]
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")

    await app(scope, receive, send)
    return answer


async def _send(answer: Answer, send: Send) -> None:
    headers = answer.headers
    if answer.status == 204:
        headers = [header for header in headers if header[0] != b"content-length"]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _send_half(answer: Answer, send: Send) -> None:
    half = answer.body[: len(answer.body) // 2]
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": half, "more_body": True})


async def _cut(scope: Scope, receive: Receive) -> None:
    """Close the connection and wait until the server has noticed, so that it answers nothing itself."""
    connection_of(scope).close()
    while (await receive())["type"] != "http.disconnect":
        pass
