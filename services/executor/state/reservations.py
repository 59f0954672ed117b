"""What orders hold of the account's limits: reserved by the intent, given back by the end. Pure.

Folded from the log beside the book, so that a restart and a takeover know the same. Three facts are kept apart: what a
day has used, what an open order may still take, and what the broker's last picture of the account can't show yet.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from weakref import WeakSet

from services.executor.settings import RATE_WINDOW_S_MAX
from services.executor.state.entries import ZERO, DayUse, Execution
from services.executor.state.statuses import TERMINAL, UNSETTLED
from tradetrail.events.generated import (
    FailureReason,
    OrderType,
    OrderUpdated,
    Side,
)
from tradetrail.sessions import new_york_date

_CENT = Decimal("0.01")


@dataclass(eq=False, slots=True, weakref_slot=True)
class Look:
    """The moment just before the broker was asked for a picture of the account: what came later isn't surely in it."""

    moment: int


@dataclass(slots=True)
class Reservation:
    """What one attempt holds; moments count what was folded. ``value_usd`` is the value its intent was checked at."""

    execution_id: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    value_usd: Decimal
    begun_on: date
    settled: int | None = None
    over: int | None = None
    fills: list[tuple[int, Decimal]] = field(default_factory=list)

    @property
    def filled_qty(self) -> Decimal:
        """Return the shares filled so far."""
        return self.fills[-1][1] if self.fills else ZERO

    @property
    def remaining_usd(self) -> Decimal:
        """Return the value of what is not filled, to the cent."""
        return self._usd(self.quantity - self.filled_qty)

    @property
    def kept_usd(self) -> Decimal:
        """Return the value of what may have been or may yet be traded: all of it, once it is over the filled part."""
        return self.value_usd if self.over is None else self.value_usd - self.remaining_usd

    def is_settled_at(self, look: Look) -> bool:
        """Tell whether the broker's answer to it was known at ``look``, and so its picture holds it."""
        return self.settled is not None and self.settled <= look.moment

    def unseen_qty(self, look: Look) -> Decimal:
        """Return the shares that a picture of the position may lack: traded since ``look``, or yet to be."""
        seen = ZERO
        for moment, total in self.fills:
            if moment <= look.moment:
                seen = total
        return (self.quantity if self.over is None else self.filled_qty) - seen

    def unseen_usd(self, look: Look) -> Decimal:
        """Return their value."""
        return self._usd(self.unseen_qty(look))

    def is_moving(self, look: Look) -> bool:
        """Tell whether a later picture will soon say more: its POST is under way, it is filling, or just did."""
        if not self.is_settled_at(look):
            return True
        if any(moment > look.moment for moment, _ in self.fills):
            return True
        return self.over is None and self.order_type is OrderType.MARKET

    def _usd(self, quantity: Decimal) -> Decimal:
        if quantity == self.quantity:
            return self.value_usd
        # Rounded down, so that parts never add up to more than the whole.
        return (self.value_usd * quantity / self.quantity).quantize(_CENT, ROUND_DOWN)


