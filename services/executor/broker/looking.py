"""A request about one order together with what its answer makes necessary: the order's single fills. Runs on a lane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.executor.broker.fills import fills_between
from services.executor.broker.guarded_http import Exchange
from services.executor.broker.order_list import list_fills
from services.executor.broker.outcomes import Accepted, Away, BrokerOrder, Fill, Missing, Outcome
from services.executor.broker.trading_api import Broker
from services.executor.state.book import Execution
from tradetrail.events.generated import CallPurpose

Heard = Callable[[str], Sequence[Fill]]
"""Returns the fills that the stream told of an order, by the broker's id."""
Calls = list[tuple[Exchange, CallPurpose]]
"""Requests with their answers, and what each was made for."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at an order brought: its answer, every call made, and the order's fills where they were needed."""

    answer: BrokerOrder | Missing | Away
    calls: Calls
    listed: tuple[Fill, ...] = ()


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a POST, every call made, and the order's fills where they were needed."""

    outcome: Outcome
    calls: Calls
    listed: tuple[Fill, ...] = ()


def look(
    broker: Broker,
    ask: Callable[[Broker], BrokerOrder | Missing | Away],
    purpose: CallPurpose,
    execution: Execution,
    heard: Heard,
) -> Seen:
    """Ask for the order of ``execution``, and for its fills where ``heard`` doesn't know them."""
    answer = ask(broker)
    calls: Calls = [(broker.last_call, purpose)] if broker.last_call else []
    listed: tuple[Fill, ...] = ()
    if isinstance(answer, BrokerOrder):
        listed = _listed(broker, execution, answer, heard, calls)
    return Seen(answer, calls, listed)


def post(
    broker: Broker, submit: Callable[[Broker], Outcome], execution: Execution, heard: Heard
) -> Posted:
    """Send the order of ``execution``, and ask for its fills as ``look`` does."""
    outcome = submit(broker)
    calls: Calls = [(outcome.call, CallPurpose.ORDER_SUBMIT)]
    listed: tuple[Fill, ...] = ()
    if isinstance(outcome, Accepted):
        listed = _listed(broker, execution, outcome.order, heard, calls)
    return Posted(outcome, calls, listed)


def _listed(
    broker: Broker, execution: Execution, order: BrokerOrder, heard: Heard, calls: Calls
) -> tuple[Fill, ...]:
    if order.filled_qty <= execution.filled_qty_total:
        return ()
    if fills_between(execution, order, heard(order.order_id)) is not None:
        return ()
    told = list_fills(broker, {order.order_id}, order.submitted_at)
    calls += [(call, CallPurpose.RECONCILE) for call in told.calls]
    return () if told.away else tuple(told.of.get(order.order_id, ()))
