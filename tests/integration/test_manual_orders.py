"""Orders by a person on a real log: asked by command, answered once by a real decider, whatever happens between."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from tests.eventually import DEADLINE_S
from tests.integration.acts_server import acts_served
from tests.integration.api_server import is_problem
from tests.integration.decider_harness import Decider, running_decider, simulated_alpaca
from tests.integration.disclosed import Row, publish, run_events
from tests.integration.fresh_log import fresh_log
from tests.integration.trade_rows import Database
from tradetrail.acts.ordering import Answer, ask
from tradetrail.errors import Unreachable, UsageError
from tradetrail.events.generated import (
    ApiCallRecorded,
    DecisionDeclined,
    DecisionMade,
    DeclineReason,
    OperatorActed,
    OrderType,
    Side,
    TimeInForce,
)
from tradetrail.log.codec import Codec
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.stamp import Stamp
from tradetrail.log.topics import Topics
from tradetrail.manual_orders import Submission, manual_order, submission

pytestmark = pytest.mark.stack
NOW = datetime(2024, 2, 5, 12, tzinfo=UTC)
# An order is looked up in none.
NO_DATABASE = Database("postgresql://127.0.0.1:9/none", "none")
HELD = {"HRBK": {"qty": "5.5", "avg_entry_price": "100"}}


@pytest.fixture(scope="module")
def decider(stack: object) -> Iterator[Decider]:
    """Return a decider for all tests here, each on symbols of its own; the account holds 5.5 HRBK."""
    with simulated_alpaca() as alpaca:
        command = {"account": {"positions": HELD}}
        requests.post(f"{alpaca}/control", json=command, timeout=30).raise_for_status()
        with running_decider(fresh_log(stack), alpaca) as running:
            yield running


def typed(decider: Decider, *words: str) -> subprocess.CompletedProcess[str]:
    """Type ``tradetrail order …``; a process costs seconds, so most tests ask as the command does."""
    return subprocess.run(
        [sys.executable, "-m", "tradetrail", "order", *words, "--wait", "60"],
        env=decider.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def order(decider: Decider, wanted: Submission, wait_s: float = 60) -> Answer:
    clock_url = decider.env["TRADETRAIL_CLOCK_URL"]
    return ask(decider.log.model_copy(update={"clock_url": clock_url}), wanted, wait_s)


def asked(symbol: str, key: str, side: str = "buy", quantity: str = "10") -> Submission:
    return submission(manual_order(symbol, side, quantity, None, "day"), "ann", "test", key)


def append(decider: Decider, *acts: OperatorActed, key: str) -> list[tuple[str, int, int]]:
    """Put acts into the log as any program with access to it could."""
    codec, topic = Codec(decider.log.registry_url), Topics.of(decider.log).for_symbol(key)
    return EventProducer(decider.log, codec).send([Outgoing(topic, key, act) for act in acts])


def acts(decider: Decider, symbol: str) -> list[OperatorActed]:
    found = decider.events(symbol)
    return [e for e in found if isinstance(e, OperatorActed) and e.symbol == symbol]


def test_an_order_is_decided_once_with_who_and_why_and_what_it_met(decider: Decider) -> None:
    words = ("buy", "msft", "10", "--limit", "390.50", "--time-in-force", "gtc")
    person = ("--as", "ann", "--why", "index change", "--key", "k-1", "--format", "json")
    ended = typed(decider, *words, *person)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == "key k-1\n"
    report = json.loads(ended.stdout, parse_float=Decimal)
    (made,) = decider.said("MSFT")
    assert isinstance(made, DecisionMade)
    assert (made.strategy_name, made.strategy_version) == ("manual", "1.0.0")
    assert (made.made_by, made.why, made.batch_id) == ("ann", "index change", None)
    assert (made.side, made.quantity, made.order_type) == (Side.BUY, Decimal(10), OrderType.LIMIT)
    assert (made.limit_price, made.time_in_force) == (Decimal("390.5"), TimeInForce.GTC)
    (act,) = acts(decider, "MSFT")
    assert made.cause is not None
    assert (made.cause.event_id, made.cause.offset) == (act.event_id, made.view_through)
    assert made.decision_id == act.decision_id == made.story_id == report["decision_id"]
    why = made.rationale
    assert (why.signal_strength, why.confidence_score) == (Decimal(10), Decimal(1))
    assert (why.trigger_event, why.source_data.records) == ("manual_buy", ())
    assert why.market_context is not None
    assert why.portfolio_context is not None
    assert report["current_price"] == why.market_context.current_price
    named = {*why.market_context.api_call_ids, *why.portfolio_context.api_call_ids}
    recorded = {e.call_id for e in decider.events("MSFT") if isinstance(e, ApiCallRecorded)}
    assert named <= recorded
    assert named

    limit = manual_order("MSFT", "buy", "10", "390.5", "gtc")
    assert order(decider, submission(limit, "ann", "index change", "k-1")) == made
    with pytest.raises(UsageError, match="key k-1 already stands for 'buy 10 MSFT at 390"):
        order(decider, asked("MSFT", "k-1"))
    assert (len(acts(decider, "MSFT")), len(decider.said("MSFT"))) == (1, 1)


def test_an_order_over_http_is_answered_once_with_what_was_decided(
    decider: Decider, tmp_path: Path
) -> None:
    log = decider.log.model_copy(update={"clock_url": decider.env["TRADETRAIL_CLOCK_URL"]})
    body = {"side": "buy", "symbol": "FILM", "quantity": "10", "why": "test"}
    with acts_served(log, NO_DATABASE, tmp_path / "tokens.json") as api:
        first, again = (api.answered("orders", body, "k-1") for _ in range(2))
        declined = is_problem(api.answered("orders", body | {"side": "sell"}, "k-2"), 409)
    assert first.status_code in (200, 201)
    assert (again.status_code, again.json()["answer"]) == (200, "made")
    act, other = acts(decider, "FILM")
    made, refused = decider.said("FILM")
    assert isinstance(made, DecisionMade)
    assert isinstance(refused, DecisionDeclined)
    assert made.made_by == "operator"
    assert made.decision_id == act.decision_id
    assert {each.json()["decision_id"] for each in (first, again)} == {made.decision_id}
    assert (declined["recorded"], declined["reason"]) == ("yes", "no_position")
    assert (declined["act_id"], declined["detail"]) == (other.event_id, refused.reason_text)


def test_a_sell_is_never_a_short(decider: Decider) -> None:
    ended = typed(decider, "sell", "HRBK", "5.500000001", "--as", "ann", "--why", "earnings ahead")
    assert ended.returncode == 1, ended.stderr
    assert "5.500000001 shares are to be sold and 5.5" in ended.stdout
    assert "no_position" in ended.stdout
    made = order(decider, asked("HRBK", "k-1", "sell", "5.5"))
    assert isinstance(made, DecisionMade)
    assert made.rationale.trigger_event == "manual_sell"
    nothing = order(decider, asked("DUNE", "k-1", "sell", "1"))
    for declined in (decider.said("HRBK")[0], nothing):
        assert isinstance(declined, DecisionDeclined)
        assert (declined.reason, declined.side) == (DeclineReason.NO_POSITION, Side.SELL)


def test_what_others_write_is_answered_once_and_stops_nobody(decider: Decider) -> None:
    envelope = Stamp("script", "test").envelope(NOW)
    first = asked("VTRX", "k-1").act(envelope)
    twice = replace(first, occurred_at=NOW.replace(minute=5))
    other = asked("VTRX", "k-1", quantity="11").act(envelope)
    broken = replace(asked("VTRX", "k-2").act(envelope), arguments="buy ten")
    nameless = replace(asked("VTRX", "k-3").act(envelope), symbol=None)
    dust = replace(asked("VTRX", "k-4", quantity="0.000000001").act(envelope))
    nothing = replace(dust, arguments=dust.arguments.replace("0.000000001", "0"))
    unknown = asked("NOSUCH", "k-1").act(envelope)
    append(decider, first, twice, other, broken, nameless, dust, nothing, key="VTRX")
    append(decider, unknown, key="NOSUCH")
    publish(decider.log, run_events("VTRX", "run-1", NOW, (Row("Ann"), Row("Bob"))))

    made, *declined, strategic = decider.answers("VTRX", 7)
    assert isinstance(made, DecisionMade)
    assert made.cause is not None
    assert made.view_through == made.cause.offset
    said = [(d.reason, d.reason_text) for d in declined if isinstance(d, DecisionDeclined)]
    assert [reason for reason, _ in said] == [
        DeclineReason.ALREADY_ACTED,
        DeclineReason.INVALID_ORDER,
        DeclineReason.INVALID_ORDER,
        DeclineReason.ZERO_QUANTITY,
        DeclineReason.ZERO_QUANTITY,
    ]
    assert "another order needs another key" in said[0][1]
    assert "no JSON" in said[1][1]
    assert "stands under 'VTRX'" in said[2][1]
    assert len({each.decision_id for each in (made, *declined)}) == 6
    assert strategic.strategy_name == "CongressionalTradingStrategy"
    (untradable,) = decider.answers("NOSUCH", 1)
    assert isinstance(untradable, DecisionDeclined)
    assert untradable.reason is DeclineReason.NOT_TRADABLE


def test_an_order_outlives_a_decider_that_dies_over_it(decider: Decider) -> None:
    wanted = asked("ORES", "k-1")
    decider.kill()
    with pytest.raises(Unreachable, match="the same command with --key k-1 asks again"):
        order(decider, wanted, wait_s=1)
    decider.start(TRADETRAIL_DECIDER_DIE_AT="all_sent")
    assert decider.process.wait(DEADLINE_S) == -signal.SIGKILL
    assert decider.said("ORES") == []
    decider.start()
    made = order(decider, wanted)
    assert isinstance(made, DecisionMade)
    assert (len(acts(decider, "ORES")), decider.said("ORES")) == (1, [made])
