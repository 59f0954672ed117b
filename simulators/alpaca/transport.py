"""Lets the application reach the socket of a request, to cut it: what no ASGI server offers by itself."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_KEY = "transport"


class CuttableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with its transport in the scope's state (websockets included)."""

    def on_message_begin(self) -> None:
        """Begin a request whose scope knows the connection."""
        super().on_message_begin()
        self.scope["state"][_KEY] = self.transport

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over to the websocket protocol, whose scope knows it too."""
        self.app_state = {**self.app_state, _KEY: self.transport}
        super().handle_websocket_upgrade()


def connection_of(scope: Any) -> asyncio.Transport:
    """Return the connection a request or a websocket came in on."""
    transport: asyncio.Transport = scope["state"][_KEY]
    return transport
