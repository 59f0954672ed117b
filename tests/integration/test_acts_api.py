"""Acts over HTTP on a real log: each is one event, the command's own, whoever repeats it; and nobody else's is any."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from services.auditor.api.entrance.identities import COOKIE
from tests import auditor_story as story
from tests.eventually import eventually
from tests.integration.acts_server import ActsServer, acts_served
from tests.integration.api_server import TIMEOUT_S, Served, is_problem
from tests.integration.auditor_harness import audit_of
from tests.integration.executor.harness import decision_made
from tests.integration.fresh_log import fresh_log
from tests.integration.trade_rows import Database
from tradetrail.cli import main
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import open_admin
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.topics import Topics
from tradetrail.reports.order_of_id import order_of_id
from tradetrail.tokens import Role, add_token, entry_of, new_token

pytestmark = pytest.mark.stack

WHY = {"why": "test"}
BUY = {"side": "buy", "symbol": "msft", "quantity": 10, **WHY}
DECISION = decision_made("asked about")
# What is a person's word in an act; the rest follows from it, the clock and the process.
OWN = ("event_id", "occurred_at", "instance", "service", "idempotency_key")


@pytest.fixture(scope="module")
def desk(
    stack: Any, trades: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ActsServer]:
    """Return an API on a log that holds one decision, and on which nobody answers."""
    log = fresh_log(stack)
    symbol = DECISION.symbol or ""
    EventProducer(log, Codec(log.registry_url)).send(
        [Outgoing(Topics.of(log).for_symbol(symbol), symbol, DECISION)]
    )
    with acts_served(log, trades, tmp_path_factory.mktemp("api") / "tokens.json") as desk:
        yield desk


def typed(desk: ActsServer, *words: str) -> int:
    """Type a command as the person whose token acts, on the same log; return its exit code."""
    for name in ("kafka", "registry_url", "topic_prefix"):
        os.environ[f"TRADETRAIL_{name.upper()}"] = getattr(desk.log, name)
    try:
        return main.run([*words, "--as", "operator", "--why", "test", "--wait", "1", "--yes"])
    finally:
        for name in ("kafka", "registry_url", "topic_prefix"):
            del os.environ[f"TRADETRAIL_{name.upper()}"]


ACTS: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    (
        "halt",
        {"scope": "symbol:aapl", "cancel_open": True},
        ("halt", "--symbol", "AAPL", "--cancel-open"),
    ),
    ("halt", {"scope": "everything"}, ("halt",)),
    ("resume", {"scope": "strategy:Name"}, ("resume", "--strategy", "Name")),
    (
        "orders",
        {"side": "sell", "symbol": "brk.b", "quantity": "0.5", "limit_price": "185.20"},
        ("order", "sell", "BRK.B", "0.5", "--limit", "185.20"),
    ),
    (
        "orders",
        {"side": "buy", "symbol": "AAPL", "quantity": 7, "time_in_force": "gtc"},
        ("order", "buy", "AAPL", "7", "--time-in-force", "gtc"),
    ),
    (f"orders/{DECISION.decision_id}/cancel", {}, ("order", "cancel", DECISION.decision_id)),
    (
        f"orders/{DECISION.decision_id}/replace",
        {"quantity": 5, "limit_price": "90.5"},
        ("order", "replace", DECISION.decision_id, "--qty", "5", "--limit", "90.5"),
    ),
    (
        "orders/e-1/resolve",
        {
            "outcome": "filled",
            "quantity": 10,
            "price": "101.25",
            "broker_order_id": "b-1",
            "symbol": "ACME",
        },
        (
            "order",
            "resolve",
            "e-1",
            "filled",
            "--qty",
            "10",
            "--price",
            "101.25",
            "--broker-order",
            "b-1",
            "--symbol",
            "ACME",
        ),
    ),
]


@pytest.mark.parametrize(("path", "body", "words"), ACTS, ids=range(len(ACTS)))
def test_an_act_is_one_event_the_same_as_the_commands(
    desk: ActsServer, path: str, body: dict[str, Any], words: tuple[str, ...]
) -> None:
    key, another = (f"{name}-{ACTS.index((path, body, words))}" for name in ("cli", "http"))
    is_halt = path in ("halt", "resume")
    assert typed(desk, *words, "--key", key) == (0 if is_halt else 3)
    (commands,) = desk.acts(key)
    # Under the command's key it is the very act that stands there.
    again = desk.post(path, WHY | body, key)
    assert again.status_code == (200 if is_halt else 202), again.text
    assert (again.json()["repeated"], again.json()["act_id"]) == (True, commands.event_id)
    assert desk.acts(key) == [commands]

    answer = desk.post(path, WHY | body, another)
    assert answer.status_code == (201 if is_halt else 202), answer.text
    (ours,) = desk.acts(another)
    assert (ours.service, commands.service) == ("auditor", "cli")
    same = {name: getattr(ours, name) for name in OWN}
    if path == "orders":
        # A function of symbol and key.
        same |= {"decision_id": ours.decision_id, "story_id": ours.story_id}
    assert replace(commands, **same) == ours

    told = answer.json()
    assert (told["act_id"], told["act"], told["key"]) == (ours.event_id, ours.act, another)
    assert (told["acted_by"], told["why"], told["repeated"]) == ("operator", "test", False)
    assert told["position"]["topic"].startswith(desk.log.topic_prefix)
    assert answer.headers["Location"] == told["look_at"]
    assert desk.api.ask(told["look_at"], "viewer").status_code == 200
    assert is_halt or told["answer"] is None


def test_the_same_key_is_the_same_act_and_never_another(desk: ActsServer) -> None:
    for path, body, other in (
        ("halt", {"scope": "symbol:IBM"}, {"scope": "symbol:F"}),
        ("orders", BUY, BUY | {"quantity": 11}),
        (f"orders/{DECISION.decision_id}/cancel", {}, {"why": "another reason"}),
    ):
        key = f"again-{path.replace('/', '-')}"
        first = desk.post(path, WHY | body, key).json()
        again = desk.post(path, {**WHY, **body, "key": key}).json()
        assert (first["repeated"], again["repeated"]) == (False, True)
        assert again | {"repeated": False} == first
        problem = is_problem(desk.post(path, {**WHY, **body, **other}, f'"{key}"'), 409)
        assert problem["recorded"] == "no"
        assert "already stands for" in problem["detail"]
        (act,) = desk.acts(key)
        assert act.event_id == first["act_id"]


def test_requests_at_once_under_one_key_are_one_act(desk: ActsServer) -> None:
    def ask(body: dict[str, Any]) -> requests.Response:
        return desk.post("orders", body, "at-once", wait_s=1)

    with ThreadPoolExecutor(6) as threads:
        same = [threads.submit(ask, BUY) for _ in range(5)]
        other = threads.submit(ask, BUY | {"quantity": 99})
        told = [each.result().json() for each in same]
        refused = other.result().status_code
    won = [each for each in told if "act_id" in each]
    (act,) = desk.acts("at-once")
    # Whichever came first is the act, and all that ask for another one are refused.
    assert (len(won), refused) in ((5, 409), (0, 202))
    assert {each["act_id"] for each in won} <= {act.event_id}
    assert [each["repeated"] for each in won].count(False) <= 1


def test_a_repeated_halt_says_when_it_was_lifted_since(desk: ActsServer) -> None:
    scope = {"scope": "symbol:TSLA", **WHY}
    first = desk.post("halt", scope, "lifted-1").json()
    assert first["note"].startswith("No executor runs")
    assert desk.post("resume", scope, "lifted-2").status_code == 201
    again = desk.post("halt", scope, "lifted-1")
    assert again.status_code == 200
    assert again.json()["overtaken_by"]["act"] == "resume"
    assert desk.post("resume", scope, "lifted-2").json()["overtaken_by"] is None
    assert desk.post("halt", scope, "lifted-3").status_code == 201
    assert desk.post("halt", scope, "lifted-1").json()["overtaken_by"] is None
    assert desk.post("resume", scope, "lifted-2").json()["overtaken_by"]["act"] == "halt"


def test_only_operators_act_and_only_by_their_token(desk: ActsServer) -> None:
    before = desk.acts()
    for path, body, _ in ACTS:
        for token in ("viewer", "compliance"):
            assert token in is_problem(desk.post(path, WHY | body, "k", token), 403)["detail"]
        is_problem(desk.post(path, WHY | body, "k", ""), 401)
        is_problem(desk.post(path, WHY | body, "k", "wrong"), 401)
    browser = requests.Session()
    form = {"token": desk.api.tokens["operator"], "next": "/"}
    browser.post(f"{desk.api.url}/sign-in", data=form, timeout=TIMEOUT_S)
    assert COOKIE in browser.cookies
    from_browser = browser.post(
        f"{desk.api.url}/acts/halt", json={"scope": "everything", **WHY}, timeout=TIMEOUT_S
    )
    assert "Bearer" in is_problem(from_browser, 403)["detail"]
    elsewhere = desk.post(
        "halt", {"scope": "everything", **WHY}, headers={"Origin": "http://x.test"}
    )
    is_problem(elsewhere, 403)
    assert desk.acts() == before


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("halt", {}, "scope"),
        ("halt", {"scope": "all"}, "a scope is everything"),
        ("halt", {"scope": "symbol:A B"}, "is no symbol"),
        ("halt", {"scope": "strategy: "}, "a strategy has a name"),
        ("halt", {"scope": "everything", "symbol": "AAPL"}, "symbol"),
        ("halt", {"scope": "everything", "cancel_open": "yes"}, "cancel_open"),
        ("halt", {"scope": "everything", "operator": "someone else"}, "operator"),
        ("halt", {"scope": "everything", "why": " "}, "the reason"),
        ("halt", {"scope": "everything", "why": "two\nlines"}, "the reason"),
        ("halt", {"scope": "everything", "key": "a b"}, "a key has"),
        ("halt", {"scope": "everything", "\ud800": 1}, "unicode"),
        ("resume", {"scope": "everything", "cancel_open": True}, "cancel_open"),
        ("orders", {"side": "buy"}, "symbol"),
        ("orders", BUY | {"side": "hold"}, "side"),
        ("orders", BUY | {"quantity": 0}, "zero"),
        ("orders", BUY | {"quantity": -1}, "the quantity"),
        ("orders", BUY | {"quantity": 1.5}, "quantity"),
        ("orders", BUY | {"quantity": True}, "quantity"),
        ("orders", BUY | {"quantity": "1.5", "time_in_force": "gtc"}, "day orders only"),
        ("orders", BUY | {"limit_price": "1.005"}, "steps of 0.01"),
        ("orders", BUY | {"symbol": "' OR 1=1 --"}, "is no symbol"),
        ("orders/%20/cancel", {}, "the id of a decision"),
        ("orders/d-1/cancel", {"symbol": "A B"}, "is no symbol"),
        ("orders/d-1/replace", {}, "nothing to replace"),
        ("orders/d-1/replace", {"quantity": "0.5"}, "whole shares"),
        ("orders/d-1/resolve", {"outcome": "lost"}, "outcome"),
        ("orders/d-1/resolve", {"outcome": "filled"}, "needs shares and price"),
    ],
    ids=range(27),
)
def test_what_cannot_be_is_refused_and_leaves_no_event(
    desk: ActsServer, path: str, body: dict[str, Any], told: str
) -> None:
    answer = desk.post(path, WHY | body, "" if "key" in body else "nothing")
    assert told in is_problem(answer, 422)["detail"]
    assert desk.acts("nothing") == []


def test_an_order_needs_a_key_of_its_own(desk: ActsServer) -> None:
    for path in ("orders", "orders/d-1/cancel"):
        body = BUY if path == "orders" else WHY
        assert "Idempotency-Key" in is_problem(desk.post(path, body), 422)["detail"]
    assert "differ" in is_problem(desk.post("orders", BUY | {"key": "a"}, "b"), 422)["detail"]
    halted = desk.post("halt", {"scope": "symbol:KO", **WHY})
    assert (halted.status_code, len(desk.acts(halted.json()["key"]))) == (201, 1)


def test_what_is_recorded_long_ago_is_found_and_what_never_was_is_not(
    desk: ActsServer, trades: Database
) -> None:
    decision_id = story.an_id("d", "d1")
    with trades.reader() as connection:
        known = order_of_id(connection, decision_id)
    assert known == ("AAPL", decision_id, None)
    assert desk.post(f"orders/{decision_id}/cancel", WHY, "long-ago").status_code == 202
    (act,) = desk.acts("long-ago")
    assert (act.symbol, act.decision_id, act.execution_id) == known
    missing = desk.post("orders/no-such-id/cancel", WHY, "missing")
    assert "nothing was asked" in is_problem(missing, 404)["detail"]
    assert desk.acts("missing") == []


def test_an_unclear_commit_is_said_and_the_same_key_tells(desk: ActsServer) -> None:
    body = {"scope": "symbol:GE", **WHY}
    keys = (f"unclear-{number}" for number in itertools.count())
    # The broker confirms nothing from some moment on.
    bytes_max(desk, "1")
    refused = eventually(
        lambda: desk.post("halt", body, next(keys)), lambda answer: answer.status_code == 503
    )
    bytes_max(desk, "3000000")
    problem = is_problem(refused, 503)
    assert problem["recorded"] == "unknown"
    key = problem["key"]
    assert key in problem["detail"]
    told = eventually(
        lambda: desk.post("halt", body, key), lambda answer: answer.status_code in (200, 201)
    )
    assert [act.event_id for act in desk.acts(key)] == [told.json()["act_id"]]


def bytes_max(desk: ActsServer, value: str) -> None:
    """Have the broker refuse larger events on the control topic."""
    entry = ConfigEntry("max.message.bytes", value, incremental_operation=AlterConfigOpType.SET)
    control = Topics.of(desk.log).control
    resource = ConfigResource(ResourceType.TOPIC, control, incremental_configs=[entry])
    admin = open_admin(desk.log)
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(TIMEOUT_S)


def test_without_the_log_nothing_is_recorded_and_that_is_said(
    desk: ActsServer, trades: Database, tmp_path: Path
) -> None:
    away = desk.log.model_copy(update={"kafka": "127.0.0.1:9"})
    with acts_served(away, trades, tmp_path / "tokens.json") as nowhere:
        with ThreadPoolExecutor(2) as threads:
            asked = [
                threads.submit(nowhere.post, "halt", {"scope": "everything", **WHY}, "away-1"),
                threads.submit(nowhere.post, "orders", BUY, "away-2"),
            ]
            problems = [is_problem(each.result(), 503) for each in asked]
    assert [problem["recorded"] for problem in problems] == ["no", "no"]
    assert desk.acts("away-1") == desk.acts("away-2") == []


def test_without_tokens_nobody_acts(desk: ActsServer, trades: Database) -> None:
    with acts_served(desk.log, trades, None) as open_api:
        refused = open_api.post("halt", {"scope": "everything", **WHY}, token="")
        assert "without tokens" in is_problem(refused, 403)["detail"]


def test_the_auditor_takes_acts_and_reports_them_and_stops_while_one_waits(
    stack: Any, tmp_path: Path
) -> None:
    path, token = tmp_path / "tokens.json", new_token()
    add_token(path, entry_of(token, "ann", Role.OPERATOR, DECISION.occurred_at.date(), None))
    log = fresh_log(stack)
    with audit_of(log, stack.addresses.postgres_dsn) as audit:
        auditor = audit.start(API_TOKENS_FILE=str(path)).wait_ready()
        api = Served(auditor.url, None, path, {"operator": token})
        desk = ActsServer(api, log)
        halted = desk.post("halt", {"scope": "everything", **WHY}, "k-1").json()
        (act,) = desk.acts("k-1")
        assert (act.operator, act.event_id) == ("ann", halted["act_id"])
        report = eventually(
            lambda: api.ask(halted["look_at"], "operator").json(),
            lambda report: report["operator_acts"],
        )
        assert report["operator_acts"][0]["act_id"] == halted["act_id"]
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(desk.post, "orders", BUY, "k-2", wait_s=10)
            eventually(lambda: desk.acts("k-2"))
            assert auditor.stop() == 0
            # Told what is recorded, or cut off when the machine is too slow for that.
            with suppress(requests.ConnectionError):
                assert waiting.result().status_code == 202
        assert len(desk.acts("k-2")) == 1