@dataclass(slots=True)
class Reservations:
    """Every reservation that matters now, by the log."""

    days: dict[date, DayUse] = field(default_factory=dict)
    _open: dict[str, Reservation] = field(default_factory=dict)
    _by_symbol: dict[str, dict[str, Reservation]] = field(default_factory=dict)
    _unsettled: dict[str, Reservation] = field(default_factory=dict)
    # What settled or ended since the oldest look that is still in use.
    _lately: deque[tuple[int, Reservation]] = field(default_factory=deque)
    _looks: WeakSet[Look] = field(default_factory=WeakSet)
    _begun_at: list[datetime] = field(default_factory=list)
    _moment: int = 0

    @property
    def moment(self) -> int:
        """Return the present moment: it moves on with everything that changes what is reserved."""
        return self._moment

    def begin(self, execution: Execution) -> None:
        """Reserve for an intent. Each intent once: the book knows repetitions."""
        self._moment += 1
        reservation = Reservation(
            execution_id=execution.execution_id,
            symbol=execution.symbol,
            side=execution.side,
            order_type=execution.order_type,
            quantity=execution.quantity,
            value_usd=execution.notional_usd,
            begun_on=new_york_date(execution.began_at),
        )
        self._open[execution.execution_id] = reservation
        self._unsettled[execution.execution_id] = reservation
        self._by_symbol.setdefault(execution.symbol, {})[execution.execution_id] = reservation
        use = self.days.setdefault(reservation.begun_on, DayUse())
        use.order_count += 1
        use.notional_usd += reservation.value_usd
        insort(self._begun_at, execution.began_at)
        oldest = self._begun_at[-1] - timedelta(seconds=RATE_WINDOW_S_MAX)
        del self._begun_at[: bisect_right(self._begun_at, oldest)]

    def update(self, event: OrderUpdated) -> None:
        """Take in what became of an order: an answer, a fill, its end."""
        reservation = self._open.get(event.execution_id)
        if reservation is None:
            return
        self._moment += 1
        if event.filled_qty_total > reservation.filled_qty:
            reservation.fills.append((self._moment, event.filled_qty_total))
        if event.status not in UNSETTLED and reservation.settled is None:
            reservation.settled = self._moment
            del self._unsettled[event.execution_id]
            self._note(reservation)
        if event.status in TERMINAL:
            self._end(reservation, was_sent=event.failure_reason is not FailureReason.NOT_SENT)

    def forget(self, before: datetime) -> None:
        """Drop the use of days that were over before ``before`` (UTC); open orders stay."""
        for day in [day for day in self.days if day < new_york_date(before)]:
            del self.days[day]

    def look(self) -> Look:
        """Return a mark to be taken just before the broker is asked for account and positions."""
        look = Look(self._moment)
        self._looks.add(look)
        oldest = min(each.moment for each in self._looks)
        while self._lately and self._lately[0][0] <= oldest:
            self._lately.popleft()
        return look

    def day_use(self, now: datetime) -> DayUse:
        """Return what the New York day of ``now`` has used so far, open orders whole."""
        return self.days.get(new_york_date(now), DayUse())

    def begun_within(self, now: datetime, window_s: int) -> int:
        """Return how many orders were begun in the ``window_s`` seconds up to ``now``; one as old as that is out."""
        return len(self._begun_at) - bisect_right(self._begun_at, now - timedelta(seconds=window_s))

    def open(self) -> Iterable[Reservation]:
        """Return the reservations of open orders, oldest first."""
        return self._open.values()

    def unsettled(self) -> Iterable[Reservation]:
        """Return those whose POST has no known outcome."""
        return self._unsettled.values()

    def not_in_buying_power(self, look: Look) -> Iterator[Reservation]:
        """Yield the buys that the broker's figure of ``look`` does not surely hold; each once."""
        found = dict(self._unsettled)
        found |= {each.execution_id: each for each in self._since(look)}
        for each in found.values():
            if each.side is Side.BUY and not each.is_settled_at(look):
                yield each

    def not_in_position(self, symbol: str, side: Side, look: Look) -> Iterator[Reservation]:
        """Yield the orders whose shares the position of ``look`` does not surely hold; each once."""
        found = dict(self._by_symbol.get(symbol, {}))
        found |= {each.execution_id: each for each in self._since(look)}
        for each in found.values():
            if each.symbol == symbol and each.side is side:
                yield each

    def _since(self, look: Look) -> Iterator[Reservation]:
        for moment, reservation in reversed(self._lately):
            if moment <= look.moment:
                return
            yield reservation

    def _end(self, reservation: Reservation, *, was_sent: bool) -> None:
        reservation.over = self._moment
        del self._open[reservation.execution_id]
        of_symbol = self._by_symbol[reservation.symbol]
        del of_symbol[reservation.execution_id]
        if not of_symbol:
            del self._by_symbol[reservation.symbol]
        self._note(reservation)
        use = self.days.get(reservation.begun_on)
        if use is not None:
            use.notional_usd -= reservation.remaining_usd
            use.order_count -= not was_sent

    def _note(self, reservation: Reservation) -> None:
        if len(self._looks):
            self._lately.append((self._moment, reservation))
