"""What is odd about an order that is open at the broker, in words for /health and the log."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal

import structlog

from services.executor import metrics
from services.executor.state.book import Execution
from services.executor.state.entries import ZERO
from services.executor.state.statuses import execution_status

# Words of an order's life at the broker. Source: Alpaca's reference of orders and of its stream.
KNOWN_WORDS = frozenset(
    {
        *("new", "partially_filled", "filled", "done_for_day", "canceled", "expired", "replaced"),
        *("pending_cancel", "pending_replace", "pending_review", "accepted", "pending_new"),
        *("accepted_for_bidding", "stopped", "rejected", "suspended", "calculated", "held"),
    }
)
# Corrected orders that /health names; more are in the log.
CORRECTED_MAX = 100
log = structlog.get_logger(__name__)

FORGOTTEN = (
    "the broker does not know it (404), though it accepted it: ask the broker what became of it, and settle it with "
    "`tradetrail order resolve` if it stays so"
)


def trouble_of(
    broker_status: str, filled_qty: Decimal = ZERO, recorded_qty: Decimal = ZERO
) -> str | None:
    """Return what is odd about an order in this state; None when nothing is.

    ``filled_qty`` is what the broker says, ``recorded_qty`` what the log has: shares.
    """
    if filled_qty < recorded_qty:
        return (
            f"the broker says {filled_qty} shares are filled, the log has {recorded_qty}: one was taken back, or the "
            "answer lags behind"
        )
    if broker_status == "pending_cancel":
        return "its cancellation is asked for and not confirmed (pending_cancel): it may still fill"
    if broker_status == "suspended":
        return "the broker suspended it"
    if broker_status not in KNOWN_WORDS:
        meant = execution_status(broker_status, is_partly_filled=False)
        return f"the broker's word {broker_status!r} is unknown to us: it counts as {meant}, open"
    return None


@dataclass(slots=True)
class Troubles:
    """What is odd about open orders, by execution id; and ``corrected``: orders whose fills the broker changed."""

    known: dict[str, str] = field(default_factory=dict)
    corrected: OrderedDict[str, str] = field(default_factory=OrderedDict)

    @property
    def told(self) -> dict[str, str]:
        """Return all of it, a correction first."""
        return self.known | self.corrected

    def correct(self, execution: Execution, trouble: str) -> None:
        """Note that a fill of an order was changed: it stays noted, whatever becomes of the order."""
        self.corrected[execution.execution_id] = trouble
        while len(self.corrected) > CORRECTED_MAX:
            self.corrected.popitem(last=False)
        metrics.TROUBLED.set(len(self.told))

    def note(self, execution: Execution, trouble: str | None) -> None:
        """Note what is odd about an order, and log it when it is new; None ends it."""
        each_id = execution.execution_id
        if trouble is None:
            self.known.pop(each_id, None)
        elif self.known.get(each_id) != trouble:
            self.known[each_id] = trouble
            log.error(
                "an order needs a look",
                trouble=trouble,
                symbol=execution.symbol,
                execution_id=each_id,
                broker_order_id=execution.broker_order_id,
            )
        metrics.TROUBLED.set(len(self.told))

    def keep(self, execution_ids: AbstractSet[str]) -> None:
        """Forget orders that aren't among ``execution_ids``: they are over."""
        for each_id in self.known.keys() - execution_ids:
            del self.known[each_id]
        metrics.TROUBLED.set(len(self.told))
