"""The edge to Alpaca's trading API. Only this module and ``prices`` import its client.

alpaca-py retries POSTs on 429 and 504 and sets no timeout: its retries are off here, every request has a total
deadline, and answers are read from the raw bytes. Outcomes are values, not exceptions. One thread only.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

import requests

from services.executor.broker.guarded_http import Exchange, GuardedSession
from services.executor.broker.outcomes import (
    Accepted,
    Away,
    BrokerOrder,
    Fill,
    Missing,
    NotSent,
    Outcome,
    Refused,
    Told,
    Unclear,
    instant,
)
from services.executor.broker.prices import LastPrices, Prices
from services.executor.broker.ticket import LiveTicket, TicketRefused
from services.executor.settings import ExecutorSettings
from services.executor.state.statuses import is_duplicate_id
from tradetrail.alpaca_settings import AlpacaSettings

with warnings.catch_warnings():
    # The library imports what its own dependencies call deprecated; nothing of ours.
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.common.exceptions import APIError
    from alpaca.trading.client import TradingClient

_NOT_FOUND = 404
_TOO_MANY = 429
_MULTIPLE, _BAD_REQUEST, _SERVER_ERROR = 300, 400, 500


class Broker:
    """One account at Alpaca."""

    def __init__(self, alpaca: AlpacaSettings, settings: ExecutorSettings, *, paper: bool) -> None:
        """Prepare the client; nothing is sent yet."""
        self._session = GuardedSession(settings.connect_timeout_s, settings.request_total_s)
        client = TradingClient(
            alpaca.key_id.get_secret_value() or "unset",
            alpaca.secret_key.get_secret_value() or "unset",
            paper=paper,
            raw_data=True,
            url_override=alpaca.url.rstrip("/"),
        )
        client._session = self._session
        client._retry = 0
        client._retry_codes = []
        self._client = client
        self._prices = Prices(alpaca, settings)

    def last_prices(self, symbols: Sequence[str]) -> LastPrices | Away:
        """Return the last price of each symbol that has one, from the market data."""
        return self._prices.read(symbols)

    def submit(self, ticket: LiveTicket, request: str, replaces: str | None = None) -> Outcome:
        """Send the order whose exact JSON body is ``request``, once; in place of the open order ``replaces``, if named.

        Raises TicketRefused when ``ticket`` is no ticket at all; a used or stale one is NotSent.
        """
        if not isinstance(ticket, LiveTicket):
            raise TicketRefused("an order needs a ticket of the live loop")
        body = json.loads(request)
        self._session.guard = ticket.use
        try:
            if replaces is None:
                self._client.post("/orders", body)
            else:
                self._client.patch(f"/orders/{quote(replaces, safe='')}", body)
        except TicketRefused as error:
            return NotSent(str(error), self._session.last_told, is_brokers_fault=False)
        except (APIError, requests.RequestException, ValueError, OSError):
            pass
        return _outcome(self._session.last_told, str(body["client_order_id"]))

    def cancel(self, broker_order_id: str) -> Told | Refused | Missing | Away:
        """Ask for the cancellation of an open order. Told: it was asked for, no more; a fill may still win."""
        path = f"/orders/{quote(broker_order_id, safe='')}"
        call = self._session.ask(lambda: self._client.delete(path), APIError)
        message = _message(call)
        if call.status_code is not None and call.status_code < _MULTIPLE:
            return Told(None, call)
        if call.status_code is None or message is None or call.status_code == _TOO_MANY:
            return Away(call.error or f"HTTP {call.status_code}: {_words(call)}", call)
        if call.status_code == _NOT_FOUND:
            return Missing(call)
        if call.status_code >= _SERVER_ERROR:
            return Away(f"HTTP {call.status_code}: {_words(call)}", call)
        return Refused(call.status_code, message, call)

    def find(self, client_order_id: str) -> BrokerOrder | Missing | Away:
        """Look an order up by our own id."""
        return self._order(lambda: self._client.get_order_by_client_id(client_order_id))

    def order(self, broker_order_id: str) -> BrokerOrder | Missing | Away:
        """Return an order by the broker's id."""
        # Not by the client's own method: it refuses an id that is no UUID before anything is asked.
        path = f"/orders/{quote(broker_order_id, safe='')}"
        return self._order(lambda: self._client.get(path))

    def orders(self, query: dict[str, Any]) -> Told | Missing | Away:
        """Return one page of the account's orders, as ``query`` asks; see ``order_list``."""
        return self._ask(lambda: self._client.get("/orders", query))

    def fill_activities(self, query: dict[str, Any]) -> Told | Missing | Away:
        """Return one page of the account's FILL activities, as ``query`` asks; see ``order_list``."""
        return self._ask(lambda: self._client.get("/account/activities/FILL", query))

    def account(self) -> Told | Missing | Away:
        """Return the account."""
        return self._ask(self._client.get_account)

    def positions(self) -> Told | Missing | Away:
        """Return every position of the account."""
        return self._ask(self._client.get_all_positions)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        self._prices.close()

    def cut(self) -> None:
        """End the request under way, if there is one; the only call for other threads."""
        self._session.cut()
        self._prices.cut()

    @property
    def last_call(self) -> Exchange | None:
        """Return the last request and what came of it."""
        return self._session.last

    def _order(self, ask: Callable[[], Any]) -> BrokerOrder | Missing | Away:
        told = self._ask(ask)
        if not isinstance(told, Told):
            return told
        try:
            return _parse_order(told.value, told.call)
        except (KeyError, ValueError, TypeError, InvalidOperation) as error:
            return Away(f"the answer is no order: {error!r}", told.call)

    def _ask(self, ask: Callable[[], Any]) -> Told | Missing | Away:
        call = self._session.ask(ask, APIError)
        if call.status_code is None:
            return Away(call.error or "no answer", call)
        if call.status_code == _NOT_FOUND and _message(call) is not None:
            return Missing(call)
        if call.status_code >= 300:
            return Away(f"HTTP {call.status_code}: {_words(call)}", call)
        try:
            return Told(json.loads(call.body or b"", parse_float=Decimal), call)
        except ValueError as error:
            return Away(f"the answer is no JSON: {error}", call)


