"""The trade_updates websocket: authenticate, listen, then one message a change, with no replay.

Messages go out as binary frames holding JSON, as the paper host's do. One connection an account: a second one that
authenticates is closed with 1008.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any, Literal

from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from simulators.alpaca.armed import ArmedFaults
from simulators.alpaca.edge import Keys
from simulators.alpaca.faults import StreamDropFault, StreamMuteFault
from simulators.alpaca.orders import Fill, Order
from simulators.alpaca.transport import connection_of
from simulators.alpaca.wire import dump, update_json

# A reader this far behind is cut off (it must look up orders then), rather than eating the server's memory.
BACKLOG_MESSAGE_MAX = 10_000
KNOWN_STREAMS = ("trade_updates",)


class _Listener:
    """One connection: what it listens to and what waits to be sent to it."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.streams: list[str] = []
        self.outbox: asyncio.Queue[bytes | None] = asyncio.Queue(BACKLOG_MESSAGE_MAX)
        self.close_code = 1011

    def put(self, message: bytes | None) -> None:
        """Queue a message; None closes. A full outbox closes too."""
        try:
            self.outbox.put_nowait(message)
        except asyncio.QueueFull:
            self.close(1008)

    def close(self, code: int) -> None:
        """Close after what was queued is dropped."""
        self.close_code = code
        while not self.outbox.empty():
            self.outbox.get_nowait()
        self.outbox.put_nowait(None)


class TradeUpdates:
    """All connections to the stream."""

    def __init__(
        self,
        keys: Keys,
        faults: ArmedFaults,
        *,
        frames: Literal["binary", "text"] = "binary",
        connection_count_max: int = 1,
    ) -> None:
        """Serve the holder of ``keys``; ``connection_count_max`` 0 lets any number in."""
        self._keys = keys
        self._faults = faults
        self._frames = frames
        self._connection_count_max = connection_count_max
        self._listeners: list[_Listener] = []
        self._muted_left: int | None = 0
        self.sent_count = 0
        self.lost_count = 0
        self.connected_count = 0

    def publish(self, order: Order, event: str, at_ns: int, fill: Fill | None) -> None:
        """Tell every listener of a change (a broker's listener)."""
        if self._is_muted():
            self.lost_count += 1
            return
        listeners = [x for x in self._listeners if "trade_updates" in x.streams]
        if not listeners:
            return
        content = update_json(order, event, at_ns, fill)
        if (fault := self._faults.alters_message()) is not None:
            content["data"] |= fault.fields
            content["data"]["order"] |= fault.order_fields
            for name in fault.order_without:
                content["data"]["order"].pop(name, None)
        message = dump(content)
        copies = 2 if self._faults.repeats_message() else 1
        for listener in listeners:
            for _ in range(copies):
                listener.put(message)
        self.sent_count += copies

    def drop(self, fault: StreamDropFault) -> int:
        """Close every connection; return how many there were."""
        for listener in self._listeners:
            if fault.abort:
                connection_of(listener.socket.scope).abort()
            else:
                listener.close(fault.code)
        return len(self._listeners)

    def mute(self, fault: StreamMuteFault | None) -> None:
        """Lose messages from now on; None ends it."""
        self._muted_left = 0 if fault is None else fault.messages

    def told(self) -> dict[str, Any]:
        """Return the stream's state for the control endpoint."""
        return {
            "connections": len(self._listeners),
            "listening": sum(bool(x.streams) for x in self._listeners),
            "connected_count": self.connected_count,
            "sent_count": self.sent_count,
            "lost_count": self.lost_count,
            "is_muted": self._muted_left != 0,
        }

    async def serve(self, socket: WebSocket) -> None:
        """Run one connection to its end."""
        if self._faults.refuses_stream():
            await socket.send_denial_response(Response("too many requests", 429))
            return
        await socket.accept()
        listener = _Listener(socket)
        sender = asyncio.create_task(self._send_all(listener))
        try:
            await self._converse(listener)
        except WebSocketDisconnect:
            pass
        finally:
            if listener in self._listeners:
                self._listeners.remove(listener)
            sender.cancel()
            with suppress(asyncio.CancelledError):
                await sender

    async def _converse(self, listener: _Listener) -> None:
        while True:
            request = _read(await listener.socket.receive())
            action = request.get("action")
            data = request.get("data")
            data = data if isinstance(data, dict) else {}
            is_authorized = listener in self._listeners
            if action in ("authenticate", "auth"):
                self._authenticate(listener, request, data)
            elif action == "listen" and is_authorized:
                asked = data.get("streams")
                asked = asked if isinstance(asked, list) else []
                listener.streams = [name for name in KNOWN_STREAMS if name in asked]
                listener.put(dump({"stream": "listening", "data": {"streams": listener.streams}}))
            elif action == "listen":
                listener.put(_authorization("unauthorized", "listen"))

    def _authenticate(
        self, listener: _Listener, request: dict[str, Any], data: dict[str, Any]
    ) -> None:
        given = (
            data.get("key_id", request.get("key")),
            data.get("secret_key", request.get("secret")),
        )
        if given != (self._keys.key_id, self._keys.secret_key):
            listener.put(_authorization("unauthorized", "authenticate"))
            return
        if listener not in self._listeners:
            if 0 < self._connection_count_max <= len(self._listeners):
                listener.close(1008)
                return
            self._listeners.append(listener)
            self.connected_count += 1
        listener.put(_authorization("authorized", "authenticate"))

    async def _send_all(self, listener: _Listener) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            while (message := await listener.outbox.get()) is not None:
                if self._frames == "binary":
                    await listener.socket.send_bytes(message)
                else:
                    await listener.socket.send_text(message.decode())
            await listener.socket.close(listener.close_code)

    def _is_muted(self) -> bool:
        if self._muted_left is None:
            return True
        if self._muted_left == 0:
            return False
        self._muted_left -= 1
        return True


def _authorization(status: str, action: str) -> bytes:
    return dump({"stream": "authorization", "data": {"status": status, "action": action}})


def _read(message: Any) -> dict[str, Any]:
    """Return a client's message as an object; what is none is an empty one."""
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1006))
    text = message.get("text") or message.get("bytes") or b""
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
