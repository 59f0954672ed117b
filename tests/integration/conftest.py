"""Fixtures on the real servers: a fresh log per test, under a prefix of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.fresh_log import fresh_log
from tests.integration.trade_rows import Database, trade_rows
from tradetrail.settings import SharedSettings
from tradetrail.stack.local import LocalStack


@pytest.fixture
def log(stack: object) -> SharedSettings:
    """Return the settings of a log that only this test uses, topics made and schemas registered."""
    return fresh_log(stack)


@pytest.fixture(scope="module")
def trades(stack: LocalStack) -> Iterator[Database]:
    """Return a schema that holds the story of trades; its tests only read."""
    with trade_rows(stack.addresses.postgres_dsn) as database:
        yield database
