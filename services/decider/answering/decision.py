"""From a signal and its context to the event that states the decision or why there is none. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.decider.contexts.context import Context
from services.decider.settings import DeciderSettings
from services.decider.signals.order_shape import (
    BUY_USD_MIN,
    limit_price_of,
    order_type_of,
    shares_of,
    time_in_force_of,
)
from services.decider.signals.signal import Signal, Strategy
from services.decider.views.view import Disclosure, Trigger, View
from tradetrail.events.generated import (
    DataLineage,
    DecisionDeclined,
    DecisionMade,
    DeclineReason,
    LogPosition,
    MarketContext,
    PortfolioContext,
    Rationale,
    RecordKind,
    Side,
    SourceData,
    SourceRecord,
)
from tradetrail.ids import derive_id
from tradetrail.log.stamp import Stamp
from tradetrail.reports.encode import plain


@dataclass(frozen=True, slots=True)
class Question:
    """What is being decided: one strategy on one trigger, with what it saw and what it made of it."""

    strategy: Strategy
    trigger: Trigger
    view: View
    signal: Signal
    reference_through: tuple[LogPosition, ...] = ()

    @property
    def decision_id(self) -> str:
        """Return the id: a function of trigger and strategy."""
        return str(derive_id("decision", self.trigger.place.event_id, self.strategy.name))

    @property
    def used(self) -> tuple[Disclosure, ...]:
        """Return the records the answer rests on: the signal's, or those that are too old to make one."""
        if self.signal.used or not is_stale(self.trigger):
            return self.signal.used
        return tuple(d for d in self.view.disclosures if d.record_id in self.trigger.stale)


@dataclass(frozen=True, slots=True)
class Making:
    """What stands on every answer: who decides, under which configuration, at what instant (UTC)."""

    stamp: Stamp
    settings: DeciderSettings
    configuration_hash: str
    now: datetime


def is_stale(trigger: Trigger) -> bool:
    """Tell whether none of the trigger's records may set off a trade any more, whatever a strategy makes of them."""
    return bool(trigger.stale) and not trigger.record_ids


def decline_before_context(question: Question) -> tuple[DeclineReason, str] | None:
    """Return why the view alone already rules a trade out, or None."""
    if question.view.incomplete:
        return DeclineReason.INCOMPLETE_VIEW, question.view.incomplete
    if is_stale(question.trigger):
        return DeclineReason.STALE_DISCLOSURES, question.trigger.stale_text
    if question.signal.decline:
        return question.signal.decline, question.signal.text
    return None


def decline_in_context(
    question: Question, context: Context, quantity: Decimal
) -> tuple[DeclineReason, str] | None:
    """Return why market or portfolio rule the trade out, or None."""
    symbol = question.trigger.symbol
    if context.market is None:
        return DeclineReason.NOT_TRADABLE, f"the market has no price of {symbol}"
    if question.signal.side == Side.SELL and context.existing_position <= 0:
        return DeclineReason.NO_POSITION, f"nothing of {symbol} is held; a sell would be a short"
    return _too_little(question, context, context.market.current_price, quantity)


def _too_little(
    question: Question, context: Context, price: Decimal, quantity: Decimal
) -> tuple[DeclineReason, str] | None:
    """Return why a quantity is too small to be ordered, or None."""
    is_whole = question.strategy.order.quantity == "whole"
    if question.signal.side == Side.SELL:
        if quantity > 0:
            return None
        held = f"{plain(context.existing_position)} shares are held, less than the one whole share that can be sold"
        return DeclineReason.ZERO_QUANTITY, held
    value = context.portfolio_value
    if quantity <= 0 and is_whole:
        return (
            DeclineReason.ZERO_QUANTITY,
            f"at {plain(price)} USD a share and a portfolio of {plain(value)} USD not one share fits",
        )
    if quantity * price < BUY_USD_MIN:
        text = (
            f"{quantity:f} shares at {plain(price)} USD and a portfolio of {plain(value)} USD are worth less than the "
            f"{BUY_USD_MIN} USD that the broker takes"
        )
        return DeclineReason.ZERO_QUANTITY, text
    return None


def limit_price(question: Question, context: Context) -> Decimal | None:
    """Return the order's limit by the last close, USD a share; None for a market order and without a price."""
    side = question.signal.side
    if side is None or context.market is None:
        return None
    return limit_price_of(question.strategy.order, side, context.market.current_price)


