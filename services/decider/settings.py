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
    context_wait_s: float = Field(
        default=30.0, gt=0, description="Longest wait for market and portfolio, real seconds."
    )
    die_at: str = Field(
        default="",
        description="Tests only: [freeze ]STEP[:N], kill or freeze this process at the N-th passage of a step.",
    )
