"""Fixtures on a simulated Alpaca of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.contract.alpaca_client import Alpaca, server_factory, stop


@pytest.fixture(scope="session")
def start() -> Iterator[Callable[..., Alpaca]]:
    """Return what starts a simulator with given settings, in milliseconds."""
    with server_factory() as factory:
        yield factory


@pytest.fixture
def alpaca(start: Callable[..., Alpaca]) -> Iterator[Alpaca]:
    """Return a fresh simulator, on a Tuesday at 07:00 New York, with $100,000."""
    running = start()
    yield running
    stop(running)
