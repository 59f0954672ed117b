"""Puts the parts together: broker, APIs, stream, control, and the edge around them."""

from __future__ import annotations

import signal
import socket
import sys
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import WebSocketRoute

from simulators.alpaca.account_api import AccountApi
from simulators.alpaca.answers import answer
from simulators.alpaca.armed import ArmedFaults
from simulators.alpaca.broker import Broker
from simulators.alpaca.control import Control
from simulators.alpaca.edge import Edge, Keys
from simulators.alpaca.market_data_api import MarketDataApi
from simulators.alpaca.ports import World
from simulators.alpaca.refusals import Refused
from simulators.alpaca.stream import TradeUpdates
from simulators.alpaca.trading_api import TradingApi
from simulators.alpaca.transport import CuttableProtocol
from tradetrail.errors import UsageError

# A client that was killed or frozen loses its stream's place within this time, so that another may connect.
STREAM_PING_S = 10.0
# What still runs when the end is asked for is a fault's delay or a stream: neither is worth a longer wait.
SHUTDOWN_S = 1
# Longer than any client of ours idles between two requests: a connection that the server closes at the very moment
# of an order would make its outcome unknown.
KEEP_ALIVE_S = 75
BACKLOG_CONNECTION_COUNT = 2048


@dataclass(frozen=True, slots=True)
class Options:
    """What a simulator is started with. ``rate_limit`` is requests a minute of real time, 0 unlimited."""

    now: datetime
    keys: Keys
    host: str = "127.0.0.1"
    port: int = 0
    cash: Decimal = Decimal(100_000)
    multiplier: int = 1
    rate_limit: int = 200
    frames: Literal["binary", "text"] = "binary"
    stream_count_max: int = 1
    positions: tuple[tuple[str, Decimal, Decimal], ...] = ()


def build(world: World, options: Options) -> Edge:
    """Return the whole application over ``world``."""
    broker = Broker(world, options.now, options.cash, multiplier=options.multiplier)
    broker.book.endow({s: (qty, price) for s, qty, price in options.positions})
    faults = ArmedFaults(broker.interference)
    stream = TradeUpdates(
        options.keys,
        faults,
        frames=options.frames,
        connection_count_max=options.stream_count_max,
    )
    broker.listeners.append(stream.publish)
    app = Starlette(exception_handlers={Refused: _tell_refusal, HTTPException: _tell_http_error})
    edge = Edge(app, options.keys, faults, options.rate_limit)
    app.router.routes += [
        *TradingApi(broker, faults).routes(),
        *AccountApi(broker).routes(),
        *MarketDataApi(broker.market).routes(),
        *Control(broker, faults, stream, edge).routes(),
        WebSocketRoute("/stream", stream.serve),
    ]
    return edge


def serve(world: World, options: Options) -> None:
    """Run the simulator until SIGTERM or SIGINT, and tell on stdout where it listens.

    Raises UsageError when the address can't be had.
    """
    listener = _listen(options.host, options.port)
    server = uvicorn.Server(
        uvicorn.Config(
            build(world, options),
            http=CuttableProtocol,
            ws="websockets-sansio",
            ws_ping_interval=STREAM_PING_S,
            ws_ping_timeout=STREAM_PING_S,
            log_level="warning",
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
    )
    # uvicorn raises the signal that stopped it once more when it is done (the end was asked for), and hears none
    # before it runs (it must not be lost).
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    host, port = listener.getsockname()[:2]
    sys.stdout.write(f"listening on http://{host}:{port}\n")
    sys.stdout.flush()
    server.run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; who connects before the server runs waits in its backlog."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG_CONNECTION_COUNT)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"can't listen on {host}:{port} ({error.strerror}); choose another --port"
        ) from error
    return listener


async def _tell_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # registered for this class alone
    return answer(error.body, error.status)


async def _tell_http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # registered for this class alone
    text = "endpoint not found." if error.status_code == 404 else str(error.detail)
    body = {"code": error.status_code * 100_000 + 10_000, "message": text}
    return answer(body, error.status_code)
