"""A fill that the broker takes back: told of loudly, kept word for word, and the log's fills stay as they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from services.executor.following.stream import Hint, parse_hint
from tests.contract.alpaca_client import Alpaca, stop
from tests.integration.executor.follow_rig import follow_rig
from tests.integration.executor.harness import IN_SESSION
from tradetrail.events.generated import BrokerOrderDiscovered, OrderStatus


@pytest.fixture
def alpaca(brokers: Callable[..., Alpaca]) -> Iterator[Alpaca]:
    """Return a simulated broker in a session."""
    alpaca = brokers()
    alpaca.control(now=IN_SESSION)
    yield alpaca
    stop(alpaca)


def correction(alpaca: Alpaca, order_id: str, word: str = "trade_bust") -> tuple[str, Hint]:
    """Return the stream's message of a correction, and the hint in it."""
    order = alpaca.call("GET", f"/orders/{order_id}").json()
    data = {"event": word, "execution_id": "e-1", "order": order, "price": "101", "qty": "4"}
    message = json.dumps({"stream": "trade_updates", "data": data})
    hint = parse_hint(message)
    assert hint is not None
    return message, hint


@pytest.mark.parametrize("word", ["trade_bust", "trade_correct"])
def test_a_fill_that_is_taken_back_is_told_and_recorded_once_and_changes_no_fill(
    alpaca: Alpaca, word: str
) -> None:
    with follow_rig(alpaca, stream=False, poll_every_s=0.2) as rig:
        execution = rig.order("busted")
        rig.until(lambda: execution.status is OrderStatus.FILLED)
        before = rig.updates_of(execution)
        message, hint = correction(alpaca, execution.broker_order_id or "", word)
        assert hint.fill is None
        # The broker tells it twice.
        rig.follower.step(rig.desk.now(), [hint, hint])
        rig.until(lambda: rig.of(BrokerOrderDiscovered))
        rig.follower.step(rig.desk.now(), [hint])
        rig.turn()
        (event,) = rig.of(BrokerOrderDiscovered)
        assert (event.execution_id, event.decision_id) == (
            execution.execution_id,
            execution.decision_id,
        )
        assert event.raw_response == message
        assert word in (event.explanation or "")
        assert word in rig.follower.troubles[execution.execution_id]
        assert rig.updates_of(execution) == before


def test_a_correction_of_an_open_order_is_told_and_the_order_is_followed_on(alpaca: Alpaca) -> None:
    with follow_rig(alpaca, stream=False, poll_every_s=0.2) as rig:
        execution = rig.order("open", limit_price="90")
        _, hint = correction(alpaca, execution.broker_order_id or "")
        rig.follower.step(rig.desk.now(), [hint])
        rig.turn()
        assert "trade_bust" in rig.follower.troubles[execution.execution_id]
        alpaca.call("DELETE", f"/orders/{execution.broker_order_id}")
        rig.until(lambda: execution.status is OrderStatus.CANCELLED)
        rig.turn()
        assert "trade_bust" in rig.follower.troubles[execution.execution_id]
        assert rig.of(BrokerOrderDiscovered) == []
