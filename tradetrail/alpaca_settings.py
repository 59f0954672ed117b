"""Where Alpaca is and the account's keys, shared by the services that talk to it (prefix ``TRADETRAIL_ALPACA_``)."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class AlpacaSettings(BaseSettings):
    """Addresses and keys; the defaults are Alpaca's paper trading."""

    model_config = SettingsConfigDict(env_prefix="TRADETRAIL_ALPACA_", frozen=True, extra="ignore")

    url: str = Field(
        default="https://paper-api.alpaca.markets",
        description="Trading API, base URL without /v2.",
    )
    data_url: str = Field(
        default="https://data.alpaca.markets", description="Market data API, base URL."
    )
    stream_url: str = Field(
        default="wss://paper-api.alpaca.markets/stream",
        description="Websocket of trade updates.",
    )
    key_id: SecretStr = Field(default=SecretStr(""), description="API key id.")
    secret_key: SecretStr = Field(default=SecretStr(""), description="API secret key.")
    account: str = Field(
        default="paper",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
        description="Name of the account in events, groups and transactional ids; one active executor each.",
    )
