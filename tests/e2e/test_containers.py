"""The containers, with a real engine: build, start, walk simulated days, read the report, stop.

Asked for by TRADETRAIL_CONTAINERS=1 (``make containers``); then a missing engine is a failure. Kafka, the registry and
Postgres are stand-ins made here (tests/containers/standins.py); TRADETRAIL_CONTAINERS=official runs the images that
docker-compose.yml names instead.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from confluent_kafka.admin import AdminClient

from tests.containers import standins
from tests.containers.engine import CommandFailed, Engine, EngineMissing, Project

_ASKED = os.environ.get("TRADETRAIL_CONTAINERS", "0")
# Building takes minutes on a machine that has to fetch everything; each step has a limit of its own below.
pytestmark = [
    pytest.mark.timeout(2_400),
    pytest.mark.skipif(
        _ASKED in ("", "0"), reason="needs a Docker engine; `make containers` runs it"
    ),
]

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "tradetrail:test"
APPLICATION = (
    "ingestor",
    "decider",
    "executor",
    "auditor",
    "migrate",
    "provision",
    "simulated-alpaca",
    "simulated-quiverquant",
)
# Sessions of the invented world: enough that something was bought.
FIRST, LAST = "2024-01-02", "2024-01-05"

BUILD_TIMEOUT_S = 900.0
# Two JVMs, Postgres and six Python processes on two busy cores.
UP_TIMEOUT_S = 300
WALK_TIMEOUT_S = 600.0
# Longest stop_grace_period of the application is 30 s, Kafka's 60 s.
DOWN_TIMEOUT_S = 180.0
HTTP_TIMEOUT_S = (3.0, 30.0)


@pytest.fixture(scope="module")
def engine() -> Engine:
    """Return the engine; fail with what is missing, and without a stack trace: it is no fault of the code."""
    try:
        return Engine()
    except EngineMissing as error:
        missing = str(error)
    pytest.fail(f"this needs a Docker engine: {missing}", pytrace=False)


@pytest.fixture(scope="module")
def images(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Build the application's image and the stand-ins; return the variables that name them."""
    engine.build(ROOT, IMAGE, timeout_s=BUILD_TIMEOUT_S)
    if _ASKED == "official":
        return {"TRADETRAIL_IMAGE": IMAGE}
    return {
        "TRADETRAIL_IMAGE": IMAGE,
        "KAFKA_IMAGE": standins.build_kafka(engine, tmp_path_factory.mktemp("kafka")),
        "REGISTRY_IMAGE": standins.build_registry(engine, tmp_path_factory.mktemp("registry")),
        "POSTGRES_IMAGE": standins.build_postgres(engine, tmp_path_factory.mktemp("postgres")),
    }


@pytest.fixture(scope="module")
def ports() -> dict[str, str]:
    """Return a free port of this machine for each that is published."""
    names = (
        "KAFKA",
        "REGISTRY",
        "POSTGRES",
        "AUDITOR",
        "SIMULATED_ALPACA",
        "SIMULATED_QUIVERQUANT",
    )
    sockets = [socket.socket() for _ in names]
    for held in sockets:
        held.bind(("127.0.0.1", 0))
    chosen = {
        f"{name}_PORT": str(held.getsockname()[1])
        for name, held in zip(names, sockets, strict=True)
    }
    for held in sockets:
        held.close()
    return chosen


@pytest.fixture(scope="module")
def project(engine: Engine, images: dict[str, str], ports: dict[str, str]) -> Iterator[Project]:
    """Start everything and wait until it is ready; take it away, volumes included, whatever happens."""
    token = secrets.token_hex(4)
    env = {
        **images,
        **ports,
        "POSTGRES_PASSWORD": secrets.token_hex(16),
        "REGISTRY_PASSWORD": secrets.token_hex(16),
    }
    options = ("--env-file", "deploy/containers/simulated.env", "--profile", "simulators")
    project = Project(engine, f"tradetrail-test-{token}", ROOT, options, env)
    try:
        try:
            wait = ("--wait", "--wait-timeout", str(UP_TIMEOUT_S))
            project.run("up", "--detach", "--no-build", *wait, timeout_s=UP_TIMEOUT_S + 60)
        except CommandFailed as error:
            pytest.fail(f"{error}\n{_logs(project)}")
        yield project
    finally:
        project.run(
            "down", "--volumes", "--remove-orphans", "--timeout", "60", timeout_s=DOWN_TIMEOUT_S
        )
    assert project.containers() == []


@pytest.fixture(scope="module")
def walked(project: Project) -> Project:
    """Walk the days once; every test reads what came of them."""
    script = f"{ROOT / 'tests' / 'containers' / 'walk.py'}:/walk.py:ro"
    run = ("run", "--rm", "--no-TTY", "--no-deps", "--volume", script, "--entrypoint", "python")
    try:
        project.run(*run, "ingestor", "/walk.py", FIRST, LAST, timeout_s=WALK_TIMEOUT_S)
    except CommandFailed as error:
        pytest.fail(f"{error}\n{_logs(project)}")
    return project


