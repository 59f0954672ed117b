"""Cancel, replace, settle, compare: asked as the commands ask, answered once by the executor, whatever happens."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.eventually import DEADLINE_S, eventually
from tests.integration.acts_server import acts_served
from tests.integration.api_server import is_problem
from tests.integration.executor.harness import IN_SESSION, Desk, decision_made
from tests.integration.executor.test_executor_halts import log_of
from tests.integration.trade_rows import Database
from tradetrail.acts.find_order import find
from tradetrail.cli import main
from tradetrail.errors import UsageError
from tradetrail.events.generated import (
    AnswerOutcome,
    DecisionMade,
    DecisionStatus,
    FailureReason,
    OperatorActed,
    OperatorAnswered,
    OrderSubmitting,
    OrderUpdated,
)
from tradetrail.stack.local import LocalStack

pytestmark = pytest.mark.stack


@pytest.fixture
def typed(desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return what types ``tradetrail order …`` and returns exit code and answer."""
    for name, value in {
        "KAFKA": desk.settings.kafka,
        "REGISTRY_URL": desk.settings.registry_url,
        "TOPIC_PREFIX": desk.settings.topic_prefix,
        "CLOCK_URL": f"{desk.alpaca.url}/control/clock",
    }.items():
        monkeypatch.setenv(f"TRADETRAIL_{name}", value)

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        person = ("--as", "ann", "--why", "test", "--yes", "--format", "json")
        if "--wait" not in words:
            words = (*words, "--wait", str(DEADLINE_S))
        code = main.run(["order", *words, *person])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else {"error": said.err}

    return run


def open_order(desk: Desk, name: str = "one", **more: Any) -> DecisionMade:
    """Put a decision into the log whose limit nothing reaches, and wait until the broker has the order."""
    decision = decision_made(name, at=IN_SESSION, **{"limit_price": "90", **more})
    desk.decide(decision)
    eventually(partial(desk.statuses, decision), lambda story: {"submitted", "accepted"} & {*story})
    return decision


def test_a_person_cancels_what_waits_and_what_is_open(desk: Desk, typed: Any) -> None:
    process = desk.active_executor()
    waiting = decision_made("waiting")
    desk.decide(waiting)
    eventually(process.health, lambda health: health["waiting"] == 1)
    code, answer = typed("cancel", waiting.decision_id, "--key", "k-1")
    assert (code, answer["decision_status"]) == (0, "cancelled")
    assert typed("cancel", waiting.decision_id, "--key", "k-1") == (0, answer)
    code, refused = typed("cancel", waiting.decision_id)
    assert code == 1
    assert "cancelled already" in refused["explanation"]
    eventually(process.health, lambda health: health["waiting"] == 0)

    desk.alpaca.control(now=IN_SESSION)
    decision = open_order(desk)
    (intent,) = desk.of(OrderSubmitting, decision)
    code, answer = typed("cancel", intent.execution_id)
    assert (code, answer["filled"], answer["status"]) == (0, "0", "cancelled")
    last = desk.of(OrderUpdated, decision)[-1]
    assert (last.decision_status, last.failure_reason) == (
        DecisionStatus.CANCELLED,
        FailureReason.OPERATOR_CANCELLED,
    )
    assert "DELETE" in {call.method for call in desk.calls(decision)}
    assert [order["status"] for order in desk.orders()] == ["canceled"]
    # Three acts were answered, each once: the repeated key was the same act.
    assert len(desk.of(OperatorActed)) == len(desk.of(OperatorAnswered)) == 3


def test_acts_over_http_are_answered_by_the_executor(
    desk: Desk, stack: LocalStack, tmp_path: Path
) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor()
    decision = open_order(desk)
    # Without audit tables, what an id stands for is looked for in the log.
    database = Database(stack.addresses.postgres_dsn, "no_such_schema")
    why = {"why": "test"}
    with acts_served(log_of(desk).settings, database, tmp_path / "tokens.json") as api:
        halt = {"scope": "symbol:SPLT", **why}
        first, again = (api.answered("halt", halt, "k-1").json() for _ in range(2))
        assert first["complete"]
        assert [each["standing"] for each in again["executors"]] == ["acknowledged"]
        assert (again["repeated"], again["executors"]) == (True, first["executors"])
        assert len(api.acts("k-1")) == 1

        cancel = f"orders/{decision.decision_id}/cancel"
        cancelled = api.answered(cancel, why, "k-2").json()
        assert (cancelled["answer"], cancelled["status"]) == ("done", "cancelled")
        assert [order["status"] for order in desk.orders()] == ["canceled"]
        over = is_problem(api.answered(cancel, why, "k-3"), 409)
    assert over["recorded"] == "yes"
    assert "cancelled already" in over["detail"]
    assert len(desk.of(OperatorActed)) == len(desk.of(OperatorAnswered)) == 2


def test_a_replacement_is_a_new_execution_of_the_same_decision(desk: Desk, typed: Any) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor(poll_every_s=0.5, order_notional_usd_max=2_000)
    decision = open_order(desk)
    code, refused = typed("replace", decision.decision_id, "--qty", "100")
    assert (code, refused["control"]) == (1, "order_notional")
    assert desk.orders()[0]["status"] in ("new", "accepted")

    code, answer = typed("replace", decision.decision_id, "--qty", "7", "--limit", "91.5")
    assert code == 0, answer
    first, second = desk.of(OrderSubmitting, decision)
    assert (second.method, second.attempt_number) == ("PATCH", 2)
    assert second.previous_execution_id == first.execution_id
    assert answer["execution_id"] == second.execution_id
    assert all(check.passed for check in second.risk_checks)
    assert (second.quantity, second.limit_price) == (Decimal(7), Decimal("91.5"))
    eventually(
        lambda: {u.status for u in desk.of(OrderUpdated) if u.execution_id == first.execution_id},
        lambda seen: "replaced" in seen,
    )
    orders = {order["client_order_id"]: order for order in desk.orders()}
    new = orders[second.client_order_id]
    assert (Decimal(new["qty"]), Decimal(new["limit_price"])) == (Decimal(7), Decimal("91.5"))
    # What takes its place is what is cancelled.
    code, answer = typed("cancel", decision.decision_id)
    assert (code, answer["execution_id"]) == (0, second.execution_id)
    assert desk.of(OrderUpdated, decision)[-1].decision_status is DecisionStatus.CANCELLED


