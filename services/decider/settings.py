"""Settings of the decider (prefix ``TRADETRAIL_DECIDER_``)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.decider.signals.signal import Strategy
from tradetrail.errors import UsageError


class DeciderSettings(BaseSettings):
    """How decisions are sized and how long their context is waited for."""

    model_config = SettingsConfigDict(env_prefix="TRADETRAIL_DECIDER_", frozen=True)

    strategies: tuple[str, ...] = Field(
        default=("CongressionalTradingStrategy", "CorporateInsiderStrategy"),
        description="Strategies that run, by name, as JSON.",
    )
    position_fraction: Decimal = Field(
        default=Decimal("0.01"),
        gt=0,
        le=1,
        description="Part of the portfolio's value one buy is worth.",
    )
    # Above a minute, so that a used-up rate limit passes; far below the 300 s after which the group would give the
    # partitions of a decider that doesn't poll to another, which would wait as long.
    context_wait_s: float = Field(
        default=75.0,
        gt=0,
        le=240,
        description="Longest wait of a batch for market and portfolio, real seconds.",
    )
    rate_limit_reserve: int = Field(
        default=50,
        ge=0,
        description="Requests left to the account at which contexts wait for the limit's reset: the executor's share.",
    )
    # Four months: twice what the strategies look back on, so that a correction that comes weeks after its record still
    # finds it and may set off a trade, while a start reads and keeps a third of a year's log.
    lookback_days: int = Field(
        default=120, ge=1, description="Days before a trigger that a decision can see."
    )
    die_at: str = Field(
        default="",
        description="Tests only: [freeze ]STEP[:N], kill or freeze this process at the N-th passage of a step.",
    )


def require_lookback(settings: DeciderSettings, strategies: Iterable[Strategy]) -> None:
    """Raise UsageError when a strategy looks further back than its views would reach."""
    for strategy in strategies:
        asked = int(strategy.configuration().get("lookback_days", 0))
        if asked > settings.lookback_days:
            raise UsageError(
                f"{strategy.name} looks back on {asked} days, and TRADETRAIL_DECIDER_LOOKBACK_DAYS="
                f"{settings.lookback_days} would show it fewer: raise this, or lower the strategy's LOOKBACK_DAYS"
            )
