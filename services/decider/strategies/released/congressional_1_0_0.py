"""CongressionalTradingStrategy 1.0.0, as it was released: only a replay runs it, and nothing here changes any more.

Follow members of Congress who disclose the same kind of trade.

Rules, in order:
1. usable: only disclosed purchases and sales of stock with readable dates count; an exchange has no direction.
2. direction: the new records that set off no trade yet decide the side; as much weight on either side is no direction.
3. member weight: a member counts once, with the largest band disclosed in the look-back (a bigger commitment says
   more than many small ones), times a factor for the filing delay (old news moved the price already).
4. opposition: members who disclosed the opposite take half their weight away.
5. consensus: from ``consensus_members`` distinct members on, one point more: independent people agree.
6. threshold: strength under ``strength_min`` is no signal.
Confidence is the agreeing share of all weight times 1 - 0.5^members: one member alone is worth one half.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.decider.signals.order_shape import OrderSettings
from services.decider.signals.signal import Signal, rule_result
from services.decider.views.view import Disclosure, Trigger, View
from tradetrail.events.generated import DeclineReason, Direction, RecordKind, Side
from tradetrail.sessions import new_york_date

# Rows that can't carry a direction in time or in the stock itself.
_UNUSABLE = frozenset({"impossible_date", "unreadable_date", "not_a_stock", "several_tickers"})
# Lower bound of the disclosed band in USD → weight. Bands grow about threefold, so weights grow by even steps.
_BANDS = (
    (Decimal(1_000_000), Decimal("3.5")),
    (Decimal(250_000), Decimal(3)),
    (Decimal(100_000), Decimal("2.5")),
    (Decimal(50_000), Decimal(2)),
    (Decimal(15_000), Decimal("1.5")),
)
_ONE, _HALF, _TEN = Decimal(1), Decimal("0.5"), Decimal(10)
# Six digits are far finer than any threshold and keep the recorded numbers readable.
_GRAIN = Decimal("0.000001")
_OPPOSITE = {Side.BUY: Direction.SELL, Side.SELL: Direction.BUY}
_SAME = {Side.BUY: Direction.BUY, Side.SELL: Direction.SELL}


class CongressionalSettings(OrderSettings):
    """Thresholds of the strategy, each with its unit."""

    model_config = SettingsConfigDict(env_prefix="TRADETRAIL_CONGRESSIONAL_", frozen=True)

    lookback_days: int = Field(
        default=45, ge=1, description="Days a disclosure counts, from its report."
    )
    strength_min: Decimal = Field(
        default=Decimal(2), description="Least strength (0 to 10) to trade on."
    )
    consensus_members: int = Field(
        default=2, ge=1, description="Distinct members that make a consensus."
    )
    prompt_days: int = Field(
        default=30, description="Filing delay in days that still counts in full."
    )
    late_days: int = Field(
        default=45, description="Filing delay in days after which a report counts half."
    )


class CongressionalTradingStrategy:
    """The rules above under one set of thresholds."""

    name = "CongressionalTradingStrategy"
    version = "1.0.0"
    data_sources = frozenset({"quiverquant_congress"})
    settings_type = CongressionalSettings

    def __init__(self, settings: CongressionalSettings) -> None:
        """Use these thresholds."""
        self._settings = settings

    @property
    def order(self) -> OrderSettings:
        """Return what its orders look like."""
        return self._settings

    def configuration(self) -> dict[str, Any]:
        """Return the thresholds and the shape of its orders."""
        return self._settings.model_dump(mode="json")

    def evaluate(self, view: View, trigger: Trigger) -> Signal:
        """Return the signal; see the module's rules."""
        since = new_york_date(trigger.occurred_at) - timedelta(days=self._settings.lookback_days)
        usable = [
            d for d in view.disclosures if _usable(d) and d.reported_on and d.reported_on >= since
        ]
        new = [d for d in usable if d.record_id in trigger.record_ids]
        if not new:
            return _none(
                DeclineReason.NO_SIGNAL, "none of the new records is a usable purchase or sale"
            )
        new = [d for d in new if d.record_id not in view.acted]
        if not new:
            return _none(
                DeclineReason.ALREADY_ACTED, "each new record already set off a trade", tuple(new)
            )
        side = _side(self._weights(new, Direction.BUY), self._weights(new, Direction.SELL))
        if side is None:
            return _none(
                DeclineReason.CONFLICTING_SIGNALS,
                "the new records weigh the same on both sides",
                tuple(new),
            )
        return self._signal(side, usable)

    def _signal(self, side: Side, usable: list[Disclosure]) -> Signal:
        agreeing = self._weights(usable, _SAME[side])
        opposing = self._weights(usable, _OPPOSITE[side])
        agree, oppose = sum(agreeing.values(), Decimal(0)), sum(opposing.values(), Decimal(0))
        consensus = len(agreeing) >= self._settings.consensus_members
        raw = agree - oppose * _HALF + (_ONE if consensus else Decimal(0))
        strength = min(max(raw, Decimal(0)), _TEN).quantize(_GRAIN)
        confidence = (agree / (agree + oppose) * (_ONE - _HALF ** len(agreeing))).quantize(_GRAIN)
        passed = strength >= self._settings.strength_min
        rules = (
            rule_result(
                "agreeing_weight", agree, None, True, f"{len(agreeing)} members disclosed a {side}"
            ),
            rule_result(
                "opposing_weight", oppose, None, not opposing, f"{len(opposing)} the opposite"
            ),
            rule_result(
                "consensus",
                Decimal(len(agreeing)),
                Decimal(self._settings.consensus_members),
                consensus,
                f"distinct members against {self._settings.consensus_members}",
            ),
            rule_result(
                "strength",
                strength,
                self._settings.strength_min,
                passed,
                "strength against its least",
            ),
        )
        return Signal(
            side=side,
            strength=strength,
            confidence=confidence,
            trigger_event=f"congressional_{side}",
            used=tuple(usable),
            consensus=consensus,
            rules=rules,
            decline=None if passed else DeclineReason.BELOW_THRESHOLD,
            text="" if passed else f"strength {strength} is below {self._settings.strength_min}",
        )

    def _weights(self, disclosures: list[Disclosure], direction: Direction) -> dict[str, Decimal]:
        weights: dict[str, Decimal] = {}
        for each in disclosures:
            if each.direction == direction:
                weights[each.person] = max(weights.get(each.person, Decimal(0)), self._weight(each))
        return weights

    def _weight(self, each: Disclosure) -> Decimal:
        low = each.amount_usd_min or Decimal(0)
        band = next((weight for bound, weight in _BANDS if low >= bound), _ONE)
        if each.transacted_on is None or each.reported_on is None:
            return band * _HALF
        delay_days = (each.reported_on - each.transacted_on).days
        if delay_days <= self._settings.prompt_days:
            return band
        return band * (Decimal("0.75") if delay_days <= self._settings.late_days else _HALF)


def _usable(each: Disclosure) -> bool:
    return (
        each.kind == RecordKind.CONGRESS
        and each.direction in (Direction.BUY, Direction.SELL)
        and not _UNUSABLE.intersection(each.flags)
    )


def _side(buys: dict[str, Decimal], sells: dict[str, Decimal]) -> Side | None:
    buy, sell = sum(buys.values(), Decimal(0)), sum(sells.values(), Decimal(0))
    if buy == sell:
        return None
    return Side.BUY if buy > sell else Side.SELL


def _none(reason: DeclineReason, text: str, used: tuple[Disclosure, ...] = ()) -> Signal:
    return Signal(None, Decimal(0), Decimal(0), "congressional", used, False, (), reason, text)


STRATEGY = CongressionalTradingStrategy
