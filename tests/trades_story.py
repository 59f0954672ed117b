"""What became of decisions, of every kind, for tests of what executed, what failed and how strategies fare.

By name: d1, d4 (AAPL) filled; d2 blocked, d3 rejected; n1 declined. tie-0 to tie-2 (MSFT) filled at one instant;
late (MSFT) an hour before midnight in New York. two (F) filled by two orders; insider (IBM) by another strategy; ann
(NVDA) a person's. part (GE) filled in part and open; ended (GE) failed after a part; u (IBM) unknown; c (F) cancelled
later, and the last to see a price.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests import auditor_story as story
from tradetrail.events import Event
from tradetrail.events import generated as e

INSIDER = "CorporateInsiderStrategy"
CONGRESS = "CongressionalTradingStrategy"
DAY = timedelta(days=1)
TIED = sorted((f"tie-{n}" for n in range(3)), key=lambda name: story.an_id("d", name))[::-1]
LATE = story.BEGIN.replace(hour=4) + 5 * DAY
PART_AT, ENDED_AT, SEEN_AT = (story.BEGIN + days * DAY for days in (6, 7, 8))
BLOCK = e.RiskCheck(
    control=e.Control.BUYING_POWER,
    passed=False,
    limit=Decimal(100),
    observed=Decimal(723),
    unit="USD",
    explanation="723 USD is more than 100 USD",
)


def named(names: list[str]) -> list[str]:
    """Return the ids of the decisions of these names."""
    return [story.an_id("d", name) for name in names]


def by_strategy(event: Any, name: str, version: str, **more: Any) -> Any:
    """Return a decision as another strategy's."""
    return replace(event, strategy_name=name, strategy_version=version, **more)


def placed() -> list[tuple[str, str, Event]]:
    """Return the auditor's story as (topic without prefix, key, event), with what a block was told for."""
    return [
        (t, k, replace(v, risk_checks=(BLOCK,)) if isinstance(v, e.OrderBlocked) else v)
        for t, k, v in story.placed_story()
    ]


def told() -> list[tuple[str, str, Event]]:
    """Return the story as (topic without prefix, key, event)."""
    return placed() + [
        ("default", event.symbol or "", event) for event in [*_whole(), *_partly(), *_open()]
    ]


def _fill(name: str, symbol: str, at: datetime, **more: Any) -> e.OrderUpdated:
    return story.updated(
        *(name, e.OrderStatus.FILLED, e.DecisionStatus.EXECUTED),
        symbol=symbol,
        at=at,
        **{"total": "10", "fill": "10", "price": "100"} | more,
    )


def _whole() -> list[Event]:
    """Return trades that were filled wholly."""
    ann = story.decision("ann", "NVDA", at=LATE - 2 * DAY)
    two, at = story.BEGIN + 3 * DAY, LATE - DAY
    return [
        *(v for name in TIED for v in story.filled_decision(name, "MSFT", day=2 * DAY)),
        story.decision("late", "MSFT", at=LATE, side=e.Side.SELL),
        story.submitting("late", "MSFT", at=LATE, side=e.Side.SELL),
        _fill("late", "MSFT", LATE),
        story.decision("two", "F", at=two),
        story.submitting("two", "F", at=two),
        story.updated(
            *("two", e.OrderStatus.CANCELLED, e.DecisionStatus.EXECUTING),
            symbol="F",
            at=two,
            total="3",
            fill="3",
            price="10",
        ),
        story.submitting("two", "F", attempt=2, at=two),
        _fill(
            "two", "F", two, attempt=2, total="7", fill="7", price="20", commission=Decimal("1.50")
        ),
        by_strategy(story.decision("insider", "IBM", at=at), INSIDER, "2.0.0"),
        story.submitting("insider", "IBM", at=at),
        _fill("insider", "IBM", at),
        by_strategy(ann, "manual", "1.0.0", made_by="ann", why="index change"),
        story.submitting("ann", "NVDA", at=LATE - 2 * DAY),
        _fill("ann", "NVDA", LATE - 2 * DAY),
    ]


def _partly() -> list[Event]:
    """Return trades of which only a part was filled."""
    status, decided = e.OrderStatus, e.DecisionStatus
    return [
        story.decision("part", "GE", at=PART_AT),
        story.submitting("part", "GE", at=PART_AT),
        story.updated(
            *("part", status.PARTIALLY_FILLED, decided.EXECUTING),
            symbol="GE",
            at=PART_AT,
            total="4",
            fill="4",
            price="12.5",
        ),
        story.decision("ended", "GE", at=ENDED_AT),
        story.submitting("ended", "GE", at=ENDED_AT),
        story.updated(
            *("ended", status.PARTIALLY_FILLED, decided.EXECUTING),
            symbol="GE",
            at=ENDED_AT,
            total="2",
            fill="2",
            price="13",
        ),
        story.updated(
            *("ended", status.EXPIRED, decided.FAILED),
            symbol="GE",
            at=ENDED_AT + timedelta(hours=1),
            total="2",
            failure_reason=e.FailureReason.EXPIRED,
            error_message="the day was over",
        ),
    ]


def _open() -> list[Event]:
    """Return decisions that nothing was filled of, and that did not fail."""
    at = story.BEGIN + 3 * DAY
    cancelled = story.decision("c", "F", at=SEEN_AT)
    seen = e.MarketContext(
        current_price=Decimal(25), price_as_of=SEEN_AT, volume_20d_avg=Decimal(50000000)
    )
    return [
        story.decision("u", "IBM", at=at),
        story.submitting("u", "IBM", at=at),
        story.updated(
            *("u", e.OrderStatus.UNKNOWN, e.DecisionStatus.EXECUTING),
            symbol="IBM",
            at=at,
            broker_order_id=None,
        ),
        replace(cancelled, rationale=replace(cancelled.rationale, market_context=seen)),
        story.operator_answer(story.operator_act("no"), "c", symbol="F"),
    ]
