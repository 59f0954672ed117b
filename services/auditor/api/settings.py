"""Settings of the HTTP API: who may read it, how often, and from where it may be reached."""

from __future__ import annotations

from ipaddress import ip_address

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from tradetrail.errors import UsageError


class ApiSettings(BaseSettings):
    """Who may ask, and how often."""

    model_config = SettingsConfigDict(env_prefix="TRADETRAIL_", frozen=True, extra="ignore")

    api_tokens_file: str = Field(
        default="",
        description="File of the tokens, made by `tradetrail token`; empty: no tokens, open for reading.",
    )
    api_open: bool = Field(
        default=False,
        description="Without tokens, answer on an address that other machines reach all the same.",
    )
    api_rate_per_s: float = Field(
        default=50.0,
        ge=0,
        le=100_000,
        description="Requests a second that a token, or without tokens a client address, may keep up; 0: no limit.",
    )
    api_burst: int = Field(
        default=200, ge=1, le=1_000_000, description="Requests it may make at once."
    )
    api_session_h: float = Field(
        default=12.0, gt=0, le=24 * 365, description="Hours until a browser must sign in again."
    )
    api_proxies: tuple[str, ...] = Field(
        default=(),
        description="Reverse proxies, as a JSON list of addresses: their X-Forwarded-For and -Proto are believed.",
    )


def check_exposure(settings: ApiSettings, host: str) -> None:
    """Raise UsageError when other machines could read without a token and nobody said that they may."""
    if settings.api_tokens_file or settings.api_open or _is_loopback(host):
        return
    raise UsageError(
        f"TRADETRAIL_HTTP_HOST={host} lets other machines read the audit, and there are no tokens: make some with "
        "`tradetrail token new` and name their file in TRADETRAIL_API_TOKENS_FILE, or set TRADETRAIL_API_OPEN=true "
        "if something else keeps strangers out"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
