"""Fixtures of the short campaigns."""

from __future__ import annotations

import pytest


@pytest.fixture
def own_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a campaign start servers of its own, also where the environment names some: it kills them, and fills them."""
    monkeypatch.delenv("TRADETRAIL_KAFKA", raising=False)
    monkeypatch.delenv("TRADETRAIL_REGISTRY_URL", raising=False)
