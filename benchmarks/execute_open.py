"""With many open orders: how long a restart takes, and how long a standby's takeover from a killed executor."""

from __future__ import annotations

import time
from contextlib import ExitStack
from statistics import median
from typing import Any

import requests
from confluent_kafka.admin import AdminClient

from benchmarks.execute_rig import (
    BELOW,
    BrokerSide,
    broker,
    decisions,
    executor,
    health_when,
    send,
    symbols_of,
)
from benchmarks.log_rig import Running, new_log
from benchmarks.parts import Say
from tradetrail.alpaca_settings import AlpacaSettings
from tradetrail.errors import Fatal
from tradetrail.log.kafka import SESSION_TIMEOUT_MS
from tradetrail.settings import SharedSettings

OPEN, ROUNDS = 1_000, 3
_JOIN_MAX_S = 60.0
_POLL_S = 0.02


def open_orders(
    kafka: str, registry_url: str, say: Say, count: int = OPEN, rounds: int = ROUNDS
) -> dict[str, Any]:
    """Return the seconds of a restart and of a takeover with ``count`` open orders, medians of ``rounds``."""
    settings = new_log(kafka, registry_url)
    symbols = symbols_of(count)
    restarts, takeovers = list[dict[str, float]](), list[dict[str, float]]()
    with ExitStack() as cleanup:
        at = cleanup.enter_context(broker(count))
        send(settings, decisions("open", symbols, count, BELOW))
        say(f"placing {count} limit orders that nothing fills")
        with executor(settings, at) as first:
            health_when(first, "all orders open", **_all_looked_at(count))
        if at.told("open_order_count")["open_order_count"] != count:
            raise Fatal(f"the broker has not all of {count} orders open")
        for number in range(rounds):
            say(f"a restart, {number + 1} of {rounds}")
            restarts.append(_restart(settings, at, count))
        for number in range(rounds):
            say(f"a takeover, {number + 1} of {rounds}")
            takeovers.append(_takeover(settings, at, count))
    ready, taken = _medians(restarts), _medians(takeovers)
    return {
        f"ready_with_{count}_open_s": ready.pop("whole"),
        f"ready_with_{count}_open_split_s": ready,
        "takeover_s": taken.pop("whole"),
        "takeover_split_s": taken,
        "takeover_session_timeout_s": SESSION_TIMEOUT_MS / 1000,
        "open_orders": count,
    }


def _all_looked_at(count: int) -> dict[str, object]:
    return {
        "active": True,
        "waiting": 0,
        "runnable": 0,
        "unknown": 0,
        "unanswered": count,
        "open_confirmed": count,
    }


def _restart(settings: SharedSettings, at: BrokerSide, count: int) -> dict[str, float]:
    """Start an executor after the last one left in good order."""
    began = time.monotonic()
    with executor(settings, at) as running:
        elected = _elected_after(running, began)
        health_when(running, "a restart with open orders", **_all_looked_at(count))
        whole = time.monotonic() - began
    return {"whole": whole, "process_and_election": elected, "log_and_orders": whole - elected}


def _takeover(settings: SharedSettings, at: BrokerSide, count: int) -> dict[str, float]:
    """Kill the active executor while another stands by."""
    with executor(settings, at) as active:
        health_when(active, "an active executor", **_all_looked_at(count))
        with executor(settings, at) as standby:
            health_when(standby, "a standby", active=False, status="ready")
            _until_members(settings, 2)
            began = time.monotonic()
            active.popen.kill()
            elected = _elected_after(standby, began)
            health_when(standby, "a takeover with open orders", **_all_looked_at(count))
            whole = time.monotonic() - began
    return {"whole": whole, "until_elected": elected, "log_and_orders": whole - elected}


def _elected_after(running: Running, began: float) -> float:
    """Return the seconds after ``began`` at which the executor was the account's, by its own metric."""
    while True:
        try:
            if running.metrics().get("tradetrail_executor_active"):
                return time.monotonic() - began
        except requests.RequestException:
            pass
        if running.popen.poll() is not None:
            raise Fatal("the executor ended; its log is above")
        time.sleep(_POLL_S)


def _until_members(settings: SharedSettings, count: int) -> None:
    """Wait until the account's group has so many members and is settled."""
    group = f"{settings.topic_prefix}executor-{AlpacaSettings().account}"
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    deadline = time.monotonic() + _JOIN_MAX_S
    while time.monotonic() < deadline:
        told = admin.describe_consumer_groups([group])[group].result(_JOIN_MAX_S)
        if len(told.members) == count and told.state.name == "STABLE":
            return
        time.sleep(_POLL_S)
    raise Fatal(f"group {group} had not {count} members within {_JOIN_MAX_S:g} s")


def _medians(found: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(median(each[key] for each in found), 2) for key in found[0]}
