"""The executor's own settings (prefix ``TRADETRAIL_EXECUTOR_``); amounts suit a paper account of 100,000 USD."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from tradetrail.errors import UsageError

# Begun orders are remembered this long, seconds: the longest window that the order rate may have.
RATE_WINDOW_S_MAX = 3600
LIVE_HOST = "api.alpaca.markets"


class ExecutorSettings(BaseSettings):
    """How orders are sent, followed and limited."""

    model_config = SettingsConfigDict(
        env_prefix="TRADETRAIL_EXECUTOR_", frozen=True, extra="ignore"
    )

    live: bool = Field(default=False, description="Trade real money; needs live_confirmed as well.")
    live_confirmed: str = Field(
        default="", description="The account's name again, to confirm live trading."
    )
    send_within_s: float = Field(
        default=5.0,
        gt=0,
        le=5.5,
        description="An order leaves within this of committing its intent, seconds.",
    )
    request_total_s: float = Field(
        default=10.0,
        gt=0,
        le=60,
        description="Total deadline of one request to the broker, seconds.",
    )
    connect_timeout_s: float = Field(
        default=3.0, gt=0, le=10, description="Deadline of connecting to the broker, seconds."
    )
    parallel_requests: int = Field(
        default=8, ge=1, le=64, description="Requests to the broker under way at once, at most."
    )
    lookup_every_s: float = Field(
        default=0.5, gt=0, description="An order of unknown fate is looked up this often, seconds."
    )
    not_found_for_s: float = Field(
        default=30.0,
        ge=0,
        description="Look-ups must say 404 this long before it is sent again, seconds.",
    )
    poll_every_s: float = Field(
        default=10.0, ge=0.2, description="Open orders are polled this often, seconds."
    )
    stream: bool = Field(default=True, description="Listen to the broker's trade updates as hints.")
    stream_mute_after_s: float = Field(
        default=5.0,
        gt=0,
        description="The stream is mute when it hasn't told of what a poll found after this, seconds.",
    )
    reconcile_every_s: float = Field(
        default=300.0,
        ge=1,
        description="The broker's orders are compared with the log this often, seconds.",
    )
    reconcile_look_back_h: float = Field(
        default=48.0, gt=0, le=720, description="How far back they are compared, hours."
    )
    outside_hours: Literal["wait", "queue"] = Field(
        default="wait",
        description="Outside a session: wait for the open, or hand over at once as queued day orders.",
    )
    retries_max: int = Field(
        default=0,
        ge=0,
        le=3,
        description="Further tries of an order that failed for the rate limit or an absent broker; 0 for none.",
    )
    retry_after_s: float = Field(
        default=5.0,
        ge=0.1,
        le=3600,
        description="A failed order is tried again after this, seconds.",
    )
    rate_limit_reserve: int = Field(
        default=3, ge=0, description="Requests left to the account below which orders wait."
    )
    order_notional_usd_max: Decimal = Field(
        default=Decimal(20_000), gt=0, description="Largest value of one order, USD."
    )
    order_size_shares_max: Decimal = Field(
        default=Decimal(10_000), gt=0, description="Largest size of one order, shares."
    )
    daily_notional_usd_max: Decimal = Field(
        default=Decimal(200_000),
        gt=0,
        description="Largest value of all orders of a New York day, USD.",
    )
    daily_order_count_max: int = Field(
        default=500, ge=1, description="Most orders of a New York day."
    )
    position_usd_max: Decimal = Field(
        default=Decimal(25_000),
        gt=0,
        description="Largest value of a position after the order, USD.",
    )
    buying_power_margin_percent: Decimal = Field(
        default=Decimal(0),
        ge=0,
        description="Added to a buy's value before it is held against buying power.",
    )
    price_collar_limit_percent: Decimal = Field(
        default=Decimal(5),
        ge=0,
        le=100,
        description="Furthest a limit price may lie beyond the last price on the harmful side, percent.",
    )
    price_collar_market_percent: Decimal = Field(
        default=Decimal(10),
        ge=0,
        le=100,
        description="Furthest the last price may have moved against a market order since its decision, percent.",
    )
    price_age_open_s_max: int = Field(
        default=23_400,
        ge=0,
        description="Oldest last price that counts as one, seconds of open market.",
    )
    order_rate_max: int = Field(
        default=200, ge=1, description="Most orders begun within order_rate_window_s."
    )
    order_rate_window_s: int = Field(
        default=60,
        ge=1,
        le=RATE_WINDOW_S_MAX,
        description="Rolling window of order_rate_max, seconds by the injected clock.",
    )
    duplicate_window_s: int = Field(
        default=60,
        ge=0,
        description="A strategy's equal order within this is a duplicate, seconds.",
    )
    stale_after_open_s: int = Field(
        default=23_400,
        ge=0,
        description="Oldest decision that is still sent, seconds of open market (6.5 h a session).",
    )
    restricted_symbols: tuple[str, ...] = Field(
        default=(), description="Symbols that are never ordered, as JSON."
    )
    die_at: str = Field(
        default="",
        description="Tests only: [freeze ]NAME[:N], kill or freeze this process at the N-th passage of a step.",
    )

    def is_paper(self, account: str, *urls: str) -> bool:
        """Return whether orders go to paper trading.

        Raises UsageError for half a confirmation, and when one of ``urls`` is Alpaca's live host without any.
        """
        if not self.live:
            if any(urlsplit(url).hostname == LIVE_HOST for url in urls):
                raise UsageError(
                    f"TRADETRAIL_ALPACA_URL or _STREAM_URL is {LIVE_HOST}, where money is real: use the paper host, or "
                    "switch live trading on with TRADETRAIL_EXECUTOR_LIVE=true and TRADETRAIL_EXECUTOR_LIVE_CONFIRMED"
                )
            return True
        if self.live_confirmed != account:
            raise UsageError(
                "TRADETRAIL_EXECUTOR_LIVE is on, but TRADETRAIL_EXECUTOR_LIVE_CONFIRMED is not the account "
                f"({account!r}): set both to trade real money, or neither for paper trading"
            )
        return False
