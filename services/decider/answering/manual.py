"""A person's order, answered as a signal is, but without a strategy: once a key, in the context it met. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from services.decider.answering.decision import Making, contexts_of
from services.decider.contexts.context import Context
from services.decider.signals.order_shape import BUY_USD_MIN
from services.decider.signals.signal import rule_result
from services.decider.views.manual_acts import ManualQuestion, ManualTrigger, Reason
from tradetrail.events.generated import (
    DataLineage,
    DecisionDeclined,
    DecisionMade,
    DeclineReason,
    Rationale,
    RuleResult,
    Side,
    SourceData,
)
from tradetrail.ids import derive_id
from tradetrail.manual_orders import STRATEGY, VERSION, Submission
from tradetrail.reports.encode import plain

# A person's order is meant for now and is no opinion to be weighed: nothing that waits goes before it.
STRENGTH, CONFIDENCE = Decimal(10), Decimal(1)
_CENT = Decimal("0.01")


def answer(
    question: ManualQuestion, making: Making, context: Context
) -> DecisionMade | DecisionDeclined:
    """Return the decision, or the decline when market or portfolio rule it out."""
    trigger = question.trigger
    asked = trigger.submission
    if asked is None:
        raise ValueError(f"decision {question.decision_id} has no order")
    if why := decline_in_context(asked, context):
        return declined(question, making, why, context)
    order = asked.order
    return DecisionMade(
        **_answer(question, making, "decision-made"),
        side=order.side,
        quantity=order.quantity,
        order_type=order.order_type,
        limit_price=order.limit_price,
        time_in_force=order.time_in_force,
        rationale=_rationale(trigger, context),
        made_by=asked.operator,
        why=asked.why,
    )


def declined(
    question: ManualQuestion, making: Making, why: Reason, context: Context | None = None
) -> DecisionDeclined:
    """Return the decline with its reason and what was looked at."""
    asked = question.trigger.submission
    return DecisionDeclined(
        **_answer(question, making, "decision-declined"),
        reason=why[0],
        reason_text=why[1],
        side=asked.order.side if asked else None,
        rationale=_rationale(question.trigger, context),
    )


def decline_in_context(asked: Submission, context: Context) -> Reason | None:
    """Return why market or portfolio rule the order out, or None."""
    order, held = asked.order, context.existing_position
    if context.market is None:
        return DeclineReason.NOT_TRADABLE, f"the market has no price of {order.symbol}"
    if order.side == Side.SELL and held <= 0:
        text = f"nothing of {order.symbol} is held; a sell would be a short"
        return DeclineReason.NO_POSITION, text
    if order.side == Side.SELL and order.quantity > held:
        text = f"{order.quantity:f} shares are to be sold and {plain(held)} are held; the rest would be a short"
        return DeclineReason.NO_POSITION, text
    if order.side == Side.BUY and (value := _value_usd(asked, context)) < BUY_USD_MIN:
        text = f"{order.quantity:f} shares are worth {value} USD, less than the {BUY_USD_MIN} USD that the broker takes"
        return DeclineReason.ZERO_QUANTITY, text
    return None


def rules_of(trigger: ManualTrigger, context: Context | None) -> tuple[RuleResult, ...]:
    """Return what was held against what, in order."""
    rules = []
    if trigger.incomplete is not None:
        text = f"{trigger.incomplete}; a person's order goes on all the same"
        rules.append(RuleResult(rule="complete_view", passed=False, explanation=text))
    asked = trigger.submission
    if asked is None or context is None or context.market is None:
        return tuple(rules)
    order, held = asked.order, context.existing_position
    if order.side == Side.SELL:
        text = f"{order.quantity:f} shares are to be sold, {plain(held)} are held"
        enough = order.quantity <= held
        rules.append(rule_result("position", order.quantity, held, enough, text))
    else:
        value = _value_usd(asked, context)
        text = f"the order is worth {value} USD, the broker takes {BUY_USD_MIN} USD and more"
        rules.append(rule_result("value", value, BUY_USD_MIN, value >= BUY_USD_MIN, text))
    return tuple(rules)


def _value_usd(asked: Submission, context: Context) -> Decimal:
    """Return what the order is worth at its limit, else at the last close, to the cent."""
    last = context.market.current_price if context.market else Decimal(0)
    price = asked.order.limit_price or last
    return (asked.order.quantity * price).quantize(_CENT)


def _answer(question: ManualQuestion, making: Making, kind: str) -> dict[str, Any]:
    """Return what a decision and a decline have in common."""
    trigger = question.trigger
    return {
        "event_id": str(derive_id(kind, question.decision_id)),
        **making.stamp.envelope(making.now),
        "cause": trigger.place,
        "symbol": trigger.symbol,
        "story_id": question.decision_id,
        "decision_id": question.decision_id,
        "strategy_name": STRATEGY,
        "strategy_version": VERSION,
        "view_through": trigger.place.offset,
        "batch_id": None,
        "configuration_hash": making.configuration_hash,
    }


def _rationale(trigger: ManualTrigger, context: Context | None) -> Rationale:
    market, portfolio = contexts_of(context)
    asked = trigger.submission
    return Rationale(
        signal_strength=STRENGTH,
        confidence_score=CONFIDENCE,
        trigger_event=f"manual_{asked.order.side}" if asked else "manual_order",
        source_data=SourceData(consensus_detected=False),
        market_context=market,
        portfolio_context=portfolio,
        data_lineage=DataLineage(),
        rules=rules_of(trigger, context),
    )
