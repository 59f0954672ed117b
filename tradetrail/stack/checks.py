"""See that a part really works: ask it something only a working server answers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
import requests
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tradetrail.stack.parts import Check

# A local server answers in milliseconds; one busy on two cores, within a second. Beyond this it counts as ill.
CHECK_TIMEOUT_S = 3.0

_quiet = logging.getLogger("tradetrail.stack.kafka-check")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False
_admins: dict[str, AdminClient] = {}
_admins_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: no problem, or its text; and what a health page told besides."""

    problem: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def run_check(check: Check) -> Finding:
    """Ask the server; never raises for a server that is away."""
    return _CHECKS[check.kind](check.target)


def _check_kafka(address: str) -> Finding:
    with _admins_lock:
        if address not in _admins:
            settings: dict[str, str | int | float | bool] = {
                "bootstrap.servers": address,
                "reconnect.backoff.ms": 50,
                # A server that is starting must be found soon after it listens.
                "reconnect.backoff.max.ms": 200,
                "socket.connection.setup.timeout.ms": int(CHECK_TIMEOUT_S * 1000),
                "log_level": 0,
            }
            _admins[address] = AdminClient(settings, logger=_quiet)
    try:
        metadata = _admins[address].list_topics(timeout=CHECK_TIMEOUT_S)
    except KafkaException as error:
        return Finding(f"Kafka at {address} gives no metadata: {error.args[0].str()}")
    if not metadata.brokers:
        return Finding(f"Kafka at {address} has no broker ready")
    return Finding()


def _check_registry(url: str) -> Finding:
    found = _check_http(f"{url.rstrip('/')}/subjects")
    return Finding(found.problem)


def _check_postgres(dsn: str) -> Finding:
    try:
        with psycopg.connect(
            dsn, connect_timeout=int(CHECK_TIMEOUT_S), autocommit=True
        ) as connection:
            connection.execute(f"SET statement_timeout = {int(CHECK_TIMEOUT_S * 1000)}")
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        return Finding(
            f"PostgreSQL does not answer SELECT 1: {str(error).strip().splitlines()[-1]}"
        )
    return Finding()


def _check_http(url: str) -> Finding:
    try:
        with requests.Session() as session:
            # A proxy set in the environment has no way to a server on this machine.
            session.trust_env = False
            answer = session.get(url, timeout=CHECK_TIMEOUT_S)
    except requests.RequestException as error:
        return Finding(f"GET {url}: no answer ({type(error).__name__})")
    try:
        body = answer.json()
    except ValueError:
        body = None
    facts = body if isinstance(body, dict) else {}
    if not answer.ok:
        return Finding(f"GET {url}: HTTP {answer.status_code} {answer.text[:200]}".strip(), facts)
    return Finding(None, facts)


def _check_alive(_target: str) -> Finding:
    return Finding()


_CHECKS: dict[str, Callable[[str], Finding]] = {
    "kafka": _check_kafka,
    "registry": _check_registry,
    "postgres": _check_postgres,
    "http": _check_http,
    "alive": _check_alive,
}
