"""Settings of the decider (prefix ``TRADETRAIL_DECIDER_``)."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    die_at: str = Field(
        default="",
        description="Tests only: [freeze ]STEP[:N], kill or freeze this process at the N-th passage of a step.",
    )
