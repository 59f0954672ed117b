"""How often a client may ask: never more than its bucket allows, whatever the times; memory stays bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auditor.api.entrance.limits import Limits, client_of


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time, seconds."""
        return self.now


@given(
    rate_per_s=st.floats(0.1, 100),
    burst=st.integers(1, 20),
    pauses=st.lists(st.floats(0, 5), max_size=60),
)
def test_no_stretch_of_time_sees_more_than_the_bucket_and_its_filling(
    rate_per_s: float, burst: int, pauses: list[float]
) -> None:
    clock = Clock()
    limits, allowed_at = Limits(rate_per_s, burst, clock), []
    for pause in pauses:
        clock.now += pause
        if limits.wait_s("a") == 0:
            allowed_at.append(clock.now)
    for first, begin in enumerate(allowed_at):
        for last, end in enumerate(allowed_at[first:], first):
            assert last - first + 1 <= burst + rate_per_s * (end - begin) + 1e-6


@given(rate_per_s=st.floats(0.01, 100), burst=st.integers(1, 20), asked=st.integers(1, 50))
def test_whoever_waits_as_long_as_told_is_let_in(rate_per_s: float, burst: int, asked: int) -> None:
    clock = Clock()
    limits = Limits(rate_per_s, burst, clock)
    waits = [limits.wait_s("a") for _ in range(asked)]
    assert waits[:burst] == [0.0] * min(burst, asked)
    if asked > burst:
        clock.now += waits[-1] + 1e-6
        assert limits.wait_s("a") == 0


def test_clients_do_not_take_from_each_other() -> None:
    limits = Limits(1, 1, Clock())
    assert limits.wait_s("a") == 0
    assert limits.wait_s("a") > 0
    assert limits.wait_s("b") == 0


def test_a_rate_of_zero_limits_nothing_and_remembers_nobody() -> None:
    limits = Limits(0, 1, Clock())
    assert [limits.wait_s("a") for _ in range(100)] == [0.0] * 100
    assert len(limits) == 0


def test_the_client_that_was_quiet_the_longest_is_forgotten_first() -> None:
    limits = Limits(0.001, 1, Clock(), clients_max=2)
    for client in ("a", "b", "a", "c"):
        limits.wait_s(client)
    assert len(limits) == 2
    assert limits.wait_s("a") > 0
    assert limits.wait_s("b") == 0


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_a_network_of_ipv6_is_one_client(address: str, client: str) -> None:
    assert client_of(address) == client
