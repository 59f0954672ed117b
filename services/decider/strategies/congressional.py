"""CongressionalTradingStrategy: follow members of Congress who disclose the same kind of trade.

Rules, in order:
1. usable: only disclosed purchases and sales of stock with readable dates count; an exchange has no direction.
2. direction: the new records that set off no trade yet decide the side; as much weight on either side is no direction.
3. member weight: a member counts once, with the largest band disclosed in the look-back (a bigger commitment says
   more than many small ones), times a factor for the filing delay (old news moved the price already). A member is known
   by BioGuide id where there is one: names are spelled in several ways.
4. committee relevance: a member who, when the trigger occurred, sat on a committee whose jurisdiction covers the
   company's sector weighs ``committee_factor`` times as much, on either side: who makes the rules hears of them first.
   Without a known sector, or a seat, the factor is 1.
5. opposition: members who disclosed the opposite take half their weight away.
6. consensus: from ``consensus_members`` distinct members on, one point more: independent people agree.
7. threshold: strength under ``strength_min`` is no signal.
Confidence is the agreeing share of all weight times 1 - 0.5^members: one member alone is worth one half.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.decider.signals.jurisdictions import COMMITTEE_SECTORS, Relevance, relevance_of
from services.decider.signals.order_shape import OrderSettings
from services.decider.signals.signal import Signal, rule_result
from services.decider.views.view import Disclosure, Trigger, View
from tradetrail.events.generated import (
    DeclineReason,
    Direction,
    RecordKind,
    RuleResult,
    Side,
)
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


# Four letters, a subcommittee's with two digits more.
CommitteeId = Annotated[str, Field(pattern=r"^[A-Z]{4}([0-9]{2})?$")]


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
    committee_factor: Decimal = Field(
        default=Decimal("1.5"),
        ge=1,
        le=10,
        description="What a member weighs whose committee covers the company's sector, others being 1.",
    )
    committee_sectors: dict[CommitteeId, tuple[str, ...]] = Field(
        default=dict(COMMITTEE_SECTORS),
        description="JSON object: committee id → sectors that its jurisdiction covers; subcommittees by their own id "
        "or their committee's.",
    )


class CongressionalTradingStrategy:
    """The rules above under one set of thresholds."""

    name = "CongressionalTradingStrategy"
    version = "1.1.0"
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
            told = sum(
                d.kind == RecordKind.CONGRESS and d.record_id in trigger.record_ids
                for d in view.disclosures
            )
            return _none(
                DeclineReason.NO_SIGNAL,
                "none of the new records is a usable purchase or sale",
                _counted("usable_records", 0, f"of {told} new records"),
            )
        fresh = [d for d in new if d.record_id not in view.acted]
        if not fresh:
            return _none(
                DeclineReason.ALREADY_ACTED,
                "each new record already set off a trade",
                _counted("fresh_records", 0, f"of {len(new)} usable new records"),
                tuple(new),
            )
        relevance = self._relevance(view, usable)
        buys = self._weights(fresh, Direction.BUY, relevance)
        sells = self._weights(fresh, Direction.SELL, relevance)
        side = _side(buys, sells)
        if side is None:
            alone = self._relevance(view, fresh)
            return Signal(
                side=None,
                strength=Decimal(0),
                confidence=Decimal(0),
                trigger_event="congressional",
                used=tuple(fresh),
                consensus=False,
                rules=(
                    _side_weight("buying_weight", buys),
                    _side_weight("selling_weight", sells),
                    alone.rule(buys, sells, self._settings.committee_factor),
                ),
                decline=DeclineReason.CONFLICTING_SIGNALS,
                text="the new records weigh the same on both sides",
                facts=alone.facts,
            )
        return self._signal(side, usable, relevance)

    def _relevance(self, view: View, disclosures: Iterable[Disclosure]) -> Relevance:
        members = {d.person_id for d in disclosures if d.person_id}
        return relevance_of(view.reference, members, self._settings.committee_sectors)

    def _signal(self, side: Side, usable: list[Disclosure], relevance: Relevance) -> Signal:
        agreeing = self._weights(usable, _SAME[side], relevance)
        opposing = self._weights(usable, _OPPOSITE[side], relevance)
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
            relevance.rule(agreeing, opposing, self._settings.committee_factor),
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
            facts=relevance.facts,
        )

    def _weights(
        self, disclosures: list[Disclosure], direction: Direction, relevance: Relevance
    ) -> dict[str, Decimal]:
        """Return the weight of each member who disclosed that direction, by id or else by name."""
        weights: dict[str, Decimal] = {}
        for each in disclosures:
            if each.direction == direction:
                member = each.person_id or each.person
                weights[member] = max(weights.get(member, Decimal(0)), self._weight(each))
        factor = self._settings.committee_factor
        return {
            member: weight * factor if member in relevance.seats else weight
            for member, weight in weights.items()
        }

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


def _none(
    reason: DeclineReason, text: str, rule: RuleResult, used: tuple[Disclosure, ...] = ()
) -> Signal:
    return Signal(None, Decimal(0), Decimal(0), "congressional", used, False, (rule,), reason, text)


def _counted(name: str, count: int, explanation: str) -> RuleResult:
    return rule_result(name, Decimal(count), _ONE, count > 0, explanation)


def _side_weight(name: str, weights: dict[str, Decimal]) -> RuleResult:
    total = sum(weights.values(), Decimal(0))
    return rule_result(name, total, None, False, f"{len(weights)} members of the new records")


STRATEGY = CongressionalTradingStrategy
