"""Fixtures on the real servers: a fresh log per test, under a prefix of its own."""

from __future__ import annotations

import pytest

from tests.integration.fresh_log import fresh_log
from tradetrail.settings import SharedSettings


@pytest.fixture
def log(stack: object) -> SharedSettings:
    """Return the settings of a log that only this test uses, topics made and schemas registered."""
    return fresh_log(stack)