def quantity_of(question: Question, context: Context, settings: DeciderSettings) -> Decimal:
    """Return the shares to trade, whole or with up to nine decimals, as the strategy's orders are.

    A buy is worth ``position_fraction`` of the portfolio at the last price, or at its limit, whatever the live buying
    power: parallel symbols don't change each other's decisions. A sell leaves the position entirely.
    """
    shape = question.strategy.order
    if question.signal.side == Side.SELL:
        return shares_of(shape, context.existing_position)
    if context.market is None:
        return Decimal(0)
    price = limit_price(question, context) or context.market.current_price
    return shares_of(shape, context.portfolio_value * settings.position_fraction / price)


def made(question: Question, making: Making, context: Context, quantity: Decimal) -> DecisionMade:
    """Return the decision to trade."""
    side = question.signal.side
    if side is None:
        raise ValueError(f"decision {question.decision_id} has no side")
    return DecisionMade(
        **_answer(question, making, "decision-made"),
        side=side,
        quantity=quantity,
        order_type=order_type_of(question.strategy.order),
        limit_price=limit_price(question, context),
        time_in_force=time_in_force_of(question.strategy.order),
        rationale=rationale(question, context),
    )


def declined(
    question: Question,
    making: Making,
    why: tuple[DeclineReason, str],
    context: Context | None = None,
) -> DecisionDeclined:
    """Return the decline with its reason and all that was looked at."""
    return DecisionDeclined(
        **_answer(question, making, "decision-declined"),
        reason=why[0],
        reason_text=why[1],
        side=question.signal.side,
        rationale=rationale(question, context),
    )


def _answer(question: Question, making: Making, kind: str) -> dict[str, Any]:
    """Return what a decision and a decline have in common."""
    return {
        "event_id": str(derive_id(kind, question.decision_id)),
        **making.stamp.envelope(making.now),
        "cause": question.trigger.place,
        "symbol": question.trigger.symbol,
        "story_id": question.decision_id,
        "decision_id": question.decision_id,
        "strategy_name": question.strategy.name,
        "strategy_version": question.strategy.version,
        "view_through": question.trigger.place.offset,
        "batch_id": question.trigger.run.run_id,
        "configuration_hash": making.configuration_hash,
        "reference_through": question.reference_through,
    }


def rationale(question: Question, context: Context | None) -> Rationale:
    """Return everything that went into the answer."""
    signal = question.signal
    market, portfolio = contexts_of(context)
    return Rationale(
        signal_strength=signal.strength,
        confidence_score=signal.confidence,
        trigger_event=signal.trigger_event,
        source_data=SourceData(
            records=tuple(_source(each) for each in question.used),
            politician_names=_names(question.used, RecordKind.CONGRESS),
            insider_names=_names(question.used, RecordKind.INSIDER),
            trade_dates=tuple(sorted({d.transacted_on for d in question.used if d.transacted_on})),
            consensus_detected=signal.consensus,
        ),
        market_context=market,
        portfolio_context=portfolio,
        data_lineage=_lineage(question),
        reference_facts=signal.facts,
        rules=signal.rules,
    )


def contexts_of(
    context: Context | None,
) -> tuple[MarketContext | None, PortfolioContext | None]:
    """Return market and portfolio as the rationale has them."""
    if context is None:
        return None, None
    portfolio = PortfolioContext(
        existing_position=context.existing_position,
        buying_power=context.buying_power,
        portfolio_value=context.portfolio_value,
        api_call_ids=context.call_ids,
    )
    if context.market is None:
        return None, portfolio
    market = MarketContext(
        current_price=context.market.current_price,
        price_as_of=context.market.price_as_of,
        volume_20d_avg=context.market.volume_20d_avg,
        volatility=context.market.volatility,
        api_call_ids=context.market.call_ids,
    )
    return market, portfolio


def _names(used: Sequence[Disclosure], kind: RecordKind) -> tuple[str, ...]:
    return tuple(sorted({each.person for each in used if each.kind == kind}))


def _source(each: Disclosure) -> SourceRecord:
    return SourceRecord(
        record_id=each.record_id,
        version=each.version,
        topic=each.place.topic,
        partition=each.place.partition,
        offset=each.place.offset,
        event_id=each.place.event_id,
        run_id=each.run_id,
        person=each.person,
        direction=each.direction,
        transacted_on=each.transacted_on,
        reported_on=each.reported_on,
        amount_usd_min=each.amount_usd_min,
        amount_usd_max=each.amount_usd_max,
    )


def _lineage(question: Question) -> DataLineage:
    ids = {each.run_id for each in question.used} | {question.trigger.run.run_id}
    known = [question.view.runs[run_id] for run_id in ids if run_id in question.view.runs]
    return DataLineage(
        ingestion_runs=tuple(sorted(known, key=lambda r: (r.completed_at, r.run_id)))
    )
