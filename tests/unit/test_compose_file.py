"""docker-compose.yml passes on every setting that a service reads: one it forgot would be ignored in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from pydantic_settings import BaseSettings

from services.auditor.api.settings import ApiSettings
from services.auditor.settings import AuditorSettings
from services.decider.settings import DeciderSettings
from services.decider.strategies.congressional import CongressionalSettings
from services.decider.strategies.insider import InsiderSettings
from services.executor.settings import ExecutorSettings
from services.ingestor.settings import (
    CommitteesSettings,
    IngestorSettings,
    QuiverSettings,
    SectorsSettings,
)
from tradetrail.alpaca_settings import AlpacaSettings
from tradetrail.reports.connection import DatabaseSettings
from tradetrail.settings import SharedSettings

ROOT = Path(__file__).resolve().parents[2]
# The image sets the first two, each container has its own name, and nothing outside a test dies on request.
NOT_PASSED_ON = {"http_host", "http_port", "instance", "replica", "die_at"}
READS: dict[str, tuple[type[BaseSettings], ...]] = {
    "ingestor": (
        SharedSettings,
        IngestorSettings,
        QuiverSettings,
        CommitteesSettings,
        SectorsSettings,
    ),
    "decider": (
        SharedSettings,
        DeciderSettings,
        CongressionalSettings,
        InsiderSettings,
        AlpacaSettings,
    ),
    "executor": (SharedSettings, ExecutorSettings, AlpacaSettings),
    "auditor": (SharedSettings, AuditorSettings, DatabaseSettings, ApiSettings),
    "provision": (SharedSettings,),
    "migrate": (DatabaseSettings,),
}
SECRETS_OF = {
    "TRADETRAIL_QUIVER_TOKEN": {"ingestor", "simulated-quiverquant"},
    "TRADETRAIL_ALPACA_SECRET_KEY": {"decider", "executor", "simulated-alpaca"},
    "TRADETRAIL_POSTGRES_DSN": {"auditor", "migrate"},
}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """Return the services of docker-compose.yml."""
    content = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    found: dict[str, Any] = content["services"]
    return found


@pytest.mark.parametrize("name", READS)
def test_compose_passes_on_every_setting_of_a_service(name: str, services: dict[str, Any]) -> None:
    wanted = {
        f"{kind.model_config.get('env_prefix', '')}{field}".upper()
        for kind in READS[name]
        for field in kind.model_fields
        if field not in NOT_PASSED_ON
    }
    missing = wanted - set(services[name]["environment"])
    assert not missing, f"add to {name}'s environment in docker-compose.yml: {sorted(missing)}"


def test_secrets_reach_only_the_containers_that_need_them(services: dict[str, Any]) -> None:
    for secret, holders in SECRETS_OF.items():
        found = {name for name, one in services.items() if secret in one.get("environment", {})}
        assert found == holders, secret


def test_every_published_port_is_on_the_loopback_address(services: dict[str, Any]) -> None:
    for one in services.values():
        assert all(port.startswith("127.0.0.1:") for port in one.get("ports", ()))