def _outcome(call: Exchange, client_order_id: str) -> Outcome:
    if call.status_code is None:
        reason = call.error or "no answer"
        return Unclear(reason, call) if call.was_sent else NotSent(reason, call)
    if call.status_code < 300:
        return _accepted(call, client_order_id)
    message = _message(call)
    if call.status_code == _TOO_MANY:
        return Refused(call.status_code, message or _words(call), call)
    if call.status_code >= _SERVER_ERROR or call.status_code < _BAD_REQUEST or message is None:
        return Unclear(f"HTTP {call.status_code}: {_words(call)}", call)
    if is_duplicate_id(message):
        return Unclear(f"the broker has this client_order_id already: {message}", call)
    return Refused(call.status_code, message, call)


def _accepted(call: Exchange, client_order_id: str) -> Outcome:
    try:
        order = _parse_order(json.loads(call.body or b"", parse_float=Decimal), call)
    except (KeyError, ValueError, TypeError, InvalidOperation) as error:
        return Unclear(f"HTTP {call.status_code} whose body is no order: {error!r}", call)
    if order.client_order_id != client_order_id:
        return Unclear(f"the answer speaks of order {order.client_order_id}", call)
    return Accepted(order, call)


def _parse_order(value: Any, call: Exchange) -> BrokerOrder:
    return parse_order(value, (call.body or b"").decode("utf-8", "replace"))


def parse_order(value: Any, raw: str) -> BrokerOrder:
    """Return an order from its decoded JSON. Raises KeyError, TypeError or ArithmeticError for what is no order."""
    if not isinstance(value, dict):
        raise TypeError(f"{type(value).__name__} instead of an object")
    average = value.get("filled_avg_price")
    return BrokerOrder(
        order_id=str(value["id"]),
        client_order_id=str(value["client_order_id"]),
        status=str(value["status"]),
        filled_qty=Decimal(value.get("filled_qty") or 0),
        filled_avg_price=None if average is None else Decimal(average),
        updated_at=instant(value.get("updated_at")),
        submitted_at=instant(value.get("submitted_at")),
        replaced_by=value.get("replaced_by"),
        raw=raw,
    )


def parse_fill(row: dict[str, Any]) -> Fill:
    """Return one FILL activity. Raises KeyError, TypeError or ArithmeticError for what is none."""
    return Fill(
        broker_order_id=str(row["order_id"]),
        cumulative_qty=Decimal(row["cum_qty"]),
        qty=Decimal(row["qty"]),
        price=Decimal(row["price"]),
        at=instant(row.get("transaction_time")),
    )


def _message(call: Exchange) -> str | None:
    """Return the broker's own words in a JSON error body; None for anything else."""
    try:
        return str(json.loads(call.body or b"")["message"])
    except (ValueError, KeyError, TypeError):
        return None


def _words(call: Exchange) -> str:
    return (call.body or b"").decode("utf-8", "replace")[:300]
