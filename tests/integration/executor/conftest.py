"""A fresh log and a fresh simulated broker for every test of the executor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.alpaca_client import Alpaca, server_factory, stop
from tests.faults.nursery import Nursery, nursery
from tests.integration.executor.harness import Desk, opened
from tradetrail.settings import SharedSettings


@pytest.fixture(scope="session")
def brokers() -> Iterator[Callable[..., Alpaca]]:
    """Return what starts simulated brokers."""
    with server_factory() as start:
        yield start


@pytest.fixture(scope="session")
def executors() -> Iterator[Nursery]:
    """Return where executors are born: each in milliseconds, as a process of its own."""
    with nursery("services.executor") as born_in:
        yield born_in


@pytest.fixture
def desk(
    log: SharedSettings,
    brokers: Callable[..., Alpaca],
    tmp_path: Path,
    executors: Nursery,
) -> Iterator[Desk]:
    """Return a fresh log and a broker before the open of the small world's second day."""
    alpaca = brokers()
    with opened(log, alpaca, tmp_path, executors) as desk:
        yield desk
    stop(alpaca)
