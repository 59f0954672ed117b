"""Fixtures of the short campaigns."""

from __future__ import annotations

import pytest

from tradetrail.stack.assembly import ADDRESS_VARIABLE
from tradetrail.stack.local import LocalStack


@pytest.fixture
def own_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a campaign start servers of its own, also where the environment names some: it kills them."""
    monkeypatch.delenv("TRADETRAIL_KAFKA", raising=False)
    monkeypatch.delenv("TRADETRAIL_REGISTRY_URL", raising=False)


@pytest.fixture
def lent_servers(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lend a campaign that takes no server away the session's, on which each of its rounds has a log of its own."""
    found = stack.addresses
    for name, address in (
        ("kafka", found.kafka),
        ("registry", found.registry_url),
        ("postgres", found.postgres_dsn),
    ):
        monkeypatch.setenv(ADDRESS_VARIABLE[name], address)
