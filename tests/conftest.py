"""Fixtures for every test: the servers, started once a session by the same code as ``tradetrail up``."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from confluent_kafka import libversion
from hypothesis import HealthCheck, settings

from tradetrail.stack.artifacts import pinned
from tradetrail.stack.doctor import program_version
from tradetrail.stack.local import LocalStack
from tradetrail.stack.postgres import postgres_binaries

# Java servers here live minutes: its second compiler costs them more time than it saves.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")

# A busy machine is no fault of what is tested: neither an example nor the drawing of some may take too long.
settings.register_profile(
    "patient",
    parent=settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("patient")

# Tests of whole processes and servers. In continuous integration, on a machine of two busy cores, one of them that
# fails is tried once more; the summary lists it as RERUN either way. A unit test or a fault campaign never is: what
# those find is found.
_TRIED_TWICE = {"contract", "integration", "e2e"}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Kafka, registry and Postgres: embedded in a folder of this session, or those that ``TRADETRAIL_KAFKA``,
    ``TRADETRAIL_REGISTRY_URL`` and ``TRADETRAIL_POSTGRES_DSN`` name.

    Shared by all tests: use random topics, groups, subjects and database schemas, and leave the servers running.
    """
    home = tmp_path_factory.mktemp("stack")
    with LocalStack(home) as running:
        yield running
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder of real records named by ``TRADETRAIL_DATA_DIR``; skip when it is unset."""
    chosen = os.environ.get("TRADETRAIL_DATA_DIR")
    if not chosen:
        pytest.skip("TRADETRAIL_DATA_DIR names no folder of real records")
    return Path(chosen)


@pytest.fixture(autouse=True)
def fresh_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let what a command configures in this process end with its test, whose captured stderr is closed then."""
    configure = structlog.configure

    def uncached(**settings: Any) -> None:
        configure(**{**settings, "cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", uncached)
    yield
    structlog.reset_defaults()


def gets_second_try(test_file: Path) -> bool:
    """Tell whether a failure of a test in this file is tried once more in continuous integration."""
    return test_file.relative_to(Path(__file__).parent).parts[0] in _TRIED_TWICE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests of whole processes their second try, where ``CI`` is set; at a desk each failure is one."""
    if not os.environ.get("CI"):
        return
    for item in items:
        if gets_second_try(item.path):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_configure() -> None:
    """Let programs that tests start be interrupted, also when a shell's background job runs the tests."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> list[str]:
    """Name the servers the tests run against."""
    kafka = os.environ.get("TRADETRAIL_KAFKA")
    return [
        f"Kafka: {f'external at {kafka}' if kafka else pinned('kafka')['version'] + ' (embedded)'}",
        f"Postgres: {_postgres_version()}",
        f"librdkafka: {libversion()[0]}",
    ]


def _postgres_version() -> str:
    dsn = os.environ.get("TRADETRAIL_POSTGRES_DSN")
    if not dsn:
        return f"{program_version([str(postgres_binaries() / 'postgres'), '--version'])} (embedded)"
    try:
        with psycopg.connect(dsn, connect_timeout=3) as connection:
            return f"{connection.info.server_version / 10000:.4g} (external)"
    except psycopg.Error as error:
        return f"external, not reachable: {error}".splitlines()[0]
