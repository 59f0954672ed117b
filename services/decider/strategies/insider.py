"""CorporateInsiderStrategy: follow insiders who buy, or sell, their own company's shares on the open market.

Rules, in order; docs/strategies.md gives each with its reason:
1. usable lots: only Form 4 codes P (purchase) and S (sale), with a price, shares and possible days. Grants, exercises,
   conversions, withheld tax and gifts are pay or paperwork. AcquiredDisposedCode is not read: its A is no purchase.
2. one owner a trade: equal lots (day, shares, price) of several owners are one trade; the weightiest role keeps it.
3. trades: the lots of one person, side and report add up; a trade under ``value_usd_min`` is left out.
4. trade weight: role, times value, times part of the holding, times filing delay; a sale times ``sale_factor``.
5. followed once: a new trade no heavier than one of the same insider and side that set off a trade sets off none.
6. direction: the other new trades decide the side by weight; as much on either side is no direction.
7. an insider counts once, with the weightiest trade; insiders on the other side take half their weight away.
8. cluster: from ``cluster_insiders`` distinct buyers on, one point more; sellers get none.
9. threshold: strength under ``strength_min`` is no signal.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.decider.signals.insider_trades import (
    SIDES,
    LotKey,
    Trade,
    delay_days_of,
    heaviest,
    holding_fraction_of,
    is_open_market,
    listed,
    lot_key,
    person_of,
    side_of,
    stronger,
    usd,
    value_usd_of,
)
from services.decider.signals.officer_titles import heads_company
from services.decider.signals.order_shape import OrderSettings
from services.decider.signals.signal import Signal, rule_result
from services.decider.views.view import Disclosure, Trigger, View
from tradetrail.events.generated import DeclineReason, RecordKind, RuleResult, Side
from tradetrail.sessions import new_york_date

# Days that a report may seem to lie ahead: its date may be in UTC, ours is New York's.
_AHEAD = timedelta(days=1)
_ZERO, _ONE, _HALF, _TEN = Decimal(0), Decimal(1), Decimal("0.5"), Decimal(10)
_GRAIN = Decimal("0.000001")


class InsiderSettings(OrderSettings):
    """Thresholds of the strategy, each with its unit."""

    model_config = SettingsConfigDict(env_prefix="TRADETRAIL_INSIDER_", frozen=True)

    lookback_days: int = Field(
        default=30, ge=1, description="Days a trade counts, from its report."
    )
    strength_min: Decimal = Field(
        default=Decimal(3), gt=0, le=10, description="Least strength (0 to 10) to trade on."
    )
    cluster_insiders: int = Field(
        default=2, ge=1, description="Distinct insiders that make a cluster."
    )
    value_usd_min: Decimal = Field(
        default=Decimal(10_000), ge=0, description="Least value of a trade that counts, USD."
    )
    value_usd_medium: Decimal = Field(
        default=Decimal(50_000), ge=0, description="Value from which a trade counts in full, USD."
    )
    value_usd_large: Decimal = Field(
        default=Decimal(250_000), ge=0, description="Value from which it counts 1.5 times, USD."
    )
    value_usd_huge: Decimal = Field(
        default=Decimal(1_000_000), ge=0, description="Value from which it counts twice, USD."
    )
    holding_fraction_small: Decimal = Field(
        default=Decimal("0.01"),
        ge=0,
        le=1,
        description="Part of the holding under which a trade counts three quarters.",
    )
    holding_fraction_large: Decimal = Field(
        default=Decimal("0.2"),
        ge=0,
        le=1,
        description="Part of the holding from which it counts 1.5 times.",
    )
    prompt_days: int = Field(
        default=4, ge=0, description="Filing delay in days that still counts in full."
    )
    late_days: int = Field(
        default=10, ge=0, description="Filing delay in days after which a report counts half."
    )
    sale_factor: Decimal = Field(
        default=Decimal("0.1"), gt=0, le=1, description="What a sale weighs, a purchase being 1."
    )
    chief_weight: Decimal = Field(
        default=Decimal(3), gt=0, le=10, description="Points of a company's CEO, CFO or president."
    )
    officer_weight: Decimal = Field(
        default=Decimal(2), gt=0, le=10, description="Points of any other officer."
    )
    director_weight: Decimal = Field(
        default=Decimal("1.5"), gt=0, le=10, description="Points of a director."
    )
    owner_weight: Decimal = Field(
        default=_ONE, gt=0, le=10, description="Points of a ten-percent owner, or an unknown role."
    )


class CorporateInsiderStrategy:
    """The rules above under one set of thresholds."""

    name = "CorporateInsiderStrategy"
    version = "1.0.0"
    data_sources = frozenset({"quiverquant_insider"})
    settings_type = InsiderSettings

    def __init__(self, settings: InsiderSettings) -> None:
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
        today = new_york_date(trigger.occurred_at)
        since = today - timedelta(days=self._settings.lookback_days)
        market = [d for d in view.disclosures if is_open_market(d)]
        usable = [d for d in market if d.reported_on and since <= d.reported_on <= today + _AHEAD]
        new = [d for d in usable if d.record_id in trigger.record_ids]
        if not new:
            return _none(DeclineReason.NO_SIGNAL, _unusable(view, trigger, since))
        acted = {lot_key(d) for d in market if d.record_id in view.acted}
        fresh = {lot_key(d) for d in new} - acted
        if not fresh:
            text = f"each of the {len(new)} new purchases and sales already set off a trade"
            return _none(DeclineReason.ALREADY_ACTED, text, new)
        trades = self._trades(usable)
        least = self._settings.value_usd_min
        asked = [t for t in trades if any(lot_key(d) in fresh for d in t.lots)]
        large = [t for t in asked if t.value_usd >= least]
        if not large:
            most = max(t.value_usd for t in asked)
            text = f"the largest new trade is worth {usd(most)}, below {usd(least)}"
            rules = (rule_result("trade_value_usd", most, least, False, text),)
            return _none(DeclineReason.BELOW_THRESHOLD, text, usable, rules)
        followed = [t for t in trades if any(d.record_id in view.acted for d in t.lots)]
        heavier = stronger(large, followed)
        if not heavier:
            text = f"trades as heavy of the same insiders already set off a trade: {listed(large)}"
            return _none(DeclineReason.ALREADY_ACTED, text, usable)
        side = side_of(heavier)
        if side is None:
            text = f"the new trades weigh the same on both sides: {listed(heaviest(heavier))}"
            return _none(DeclineReason.CONFLICTING_SIGNALS, text, usable)
        return self._signal(side, [t for t in trades if t.value_usd >= least], usable)

    def _trades(self, usable: Iterable[Disclosure]) -> list[Trade]:
        """Return the trades that lots add up to; of several owners of a lot the weightiest role keeps it."""
        lots = sorted(usable, key=lambda d: d.place.offset)
        owner: dict[LotKey, tuple[Decimal, str]] = {}
        for lot in lots:
            claim = (-self._role_weight(lot), person_of(lot))
            owner[lot_key(lot)] = min(owner.get(lot_key(lot), claim), claim)
        grouped: dict[tuple[str, str, date | None], list[Disclosure]] = defaultdict(list)
        for lot in lots:
            if owner[lot_key(lot)][1] == person_of(lot):
                grouped[person_of(lot), lot.transaction_type, lot.reported_on].append(lot)
        return [self._trade(tuple(each)) for each in grouped.values()]

    def _trade(self, lots: tuple[Disclosure, ...]) -> Trade:
        side, value = SIDES[lots[0].transaction_type], value_usd_of(lots)
        weight = (
            max(self._role_weight(lot) for lot in lots)
            * self._value_factor(value)
            * self._holding_factor(holding_fraction_of(lots))
            * self._delay_factor(delay_days_of(lots))
        )
        if side == Side.SELL:
            weight *= self._settings.sale_factor
        return Trade(lots[0].person, side, lots, weight, value)

    def _role_weight(self, lot: Disclosure) -> Decimal:
        settings = self._settings
        if lot.is_officer or (lot.is_officer is None and lot.officer_title):
            is_head = heads_company(lot.officer_title or "")
            return settings.chief_weight if is_head else settings.officer_weight
        return settings.director_weight if lot.is_director else settings.owner_weight

    def _value_factor(self, value_usd: Decimal) -> Decimal:
        settings = self._settings
        if value_usd >= settings.value_usd_huge:
            return Decimal(2)
        if value_usd >= settings.value_usd_large:
            return Decimal("1.5")
        return _ONE if value_usd >= settings.value_usd_medium else _HALF

    def _holding_factor(self, fraction: Decimal | None) -> Decimal:
        if fraction is None:
            return _ONE
        if fraction >= self._settings.holding_fraction_large:
            return Decimal("1.5")
        return _ONE if fraction >= self._settings.holding_fraction_small else Decimal("0.75")

    def _delay_factor(self, delay_days: int) -> Decimal:
        if delay_days <= self._settings.prompt_days:
            return _ONE
        return Decimal("0.75") if delay_days <= self._settings.late_days else _HALF

    def _signal(self, side: Side, trades: list[Trade], usable: list[Disclosure]) -> Signal:
        settings = self._settings
        agreeing = heaviest(t for t in trades if t.side == side)
        opposing = heaviest(t for t in trades if t.side != side)
        agree = sum((t.weight for t in agreeing), _ZERO)
        oppose = sum((t.weight for t in opposing), _ZERO)
        count = len(agreeing)
        is_cluster = count >= settings.cluster_insiders
        raw = agree - oppose * _HALF
        confidence = agree / (agree + oppose) * (_ONE - _HALF**count)
        if side == Side.BUY and is_cluster:
            raw += _ONE
        if side == Side.SELL:
            confidence *= settings.sale_factor
        strength = min(max(raw, _ZERO), _TEN).quantize(_GRAIN)
        passed = strength >= settings.strength_min
        least = Decimal(settings.cluster_insiders)
        rules = (
            rule_result("agreeing_weight", agree, None, True, listed(agreeing)),
            rule_result("opposing_weight", oppose, None, not opposing, listed(opposing)),
            rule_result(
                "cluster", Decimal(count), least, is_cluster, f"distinct insiders on a {side}"
            ),
            rule_result(
                "strength", strength, settings.strength_min, passed, "strength against its least"
            ),
        )
        return Signal(
            side=side,
            strength=strength,
            confidence=confidence.quantize(_GRAIN),
            trigger_event=f"insider_{side}",
            used=_in_log_order(usable),
            consensus=is_cluster,
            rules=rules,
            decline=None if passed else DeclineReason.BELOW_THRESHOLD,
            text="" if passed else f"strength {strength} is below {settings.strength_min}",
        )


def _unusable(view: View, trigger: Trigger, since: date) -> str:
    """Return why none of the new records is usable: their codes and what is odd about them, counted."""
    asked = [d for d in view.disclosures if d.record_id in trigger.record_ids]
    new = [d for d in asked if d.kind == RecordKind.INSIDER]
    codes = _counts(d.transaction_type or "none" for d in new)
    flags = _counts(flag for d in new if d.transaction_type in SIDES for flag in d.flags)
    return (
        f"none of {len(new)} new records is a usable open-market purchase (P) or sale (S) reported since {since}"
        + (f"; codes: {codes}" if codes else "")
        + (f"; flags of P and S: {flags}" if flags else "")
    )


def _counts(words: Iterable[str]) -> str:
    return ", ".join(f"{word} {count}" for word, count in sorted(Counter(words).items()))


def _in_log_order(lots: Iterable[Disclosure]) -> tuple[Disclosure, ...]:
    return tuple(sorted(lots, key=lambda d: d.place.offset))


def _none(
    reason: DeclineReason,
    text: str,
    used: Iterable[Disclosure] = (),
    rules: tuple[RuleResult, ...] = (),
) -> Signal:
    return Signal(None, _ZERO, _ZERO, "insider", _in_log_order(used), False, rules, reason, text)


STRATEGY = CorporateInsiderStrategy