def _logs(project: Project) -> str:
    with suppress(CommandFailed):
        status = project.run("ps", "--all")
        return status + project.run("logs", "--no-color", "--tail", "25")
    return "the logs can't be had"


def _get(ports: dict[str, str], path: str, **query: str) -> Any:
    answer = requests.get(
        f"http://127.0.0.1:{ports['AUDITOR_PORT']}{path}",
        params=query,
        headers={"Accept": "application/json"},
        timeout=HTTP_TIMEOUT_S,
    )
    answer.raise_for_status()
    return answer.json()


def _reports(ports: dict[str, str]) -> list[Any]:
    """Return the report of every symbol, over everything that is recorded."""
    symbols = [row["symbol"] for row in _get(ports, "/")["symbols"]]
    assert symbols
    return [_get(ports, f"/reports/symbol/{quote(symbol, safe='')}") for symbol in symbols]


def test_every_application_container_runs_without_root_and_without_a_writable_root(
    project: Project,
) -> None:
    found = {c["Config"]["Labels"]["com.docker.compose.service"]: c for c in project.containers()}
    assert set(APPLICATION) <= set(found)
    for name in APPLICATION:
        container = found[name]
        assert container["Config"]["User"] == "10001:10001", name
        assert container["HostConfig"]["ReadonlyRootfs"], name
        assert container["HostConfig"]["CapDrop"] == ["ALL"], name
    for name in ("ingestor", "decider", "executor", "auditor"):
        said = project.run(
            "exec", "--no-TTY", name, "python", "-c", "import os; print(os.getuid())"
        )
        assert said.strip() == "10001", name


def test_ports_are_published_on_the_loopback_address_only(project: Project) -> None:
    for container in project.containers():
        for bindings in (container["NetworkSettings"]["Ports"] or {}).values():
            assert {binding["HostIp"] for binding in bindings or ()} <= {"127.0.0.1"}


def test_steps_end_well_and_nothing_restarts(walked: Project) -> None:
    for container in walked.containers():
        name = container["Config"]["Labels"]["com.docker.compose.service"]
        if name in ("migrate", "provision"):
            assert container["State"]["ExitCode"] == 0, name
            continue
        assert container["State"]["Health"]["Status"] == "healthy", name
        assert container["RestartCount"] == 0, name


def test_the_report_holds_disclosures_decisions_and_trades(
    walked: Project, ports: dict[str, str]
) -> None:
    reports = _reports(ports)
    traded = [report for report in reports if report["trades_executed"]]
    assert traded, f"nothing was bought in {len(reports)} symbols"
    for report in traded:
        assert report["data_ingested"]
        decisions = {row["decision_id"] for row in report["decisions_made"]}
        assert {row["decision_id"] for row in report["trades_executed"]} <= decisions
        assert report["summary"]["executions"]["total_trades"] == len(report["trades_executed"])
        assert report["summary"]["decisions"]["executed"] >= 1


def test_the_report_agrees_with_the_brokers_own_book(
    walked: Project, ports: dict[str, str]
) -> None:
    book = requests.get(
        f"http://127.0.0.1:{ports['SIMULATED_ALPACA_PORT']}/control", timeout=HTTP_TIMEOUT_S
    ).json()
    held = {row["symbol"]: Decimal(row["qty"]) for row in book["positions"]}
    reported = {}
    for report in _reports(ports):
        sums = report["summary"]["executions"]
        shares = Decimal(str(sums["shares_bought"])) - Decimal(str(sums["shares_sold"]))
        if shares:
            reported[report["symbol"]] = shares
    assert held
    assert reported == held


def test_programs_on_this_machine_reach_the_log(walked: Project, ports: dict[str, str]) -> None:
    admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{ports['KAFKA_PORT']}"})
    topics = admin.list_topics(timeout=10).topics
    assert {"trade.runs", "trade.default", "trade.control"} <= set(topics)
    subjects = requests.get(
        f"http://127.0.0.1:{ports['REGISTRY_PORT']}/apis/ccompat/v7/subjects",
        timeout=HTTP_TIMEOUT_S,
    )
    assert any(subject.endswith("DecisionMade") for subject in subjects.json())


def test_services_stop_in_their_grace_period(walked: Project) -> None:
    services = ("ingestor", "decider", "executor", "auditor")
    walked.run("stop", "--timeout", "30", *services, timeout_s=60)
    for container in walked.containers():
        name = container["Config"]["Labels"]["com.docker.compose.service"]
        if name in services:
            # 137 would be a kill at the end of the grace period.
            assert container["State"]["ExitCode"] == 0, name
