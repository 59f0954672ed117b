"""Runs a demo: a fresh stack, the walk, and what the audit database says of it afterwards."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from datetime import time as wall_time
from pathlib import Path

import requests

from tradetrail.demo.plan import Plan
from tradetrail.demo.probe import Probe
from tradetrail.demo.runs import RunFollower
from tradetrail.demo.walk import CONTROL_TIMEOUT_S, MORNING, Walk, Walker
from tradetrail.errors import UsageError
from tradetrail.sessions import new_york, session_on_or_after
from tradetrail.settings import SharedSettings, canonical_json
from tradetrail.stack.assembly import ALL_PARTS
from tradetrail.stack.local import LocalStack, Show
from tradetrail.stack.running import demo_home

POSITION_USD_MAX = 100_000
SERVICES = ("ingestor", "decider", "executor", "auditor")
TASKS = ("data_fetch:congress_daily", "data_fetch:insider_daily")
# Seats and sectors change a few times a year: fetched in the first morning only.
FIRST_TASKS = ("data_fetch:committees", "data_fetch:sectors")
_BEFORE_MORNING = wall_time(6, 0)

Progress = Callable[[date, int], None]


@dataclass(frozen=True, slots=True)
class Walked:
    """What a walk was: how many sessions, and how long it took (real seconds)."""

    sessions: int
    took_s: float


@contextmanager
def demo_stack(plan: Plan, show: Show | None = None) -> Iterator[LocalStack]:
    """Start everything on an empty log in the demo's own folder; stop it at the end.

    The folder of an earlier demo is emptied first: a demo begins at the beginning. Raises UsageError while another
    demo runs in it.
    """
    home = demo_home()
    if home.is_locked():
        raise UsageError(
            f"a demo already runs in {home.root}; end it with Ctrl-C or `tradetrail down` first"
        )
    _empty(home.root)
    stack = LocalStack(
        home.root,
        ALL_PARTS,
        simulator_arguments=(*plan.world_arguments(), "--now", _begin(plan)),
        env=_service_env(),
    )
    try:
        stack.start()
        stack.wait_ready(show=show)
        yield stack
    finally:
        stack.stop()


def _empty(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(
            f"the folder of an earlier demo, {folder}, can't be emptied ({error.strerror}): remove it, "
            "or set TRADETRAIL_HOME to another folder"
        ) from error


def walk(plan: Plan, stack: LocalStack, progress: Progress) -> Walked:
    """Walk the plan's days; ``progress`` hears of each finished session and how many are left."""
    env = stack.env()
    settings = SharedSettings(
        kafka=env["TRADETRAIL_KAFKA"], registry_url=env["TRADETRAIL_REGISTRY_URL"], instance="demo"
    )
    alpaca = f"{env['TRADETRAIL_ALPACA_URL']}/control"
    setup = {"account": {"cash": str(plan.cash_usd)}, "rate_limit": 0}
    requests.post(alpaca, json=setup, timeout=CONTROL_TIMEOUT_S).raise_for_status()
    health = {name: f"{stack.part(name).address}/health" for name in SERVICES}
    probe, runs = Probe(settings, health), RunFollower(settings)
    walker = Walker(
        probe,
        runs,
        [f"{env['TRADETRAIL_QUIVER_URL']}/control", alpaca],
        {**os.environ, **env, **_service_env()},
        TASKS,
    )
    route = Walk(plan.start, plan.end)
    started = time.monotonic()
    try:
        for task in FIRST_TASKS:
            walker.run_once(task)
        walker.walk(route, progress)
    finally:
        probe.close()
        runs.close()
    return Walked(len(route.days()), time.monotonic() - started)


def _begin(plan: Plan) -> str:
    first = session_on_or_after(plan.start)
    return new_york(first, _BEFORE_MORNING).isoformat()


def _service_env() -> dict[str, str]:
    at = f"{MORNING:%H:%M}"
    schedule = [{"task": task, "at": at, "days": "sessions"} for task in TASKS]
    return {
        "TRADETRAIL_INGESTOR_SCHEDULE": canonical_json(schedule),
        # The simulated date moves in jumps; an order's next state is a jump away, so polls may be frequent.
        "TRADETRAIL_EXECUTOR_POLL_EVERY_S": "0.5",
        # A tenth of the demo's cash: room for some buys of one symbol, so that limits show without ruling.
        "TRADETRAIL_EXECUTOR_POSITION_USD_MAX": str(POSITION_USD_MAX),
        # A position is left by one order, so an order may be as large as a position.
        "TRADETRAIL_EXECUTOR_ORDER_NOTIONAL_USD_MAX": str(POSITION_USD_MAX),
    }
