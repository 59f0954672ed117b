"""Settings that every part of tradetrail shares, read from the environment (prefix ``TRADETRAIL_``).

The same names configure the local stack, the containers and a production deployment.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
from fnmatch import fnmatchcase
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from tradetrail.errors import UsageError
from tradetrail.redaction import STARS, hidden, remember, remember_address, remember_proxies

_S = TypeVar("_S", bound=BaseSettings)


class SymbolGroup(BaseModel):
    """A topic's worth of symbols; part of the order guarantee, so it can't change once recorded."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$", description="Name; the topic's suffix.")
    patterns: tuple[str, ...] = Field(description="Symbols or shell patterns such as *-USD.")
    partitions: int = Field(ge=1, le=512, description="Partitions of its topic.")

    def holds(self, symbol: str) -> bool:
        """Return whether ``symbol`` belongs here."""
        return any(fnmatchcase(symbol, pattern) for pattern in self.patterns)


DEFAULT_GROUPS = (
    SymbolGroup(
        name="megacap",
        patterns=("AAPL", "AMZN", "FB", "GOOG", "GOOGL", "META", "MSFT", "NVDA", "TSLA"),
        partitions=2,
    ),
    SymbolGroup(name="default", patterns=("*",), partitions=4),
)


class SharedSettings(BaseSettings):
    """Where the log is and how a process names itself."""

    model_config = SettingsConfigDict(env_prefix="TRADETRAIL_", frozen=True, extra="ignore")

    kafka: str = Field(default="127.0.0.1:9092", description="Kafka bootstrap servers, host:port.")
    registry_url: str = Field(
        default="http://127.0.0.1:8081/apis/ccompat/v7",
        description="Schema registry, Confluent-compatible base URL.",
    )
    topic_prefix: str = Field(default="trade.", description="Prefix of every topic.")
    symbol_groups: tuple[SymbolGroup, ...] = Field(
        default=DEFAULT_GROUPS,
        description="Symbol groups as JSON; the first whose pattern fits holds a symbol.",
    )
    run_partitions: int = Field(default=1, ge=1, description="Partitions of the runs topic.")
    replication_factor: int = Field(
        default=1, ge=1, description="Copies of each topic (3 in production)."
    )
    min_insync_replicas: int = Field(
        default=1, ge=1, description="Copies that must confirm (2 in production)."
    )
    clock_url: str | None = Field(default=None, description="Simulated clock; unset: the system's.")
    instance: str = Field(
        default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}",
        description="Name of this process in its events.",
    )
    replica: int = Field(default=0, ge=0, description="Replica slot; part of the transactional id.")
    http_host: str = Field(
        default="127.0.0.1", description="Address of the health and metrics server."
    )
    http_port: int = Field(default=0, ge=0, le=65535, description="Its port; 0 picks a free one.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged."
    )
    log_format: Literal["json", "console"] = Field(default="json", description="Form of log lines.")


# What changes from process to process without changing what it does; no part of a configuration's identity.
_PROCESS_FIELDS = frozenset(
    {"instance", "replica", "http_host", "http_port", "log_level", "log_format", "die_at"}
)


def load(kind: type[_S]) -> _S:
    """Return the settings of ``kind`` from the environment; their secrets are hidden in all that leaves the process.

    Raises UsageError that names each wrong variable.
    """
    try:
        settings = kind()
    except SettingsError as error:
        raise UsageError(f"settings are wrong: {error}; lists are given as JSON") from error
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        wrong = "; ".join(
            f"{prefix}{'_'.join(str(p) for p in e['loc'])}".upper() + f": {e['msg']}"
            for e in error.errors()
        )
        raise UsageError(f"settings are wrong: {wrong}") from error
    keep_secret(settings)
    return settings


def keep_secret(settings: BaseSettings) -> None:
    """Hide the secrets among ``settings``, and the passwords in their addresses, in all that leaves the process."""
    remember_proxies()
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            remember(value.get_secret_value())
            remember_address(value.get_secret_value())
        elif isinstance(value, str) and "@" in value:
            remember_address(value)


def configuration(*parts: BaseSettings) -> dict[str, Any]:
    """Return the settings that decide what a process does, JSON-ready, secrets shown as stars."""
    merged: dict[str, Any] = {}
    for part in parts:
        for name, value in part.model_dump(mode="json").items():
            if name in _PROCESS_FIELDS:
                continue
            secret = isinstance(getattr(part, name), SecretStr)
            shown = hidden(value) if isinstance(value, str) else value
            merged[name] = STARS if secret else shown
    return merged


def canonical_json(value: Any) -> str:
    """Return ``value`` as JSON with sorted keys and no spaces: the same value, the same text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def configuration_hash(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON of a configuration, hex."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
