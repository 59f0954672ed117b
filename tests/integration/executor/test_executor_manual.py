"""A person's decision in the executor: as any other, and nothing weaker goes before it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from services.decider.answering.decision import Making
from services.decider.answering.manual import answer
from services.decider.settings import DeciderSettings
from services.decider.views.manual_acts import ManualQuestion, ManualTrigger
from tests.eventually import eventually
from tests.integration.executor.harness import BEFORE_OPEN, IN_SESSION, Desk, decision_made
from tests.unit.decider_views import context
from tradetrail.events.generated import Cause, Control, DecisionMade, OrderBlocked, OrderUpdated
from tradetrail.log.producer import Outgoing
from tradetrail.log.stamp import Stamp
from tradetrail.manual_orders import Submission, manual_order, submission

pytestmark = pytest.mark.stack
AT = datetime.fromisoformat(BEFORE_OPEN)


def asked(key: str) -> Submission:
    return submission(manual_order("SPLT", "buy", "0.5", "410.25", "day"), "ann", "test", key)


def decided(of: Submission) -> DecisionMade:
    """Return what the decider makes of it, at a last close of 400 USD."""
    place = Cause(topic="t", partition=0, offset=0, event_id=of.act_id)
    making = Making(Stamp("decider", "test"), DeciderSettings(), "0", AT)
    question = ManualQuestion(ManualTrigger("SPLT", place, AT, of))
    event = answer(question, making, context(price="400"))
    assert isinstance(event, DecisionMade)
    return event


def test_a_persons_order_goes_first_and_through_every_control(desk: Desk) -> None:
    # On one connection, that the broker sees them in the order in which they were sent.
    process = desk.active_executor(poll_every_s=0.5, parallel_requests=1)
    signal = decision_made("signal", strength="9.9")
    person, again = decided(asked("k-1")), decided(asked("k-2"))
    act = asked("k-1").act(Stamp("cli", "test").envelope(AT))
    desk.producer.send([Outgoing(desk.topics.for_symbol("SPLT"), "SPLT", act)])
    desk.decide(signal, person, again)
    eventually(process.health, lambda health: health["waiting"] == 3)
    desk.alpaca.control(now=IN_SESSION)
    desk.eventually_over(signal, person, again)

    first, second = sorted(desk.orders(), key=lambda order: str(order["submitted_at"]))
    assert (first["symbol"], first["type"], first["status"]) == ("SPLT", "limit", "filled")
    assert (Decimal(first["qty"]), Decimal(first["limit_price"])) == (
        Decimal("0.5"),
        Decimal("410.25"),
    )
    assert second["symbol"] == "ACME"
    assert desk.of(OrderUpdated, person)[-1].filled_qty_total == Decimal("0.5")
    # The same order twice within a minute is a slip of the hand.
    (blocked,) = desk.of(OrderBlocked, again)
    assert blocked.control is Control.DUPLICATE_WINDOW
    assert process.health()["skipped_events"] == 0