# At once: before the executor looks at either order. Later: it sees the old one wait first.
@pytest.mark.parametrize("delay_ms", [0, 2_000])
@pytest.mark.parametrize("word", ["cancel", "replace"])
def test_a_fill_may_win(desk: Desk, typed: Any, word: str, delay_ms: int) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor(stream="false", poll_every_s=1_000)
    decision = open_order(desk)
    desk.alpaca.fault(f"pending_{word}", then="filled", delay_ms=delay_ms)
    more = ("--qty", "8") if word == "replace" else ()
    code, answer = typed(word, decision.decision_id, *more)
    assert code == 1, answer
    assert "filled" in answer["explanation"]
    desk.eventually_over(decision)
    last = desk.of(OrderUpdated, decision)[-1]
    assert last.decision_status is DecisionStatus.EXECUTED
    fills = [u.fill_qty for u in desk.of(OrderUpdated, decision) if u.fill_qty]
    assert sum(fills, Decimal(0)) == Decimal(10)


def test_a_replacement_of_unknown_fate_is_looked_up(desk: Desk, typed: Any) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor(lookup_every_s=0.2)
    decision = open_order(desk)
    desk.alpaca.fault("drop", when="after", method="PATCH", path="/v2/orders/*")
    code, answer = typed("replace", decision.decision_id, "--qty", "8")
    assert code == 0, answer
    second = [u.status for u in desk.of(OrderUpdated, decision) if u.attempt_number == 2]
    assert second[0] == "unknown"
    assert len(desk.orders()) == 2


def test_only_an_unknown_order_is_settled_and_its_decision_ends(desk: Desk, typed: Any) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor(lookup_every_s=0.2, not_found_for_s=600)
    settled = open_order(desk, "known")
    code, refused = typed("resolve", settled.decision_id, "not-sent")
    assert code == 1
    assert "only what is unknown" in refused["explanation"]
    for symbol, price, words in (
        ("SPLT", "402", ("filled", "--qty", "2", "--price", "402.5")),
        ("PNNY", "0.55", ("not-sent",)),
    ):
        desk.alpaca.control(
            fault={"kind": "drop", "when": "before", "method": "POST", "path": "/v2/orders"}
        )
        decision = decision_made(f"lost-{symbol}", symbol, quantity="2", price=price, at=IN_SESSION)
        desk.decide(decision)
        eventually(partial(desk.statuses, decision), lambda story: "unknown" in story)
        assert typed("cancel", decision.decision_id)[0] == 1
        code, answer = typed("resolve", decision.decision_id, *words)
        assert code == 0, answer
        last = desk.of(OrderUpdated, decision)[-1]
        assert last.source == "operator"
        if words[0] == "filled":
            assert (last.decision_status, last.fill_qty) == (DecisionStatus.EXECUTED, Decimal(2))
        else:
            assert (last.decision_status, last.failure_reason) == (
                DecisionStatus.FAILED,
                FailureReason.SETTLED_BY_OPERATOR,
            )


@pytest.mark.parametrize("step", ["after_post", "after_update"])
def test_an_act_outlives_an_executor_that_dies_over_it(desk: Desk, typed: Any, step: str) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor(poll_every_s=0.5)
    decision = open_order(desk)
    desk.processes[0].stop()
    dying = desk.executor({"TRADETRAIL_EXECUTOR_DIE_AT": step})
    dying.wait_active()
    word = ("replace", decision.decision_id, "--qty", "8") if step == "after_post" else ("cancel",)
    words = word if len(word) > 1 else ("cancel", decision.decision_id)
    assert typed(*words, "--key", "k-1", "--wait", "3")[0] == 3
    dying.wait_dead()
    desk.executor().wait_active()
    code, answer = typed(*words, "--key", "k-1")
    assert code == 0, answer
    assert len(desk.of(OperatorActed)) == len(desk.of(OperatorAnswered)) == 1
    (answered,) = desk.of(OperatorAnswered)
    assert answered.outcome is AnswerOutcome.DONE
    assert len(desk.orders()) == (2 if step == "after_post" else 1)


def test_a_comparison_with_the_brokers_book_is_answered_by_counts(desk: Desk, typed: Any) -> None:
    desk.alpaca.control(now=IN_SESSION)
    desk.active_executor()
    desk.alpaca.placed("SPLT")
    code, answer = typed("reconcile", "--key", "k-1")
    assert (code, answer["compared"]) == (0, 1)
    assert typed("reconcile", "--key", "k-1")[0] == 0


def test_what_an_id_stands_for(desk: Desk) -> None:
    decision = decision_made("found", "SPLT")
    desk.decide(decision)
    found = find(log_of(desk), decision.decision_id)
    assert (found.symbol, found.execution_id) == ("SPLT", None)
    assert found == replace(found, decision_id=decision.decision_id)
    with pytest.raises(UsageError, match="nothing was asked"):
        find(log_of(desk), "no-such-id")
