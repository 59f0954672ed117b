"""What a snapshot of an order adds to what is recorded: a status, and the fills between the two totals. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from services.executor.broker.outcomes import BrokerOrder, Fill
from services.executor.state.book import Execution
from services.executor.state.entries import ZERO
from services.executor.state.statuses import TRANSITIONS, execution_status
from tradetrail.events.generated import OrderStatus

# As fine as the log keeps a price.
_PRICE_STEP = Decimal("1e-9")


def status_by(execution: Execution, order: BrokerOrder) -> OrderStatus:
    """Return the execution's status by a snapshot; one that lags behind what is known changes nothing."""
    status = execution_status(order.status, is_partly_filled=order.filled_qty > 0)
    if status not in TRANSITIONS[execution.status]:
        return execution.status
    return status


def says_something_new(execution: Execution, order: BrokerOrder) -> bool:
    """Tell whether a snapshot differs from what is recorded."""
    status = status_by(execution, order)
    if order.filled_qty < execution.filled_qty_total:
        return False
    return (
        status is not execution.status
        or order.status != execution.broker_status
        or order.filled_qty != execution.filled_qty_total
    )


def fills_between(
    execution: Execution, order: BrokerOrder, known: Sequence[Fill]
) -> list[Fill] | None:
    """Return the fills that lead from the recorded total to the snapshot's, in order; None when one is missing."""
    return chain_between(execution.filled_qty_total, order.filled_qty, known)


def chain_between(before: Decimal, after: Decimal, known: Sequence[Fill]) -> list[Fill] | None:
    """Return the fills that lead from one total of an order to another, in order; None when one is missing."""
    chain: list[Fill] = []
    total = before
    for fill in sorted(known, key=lambda each: each.cumulative_qty):
        if fill.cumulative_qty - fill.qty == total and fill.cumulative_qty <= after:
            chain.append(fill)
            total = fill.cumulative_qty
    return chain if total == after else None


def fill_by_totals(execution: Execution, order: BrokerOrder) -> list[Fill]:
    """Return one fill for all that the totals grew by: when the broker tells no single fills.

    Its price is what the averages say; None when they say nothing that a price can be.
    """
    qty = order.filled_qty - execution.filled_qty_total
    if qty <= 0:
        return []
    price = price_between(execution, order.filled_qty, order.filled_avg_price)
    return [Fill(order.order_id, order.filled_qty, qty, price, order.updated_at)]


def price_between(execution: Execution, total: Decimal, average: Decimal | None) -> Decimal | None:
    """Return the price of what the total grew by, USD a share; ``average`` is that of all ``total`` shares."""
    is_untold = execution.filled_qty_total and execution.filled_avg_price is None
    if average is None or is_untold:
        return None
    before = (execution.filled_avg_price or ZERO) * execution.filled_qty_total
    price = (average * total - before) / (total - execution.filled_qty_total)
    return price.quantize(_PRICE_STEP) if price > 0 else None
