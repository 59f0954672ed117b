"""The Trading API under /v2, its part that trades: orders and positions."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.alpaca import entry, listing, refusals, wire
from simulators.alpaca.amounts import QTY_STEP, is_whole, plain, read
from simulators.alpaca.answers import answer, json_object
from simulators.alpaca.armed import ArmedFaults
from simulators.alpaca.broker import Broker
from simulators.alpaca.orders import Order, OrderRequest
from simulators.alpaca.pending import settle
from simulators.alpaca.refusals import Refused
from simulators.alpaca.routing import Endpoint, routes


class TradingApi:
    """The endpoints, over one broker."""

    def __init__(self, broker: Broker, faults: ArmedFaults) -> None:
        """Serve ``broker``."""
        self._broker = broker
        self._faults = faults

    def routes(self) -> list[Route]:
        """Return the routes."""
        table: list[tuple[str, str, Endpoint]] = [
            ("POST", "/orders", self.post_order),
            ("GET", "/orders", self.get_orders),
            ("DELETE", "/orders", self.cancel_orders),
            ("GET", "/orders:by_client_order_id", self.get_order_by_client_id),
            ("GET", "/orders/{order_id}", self.get_order),
            ("PATCH", "/orders/{order_id}", self.patch_order),
            ("DELETE", "/orders/{order_id}", self.cancel_order),
            ("GET", "/positions", self.get_positions),
            ("DELETE", "/positions", self.close_positions),
            ("GET", "/positions/{symbol_or_id}", self.get_position),
            ("DELETE", "/positions/{symbol_or_id}", self.close_position),
        ]
        return routes("/v2", table)

    # Orders

    async def post_order(self, request: Request) -> Response:
        """Take an order; the answer shows it before it acts, as pending_new or accepted."""
        body = json_object(await request.body())
        # A used id is told before anything else: the first order itself may be what uses up the means.
        self._broker.check_client_order_id(entry.read_client_order_id(body))
        return self._taken(self._broker.submit(entry.read_order(body)))

    async def get_orders(self, request: Request) -> Response:
        """List orders."""
        found = listing.list_orders(self._broker.book, request.query_params)
        return answer([wire.order_json(order) for order in found])

    async def get_order(self, order_id: str) -> Response:
        """Tell one order."""
        return answer(wire.order_json(self._order(order_id)))

    async def get_order_by_client_id(self, client_order_id: str = "") -> Response:
        """Tell the order of a client_order_id."""
        order = self._broker.book.order_by_client_id.get(client_order_id)
        if order is None or self._faults.hides(client_order_id):
            raise refusals.missing(f"order not found for {client_order_id}")
        return answer(wire.order_json(order))

    async def patch_order(self, order_id: str, request: Request) -> Response:
        """Replace an order; the answer is the new one."""
        old = self._order(order_id)
        body = json_object(await request.body())
        wanted = entry.read_replacement(old.request, body, old.leaves_qty)
        taken = self._taken(self._broker.replace(old, wanted))
        self._settle_later(old)
        return taken

    async def cancel_order(self, order_id: str) -> Response:
        """Ask for a cancellation."""
        order = self._order(order_id)
        self._broker.cancel(order)
        self._settle_later(order)
        return Response(status_code=204)

    async def cancel_orders(self) -> Response:
        """Ask for the cancellation of every open order."""
        return answer([self._try_cancel(o) for o in self._broker.book.open_orders_by_age()], 207)

    # Positions

    async def get_positions(self) -> Response:
        """List positions by symbol."""
        return answer([self._position(symbol) for symbol in sorted(self._broker.book.positions)])

    async def get_position(self, symbol_or_id: str) -> Response:
        """Tell one position."""
        return answer(self._position(self._held_symbol(symbol_or_id)))

    async def close_position(self, symbol_or_id: str, request: Request) -> Response:
        """Sell (or buy back) a position, or a part of it, at the market."""
        symbol = self._held_symbol(symbol_or_id)
        order = self._closing_order(symbol, dict(request.query_params))
        return self._taken(self._broker.submit(order))

    async def close_positions(self, cancel_orders: str = "") -> Response:
        """Close every position at the market."""
        if cancel_orders.lower() == "true":
            for order in self._broker.book.open_orders_by_age():
                self._try_cancel(order)
        return answer(
            [self._try_close(symbol) for symbol in sorted(self._broker.book.positions)], 207
        )

    # Steps shared by the endpoints

    def _taken(self, order: Order) -> Response:
        """Answer with the order as it was taken, then let it act: its fill may be told before this answer."""
        taken = answer(wire.order_json(order))
        self._broker.route(order)
        return taken

    def _settle_later(self, order: Order) -> None:
        """End what hangs on an order after its time, if it has one: by itself it waits for the close."""
        if order.pending is not None and order.pending.delay_ms is not None:
            delay_s = order.pending.delay_ms / 1000
            asyncio.get_running_loop().call_later(delay_s, settle, self._broker, order)

    def _order(self, order_id: str) -> Order:
        order = self._broker.book.orders.get(order_id.lower())
        if order is None:
            raise refusals.missing(f"order not found for {order_id}")
        return order

    def _held_symbol(self, symbol_or_id: str) -> str:
        asset = self._broker.market.asset(symbol_or_id)
        symbol = asset.symbol if asset else symbol_or_id
        if symbol not in self._broker.book.positions:
            raise refusals.missing("position does not exist")
        return symbol

    def _position(self, symbol: str) -> dict[str, Any]:
        book = self._broker.book
        return wire.position_json(
            symbol, book.positions[symbol], book.held_qty(symbol), self._broker.market
        )

    def _closing_order(self, symbol: str, query: dict[str, str]) -> OrderRequest:
        held = self._broker.book.position_qty(symbol)
        qty = abs(held)
        try:
            if query.get("qty"):
                qty = read(query["qty"])
            elif query.get("percentage"):
                share = qty * read(query["percentage"]) / 100
                qty = share.quantize(QTY_STEP, rounding=ROUND_DOWN)
        except ValueError as error:
            raise refusals.invalid("invalid qty or percentage") from error
        body = {
            "symbol": symbol,
            "qty": plain(qty if not is_whole(qty) else Decimal(int(qty))),
            "side": "sell" if held > 0 else "buy",
            "type": "market",
            "time_in_force": "day",
        }
        return replace(entry.read_order(body), position_intent=f"{body['side']}_to_close")

    def _try_cancel(self, order: Order) -> dict[str, Any]:
        try:
            self._broker.cancel(order)
            self._settle_later(order)
        except Refused as refusal:
            return {"id": order.id, "status": refusal.status, "body": refusal.body}
        return {"id": order.id, "status": 200}

    def _try_close(self, symbol: str) -> dict[str, Any]:
        try:
            order = self._broker.submit(self._closing_order(symbol, {}))
        except Refused as refusal:
            return {"symbol": symbol, "status": refusal.status, "body": refusal.body}
        told = {"symbol": symbol, "status": 200, "body": wire.order_json(order)}
        self._broker.route(order)
        return told
