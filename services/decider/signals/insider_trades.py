"""What insiders' lots add up to: which are open-market trades, which are the same one, how much of a holding. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.decider.views.view import Disclosure
from tradetrail.events.generated import RecordKind, Side

# Form 4's only codes for an open-market trade. The AcquiredDisposedCode says nothing of the kind: a grant is an A too.
SIDES = {"P": Side.BUY, "S": Side.SELL}
# Rows whose day, stock, price or owner can't be believed; on a weekend no market is open.
UNUSABLE = frozenset(
    {
        "impossible_date",
        "unreadable_date",
        "negative_lag",
        "weekend_trade",
        "not_a_stock",
        "several_tickers",
        "price_missing",
        "price_implausible",
        "unknown_person",
    }
)
# Insiders named in an explanation; a company has more of them than a sentence has room.
NAMED_MAX = 5
_ZERO = Decimal(0)

LotKey = tuple[str, date | None, Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class Trade:
    """The lots of one insider's report on one side, added up, and what they weigh."""

    person: str
    side: Side
    lots: tuple[Disclosure, ...]
    weight: Decimal
    value_usd: Decimal


def is_open_market(each: Disclosure) -> bool:
    """Tell whether a disclosure is a lot bought or sold on the open market that can be believed."""
    return (
        each.kind == RecordKind.INSIDER
        and each.transaction_type in SIDES
        and (each.shares or _ZERO) > 0
        and (each.price_usd or _ZERO) > 0
        and each.transacted_on is not None
        and each.reported_on is not None
        and each.transacted_on <= each.reported_on
        and not UNUSABLE.intersection(each.flags)
    )


def person_of(lot: Disclosure) -> str:
    """Return who traded, however the name is spaced and capitalised."""
    return " ".join(lot.person.casefold().split())


def lot_key(lot: Disclosure) -> LotKey:
    """Return what makes lots of several owners one trade: side, day, shares, price."""
    return (lot.transaction_type, lot.transacted_on, lot.shares or _ZERO, lot.price_usd or _ZERO)


def value_usd_of(lots: Iterable[Disclosure]) -> Decimal:
    """Return what lots are worth together, USD."""
    return sum(((lot.shares or _ZERO) * (lot.price_usd or _ZERO) for lot in lots), _ZERO)


def delay_days_of(lots: Iterable[Disclosure]) -> int:
    """Return the days between a report and its oldest lot."""
    days = [
        (d.reported_on - d.transacted_on).days for d in lots if d.reported_on and d.transacted_on
    ]
    return max(days, default=0)


def holding_fraction_of(lots: Sequence[Disclosure]) -> Decimal | None:
    """Return the part of the holding that one side's lots are: of what is held after a purchase, or was before a sale.

    Directly and indirectly owned shares are counted apart on the form, and are added up here. None when the form does
    not tell, or tells of less than was traded.
    """
    held = _ZERO
    for form in sorted({lot.ownership or "" for lot in lots}):
        of_form = [lot for lot in lots if (lot.ownership or "") == form]
        after = [d.shares_owned_following for d in of_form if d.shares_owned_following is not None]
        if not after:
            return None
        is_purchase = SIDES[of_form[0].transaction_type] == Side.BUY
        held += max(after) if is_purchase else min(after) + _shares(of_form)
    traded = _shares(lots)
    return traded / held if held >= traded > 0 else None


def heaviest(trades: Iterable[Trade]) -> list[Trade]:
    """Return each person's weightiest trade, the weightiest first."""
    ordered = sorted(trades, key=lambda t: (-t.weight, t.person, t.lots[0].place.offset))
    by_person: dict[str, Trade] = {}
    for trade in ordered:
        by_person.setdefault(person_of(trade.lots[0]), trade)
    return list(by_person.values())


def stronger(trades: Iterable[Trade], acted: Iterable[Trade]) -> list[Trade]:
    """Return the trades that weigh more than any of the same person and side that set off a trade."""
    most: dict[tuple[str, Side], Decimal] = {}
    for each in acted:
        key = (person_of(each.lots[0]), each.side)
        most[key] = max(most.get(key, _ZERO), each.weight)
    return [t for t in trades if t.weight > most.get((person_of(t.lots[0]), t.side), _ZERO)]


def side_of(trades: Sequence[Trade]) -> Side | None:
    """Return the side that weighs more, each person counted once on either; None when they weigh the same."""
    weights = {
        side: sum((t.weight for t in heaviest(t for t in trades if t.side == side)), _ZERO)
        for side in (Side.BUY, Side.SELL)
    }
    if weights[Side.BUY] == weights[Side.SELL]:
        return None
    return Side.BUY if weights[Side.BUY] > weights[Side.SELL] else Side.SELL


def listed(trades: Sequence[Trade]) -> str:
    """Return whose trades these are in words, the first few by name, value and weight."""
    named = [f"{t.person} ({t.side} {usd(t.value_usd)}, {t.weight:f})" for t in trades[:NAMED_MAX]]
    if len(trades) > NAMED_MAX:
        named.append(f"and {len(trades) - NAMED_MAX} more")
    return f"{len(trades)} insiders" + (f": {'; '.join(named)}" if named else "")


def usd(value: Decimal) -> str:
    """Return an amount to the dollar."""
    return f"{value:.0f} USD"


def _shares(lots: Iterable[Disclosure]) -> Decimal:
    return sum((lot.shares or _ZERO for lot in lots), _ZERO)
