"""The control endpoint: moves the simulated instant, arms faults, tells the whole book. No keys asked.

``GET /control/clock``  the simulated instant: ``{"now"}``
``GET /control``        everything: now, account, orders with every change, fills, positions, requests, faults;
                        ``?parts=account,fills`` only these; ``arrivals`` (real times) only when asked for
``POST /control``       one or several of
    ``{"now": RFC3339}``                 move forward (409 for a step back); what lies between happens
    ``{"fault": {"kind": …}}``           arm a fault (kinds and fields: faults.py); answers its number
    ``{"clear_faults": true}``           disarm everything, unmute the stream
    ``{"account": {"cash", "multiplier", "positions": {SYMBOL: {"qty", "avg_entry_price"}}}}``
                                         set the account up; 409 once there was an order
    ``{"rules": {…}}``                   trading_blocked, halted_symbols, inactive_symbols, whole_share_symbols
    ``{"rate_limit": N}``                requests a minute of real time, 0 for unlimited
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.alpaca import wire
from simulators.alpaca.amounts import load_json, plain
from simulators.alpaca.answers import answer
from simulators.alpaca.armed import ArmedFaults
from simulators.alpaca.book import Split
from simulators.alpaca.broker import Broker
from simulators.alpaca.edge import Edge
from simulators.alpaca.faults import Fault, StreamDropFault, StreamMuteFault
from simulators.alpaca.instants import rfc3339, to_datetime
from simulators.alpaca.orders import Fill, Order
from simulators.alpaca.routing import Endpoint, routes
from simulators.alpaca.stream import TradeUpdates

# The part that differs from run to run: left out where everything is asked for, so that equal runs have equal books.
_REAL_TIME = "arrivals"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StartingPosition(_Strict):
    """Shares held from the start, and what they cost a share."""

    qty: Decimal
    avg_entry_price: Decimal = Field(ge=0)


class AccountSetup(_Strict):
    """The account before its first order."""

    cash: Decimal | None = Field(default=None, ge=0)
    multiplier: int | None = Field(default=None, ge=1, le=4)
    positions: dict[str, StartingPosition] = {}


class RulesSetup(_Strict):
    """Switches of the account and exceptions among assets; what is left out stays."""

    trading_blocked: bool | None = None
    shorting_enabled: bool | None = None
    halted_symbols: frozenset[str] | None = None
    inactive_symbols: frozenset[str] | None = None
    whole_share_symbols: frozenset[str] | None = None


class Command(_Strict):
    """One body of ``POST /control``; its parts are done in this order."""

    account: AccountSetup | None = None
    rules: RulesSetup | None = None
    rate_limit: int | None = Field(default=None, ge=0)
    clear_faults: bool = False
    fault: Fault | None = None
    now: AwareDatetime | None = None


class Control:
    """The endpoint, over every part of the simulator."""

    def __init__(
        self, broker: Broker, faults: ArmedFaults, stream: TradeUpdates, edge: Edge
    ) -> None:
        """Steer these parts."""
        self._broker = broker
        self._faults = faults
        self._stream = stream
        self._edge = edge

    def routes(self) -> list[Route]:
        """Return the routes."""
        table: list[tuple[str, str, Endpoint]] = [
            ("GET", "/clock", self.get_clock),
            ("GET", "", self.get_book),
            ("POST", "", self.post),
        ]
        return routes("/control", table)

    async def get_clock(self) -> Response:
        """Tell the simulated instant."""
        return answer({"now": to_datetime(self._broker.now_ns).isoformat()})

    async def get_book(self, parts: str = "") -> Response:
        """Tell everything, or the parts named in a comma list."""
        book = self._book()
        wanted = [name for name in parts.split(",") if name] or [n for n in book if n != _REAL_TIME]
        unknown = sorted(set(wanted) - set(book))
        if unknown:
            message = f"no such part: {', '.join(unknown)}; there are {', '.join(book)}"
            return answer({"message": message}, 422)
        return answer({name: book[name]() for name in wanted})

    async def post(self, request: Request) -> Response:
        """Do what a command says."""
        try:
            command = Command.model_validate(load_json(await request.body()))
        except ValidationError as error:
            problems = [
                f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
                for problem in error.errors(include_url=False, include_context=False)
            ]
            return answer({"message": "; ".join(problems)}, 422)
        except ValueError as error:
            return answer({"message": f"the body is no JSON: {error}"}, 422)
        told: dict[str, Any] = {}
        if command.account is not None:
            if self._broker.book.orders:
                return answer(
                    {"message": "the account can be set only before its first order"}, 409
                )
            self._set_account(command.account)
        if command.rules is not None:
            for name, value in command.rules.model_dump(exclude_none=True).items():
                setattr(self._broker.rules, name, value)
        if command.rate_limit is not None:
            self._edge.trading_limit.limit = command.rate_limit
            self._edge.market_data_limit.limit = command.rate_limit
        if command.clear_faults:
            self._faults.clear()
            self._stream.mute(None)
        if command.fault is not None:
            told |= self._arm(command.fault)
        if command.now is not None and (problem := self._move(command.now)):
            return answer({"message": problem}, 409)
        return answer({"now": to_datetime(self._broker.now_ns).isoformat(), **told})

    def _book(self) -> dict[str, Callable[[], Any]]:
        """Return what makes each part of the book."""
        book, arrivals = self._broker.book, self._edge.arrivals
        return {
            "now": lambda: to_datetime(self._broker.now_ns).isoformat(),
            "account": self._account,
            "open_order_count": lambda: len(book.open_orders),
            "orders": lambda: [_order_told(order) for order in book.orders.values()],
            "fills": lambda: [_fill_told(fill) for fill in book.fills],
            "positions": self._positions,
            "splits": lambda: [_split_told(split) for split in book.splits],
            "requests": lambda: dict(sorted(arrivals.requests.items())),
            "answers": lambda: dict(sorted(arrivals.statuses.items())),
            "order_posts": lambda: dict(sorted(arrivals.order_posts.items())),
            "changed_order_posts": lambda: sorted(arrivals.changed_order_posts),
            _REAL_TIME: lambda: [asdict(arrival) for arrival in arrivals.orders],
            "refused_duplicates": lambda: dict(sorted(book.refused_duplicates.items())),
            "stream": self._stream.told,
            "faults": self._faults.told,
        }

    def _account(self) -> dict[str, Any]:
        broker, book = self._broker, self._broker.book
        return {
            **wire.account_json(book, broker.rules, broker.market, broker.created_ns),
            "starting_cash": plain(book.starting_cash),
            "reserved": plain(book.reserved),
        }

    def _positions(self) -> list[dict[str, Any]]:
        book, market = self._broker.book, self._broker.market
        return [
            wire.position_json(symbol, book.positions[symbol], book.held_qty(symbol), market)
            for symbol in sorted(book.positions)
        ]

    def _set_account(self, setup: AccountSetup) -> None:
        book = self._broker.book
        if setup.cash is not None:
            book.cash = book.starting_cash = setup.cash
        if setup.multiplier is not None:
            book.multiplier = setup.multiplier
            self._broker.rules.shorting_enabled = setup.multiplier > 1
        positions = {s: (p.qty, p.avg_entry_price) for s, p in setup.positions.items()}
        book.endow(positions)

    def _arm(self, fault: Any) -> dict[str, Any]:
        if isinstance(fault, StreamDropFault):
            return {"dropped": self._stream.drop(fault)}
        if isinstance(fault, StreamMuteFault):
            self._stream.mute(fault)
            return {}
        return {"fault": self._faults.arm(fault)}

    def _move(self, now: datetime) -> str | None:
        try:
            self._broker.move_to(now)
        except ValueError as error:
            return str(error)
        return None


def _order_told(order: Order) -> dict[str, Any]:
    return {
        **wire.order_json(order),
        "reserved": plain(order.reserved),
        "changes": [
            {
                "at": rfc3339(change.at_ns),
                "event": change.event,
                "status": change.status,
                "filled_qty": plain(change.filled_qty),
                "reason": change.reason,
            }
            for change in order.changes
        ],
    }


def _fill_told(fill: Fill) -> dict[str, Any]:
    return {
        **wire.activity_json(fill),
        "client_order_id": fill.client_order_id,
        "session_on": fill.session_on.isoformat(),
        "cash_change": plain(fill.cash_change),
        "position_qty": plain(fill.position_qty),
    }


def _split_told(split: Split) -> dict[str, Any]:
    return {
        "session_on": split.session_on.isoformat(),
        "symbol": split.symbol,
        "factor": plain(split.factor),
        "qty_before": plain(split.qty_before),
        "qty_after": plain(split.qty_after),
    }
