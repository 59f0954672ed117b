"""Nothing that leaves a process holds a secret of it: neither its output nor the log nor the audit database.

The secrets are the keys that the simulated vendors ask for, a password in an address, and the database's own. Every
service runs for real, through good answers and through vendors that send our keys back in every way they can.
"""

from __future__ import annotations

import base64
import gzip
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest
import requests
from confluent_kafka import Consumer, TopicPartition

from services.ingestor.settings import IngestorSettings, QuiverSettings
from services.ingestor.sources.quiver import QuiverSource, quiver_vendor
from tests.contract.quiver_server import (
    TOKEN,
    Client,
    SmallWorld,
    committee_snapshot,
    congress_row,
    quiver,
)
from tests.eventually import eventually
from tests.free_port import free_port
from tests.integration.auditor_harness import Audit, audit_of
from tests.integration.disclosed import Row, morning, publish, run_events
from tests.integration.ingestor_harness import CONGRESS, SEATS, Ingestor, ingestor
from tradetrail.calls import joined_body
from tradetrail.events.generated import (
    ApiCallRecorded,
    DecisionDeclined,
    IngestionRunFailed,
    OrderUpdated,
)
from tradetrail.log.codec import Codec
from tradetrail.log.reader import end_offsets, places_of, read_all
from tradetrail.log.topics import Topics
from tradetrail.redaction import STARS
from tradetrail.settings import SharedSettings
from tradetrail.telemetry import configure_logging

pytestmark = pytest.mark.stack

LIVE = "/beta/live/congresstrading"
KEY_ID, SECRET_KEY = "simulated-key-id", "simulated-secret-key"
ADDRESS_PASSWORD = "canary-in-an-address"
PROCESS_TIMEOUT_S = 120.0

ECHOES: list[dict[str, Any]] = [
    {"status": 401, "text": '{"detail": "Invalid token: {authorization}"}'},
    {"status": 403, "text": '"No plan for {authorization}"'},
    {"status": 500, "text": "<html>Authorization: {authorization}</html>"},
    {"status": 200, "text": '[{"Ticker": "{authorization}", "ReportDate": "2024-03-05"}]'},
    {"status": 200, "text": '{"you": "{authorization}"}'},
    {"status": 200, "text": '["{authorization}"]'},
    {"status": 429, "text": "{}", "headers": {"Retry-After": "{authorization}"}},
    {"status": 302, "text": "", "headers": {"Location": f"http://localhost:9/?key={TOKEN}"}},
    {"status": 302, "text": "", "headers": {"Location": f"{LIVE}/{TOKEN}?key={TOKEN}"}},
    {"status": 302, "text": "", "headers": {"Location": f"http://[{TOKEN}"}},
    {"status": 500, "text": "", "headers": {"X-Request-Id": "{authorization}"}},
    {"status": 500, "base64": base64.b64encode(gzip.compress(TOKEN.encode() * 9)).decode()}
    | {"headers": {"Content-Encoding": "gzip"}},
    {"status": 500, "text": base64.b64encode(TOKEN.encode()).decode()},
]


class Hunt:
    """Looks for secrets, as they are and as they are commonly written."""

    def __init__(self, *secrets: str) -> None:
        """Hunt for these."""
        forms = {s for secret in secrets for s in (secret, quote(secret, safe=""))}
        forms |= {base64.b64encode(secret.encode()).decode().rstrip("=") for secret in secrets}
        self._needles = [form.encode() for form in forms]

    def in_bytes(self, content: bytes) -> list[bytes]:
        """Return what was found."""
        return [needle for needle in self._needles if needle in content]

    def in_log(self, log: SharedSettings) -> list[str]:
        """Return where on any topic a secret stands: keys, values, headers, and bodies unpacked."""
        places = places_of(log, Topics.of(log).all())
        ends = end_offsets(log, places, committed_only=False)
        consumer = Consumer(
            {
                "bootstrap.servers": log.kafka,
                "group.id": f"{log.topic_prefix}hunt",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                # Also what was never committed stays on the broker.
                "isolation.level": "read_uncommitted",
            }
        )
        found, open_places = [], {place for place in places if ends[place]}
        try:
            consumer.assign([TopicPartition(*place, 0) for place in open_places])
            while open_places:
                message = consumer.poll(10)
                assert message is not None, f"nothing more came of {open_places}"
                place = (message.topic() or "", message.partition() or 0)
                if message.error():
                    open_places.discard(place)
                    continue
                parts: list[Any] = [message.key(), message.value()]
                parts += [p for pair in message.headers() or [] for p in pair]
                raw = b"\n".join(p if isinstance(p, bytes) else str(p).encode() for p in parts if p)
                if self.in_bytes(raw):
                    found.append(f"{place}/{message.offset()}")
        finally:
            consumer.close()
        return found + self._in_bodies(log)

    def _in_bodies(self, log: SharedSettings) -> list[str]:
        codec, chunks = Codec(log.registry_url), dict[str, list[ApiCallRecorded]]()
        topics = Topics.of(log)
        for message in read_all(log, [*topics.trade(), topics.runs]):
            event = codec.decode(message.value).event
            if isinstance(event, ApiCallRecorded):
                chunks.setdefault(event.call_id, []).append(event)
        return [call for call, parts in chunks.items() if self.in_bytes(joined_body(parts) or b"")]

    def in_database(self, audit: Audit) -> list[str]:
        """Return the tables in which a secret stands, every column of every row."""
        tables = audit.rows(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        )
        found = []
        with psycopg.connect(audit.dsn, options=f"-c search_path={audit.schema}") as connection:
            for (table,) in tables:
                copy = psycopg.sql.SQL("COPY (SELECT * FROM {}) TO STDOUT (FORMAT binary)")
                with connection.cursor().copy(copy.format(psycopg.sql.Identifier(table))) as rows:
                    content = b"".join(bytes(block) for block in rows)
                if self.in_bytes(content):
                    found.append(table)
        assert len(tables) > 20
        return found


@pytest.fixture
def client() -> Iterator[Client]:
    world = SmallWorld([congress_row("2024-03-05")], [], [committee_snapshot("2024-01-01")])
    with quiver(world, "2024-03-08T12:00:00Z") as running:
        yield running


@pytest.fixture
def logs(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> pytest.CaptureFixture[str]:
    """Put back afterwards what ``configure_logging`` changes; return the captured output."""
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    return capfd


def with_password(address: str) -> str:
    """Return ``address`` with a user and a password in it."""
    return address.replace("://", f"://someone:{ADDRESS_PASSWORD}@")


def password_of(dsn: str) -> str:
    """Return the password of a Postgres address."""
    return urlsplit(dsn).password or pytest.skip("this Postgres asks for no password")


def test_no_run_lets_a_secret_out(
    log: SharedSettings, client: Client, stack: Any, logs: pytest.CaptureFixture[str]
) -> None:
    dsn = stack.addresses.postgres_dsn
    hunt = Hunt(TOKEN, ADDRESS_PASSWORD, password_of(dsn))
    configure_logging(log)
    with ingestor(log, client) as here, audit_of(log, dsn) as audit:
        auditor = audit.start()
        own = IngestorSettings(retry_after_s_max=1.0)
        settings = QuiverSettings(url=with_password(client.base), token=TOKEN)
        here._parts = replace(here.parts, quiver=QuiverSource(quiver_vendor(own, settings), own))
        for echo in ECHOES:
            client.control(clear_faults=True)
            client.arm("answer", path=LIVE + "*", **echo)
            here.run()
        assert here.run().error is None
        _break(here)
        # A process of its own: a failing run on its schedule, told by health and metrics.
        client.arm("answer", path=LIVE, **ECHOES[0])
        told = _served(here, client)
        auditor.wait_ready()
        audit.wait_audited()
        told += (
            auditor.health().content + requests.get(f"{auditor.url}/metrics", timeout=30).content
        )
        assert auditor.stop() == 0
        failed = here.events(IngestionRunFailed)
        calls = here.events(ApiCallRecorded)
        assert hunt.in_database(audit) == []
    assert hunt.in_log(log) == []
    out, err = logs.readouterr()
    assert hunt.in_bytes(told + out.encode() + err.encode()) == []
    # It was there to be hidden: in the reasons, in what is on record, and in what was logged.
    codes = [each.error_code for each in failed]
    assert {"unauthorized", "forbidden", "vendor_error", "redirected", "internal"} <= set(codes)
    assert sum(STARS in each.error_message for each in failed) >= 6
    assert sum(call.body_redactions for call in calls) >= 14
    assert STARS in err
    assert b"unauthorized" in told


def _break(here: Ingestor) -> None:
    """End a run by a defect whose text holds what it must not, in the middle of its work."""

    class Defect:
        waiting = None

        def congress(self, *_: Any) -> Any:
            raise RuntimeError(f"can't ask {with_password('http://vendor')} with {TOKEN}")

    sound = here.parts
    here._parts = replace(sound, quiver=Defect())  # type: ignore[arg-type]
    error = here.run().error or ""
    assert "internal" in error
    # What a command prints of it.
    assert TOKEN not in error
    here._parts = sound


def _served(here: Ingestor, client: Client) -> bytes:
    """Return what the service tells over HTTP after a failed run, and its output."""
    # Past the slot, which none of the runs before it did.
    client.control(now="2024-03-08T12:45:00Z")
    port = free_port()
    process = here.start(
        TRADETRAIL_HTTP_PORT=str(port),
        TRADETRAIL_INGESTOR_SCHEDULE=json.dumps([{"task": CONGRESS, "at": "07:30"}]),
        TRADETRAIL_QUIVER_URL=with_password(client.base),
        TRADETRAIL_COMMITTEES_URL=with_password(client.base),
    )
    url = f"http://127.0.0.1:{port}"

    def health() -> bytes:
        try:
            return requests.get(f"{url}/health", timeout=30).content
        except requests.RequestException:
            return b""

    try:
        told = eventually(health, lambda body: b'"failed"' in body, within_s=PROCESS_TIMEOUT_S)
        told += requests.get(f"{url}/metrics", timeout=30).content
        process.terminate()
        out, err = process.communicate(timeout=PROCESS_TIMEOUT_S)
    finally:
        process.kill()
    assert process.returncode == 0
    return told + out.encode() + err.encode()


def test_committee_files_are_asked_with_the_address_password_and_do_not_tell_it(
    log: SharedSettings, client: Client
) -> None:
    hunt = Hunt(ADDRESS_PASSWORD, f"someone:{ADDRESS_PASSWORD}")
    client.arm("answer", path="/congress-legislators/*", status=403, text="no: {authorization}")
    with ingestor(log, client) as here:
        code, out, err = here.once(SEATS, TRADETRAIL_COMMITTEES_URL=with_password(client.base))
        (failed,) = here.events(IngestionRunFailed)
    assert code == 1
    assert f"no: Basic {STARS}" in failed.error_message
    assert hunt.in_bytes((out + err).encode()) == []
    assert hunt.in_log(log) == []


@pytest.mark.parametrize(
    ("service", "arguments", "env", "code"),
    [
        ("ingestor", ["--show-config"], {}, 0),
        ("decider", ["--show-config"], {}, 0),
        ("executor", ["--show-config"], {}, 0),
        ("auditor", ["--show-config"], {}, 0),
        ("ingestor", [], {"TRADETRAIL_QUIVER_TOKEN": f"{TOKEN}\n"}, 2),
        ("ingestor", [], {"TRADETRAIL_INGESTOR_SCHEDULE": f"[{TOKEN}"}, 2),
        ("ingestor", [], {"TRADETRAIL_CLOCK_URL": with_password("http://127.0.0.1:9")}, 3),
        ("auditor", [], {"TRADETRAIL_POSTGRES_DSN": f"postgresq//u:{ADDRESS_PASSWORD}@h/d"}, None),
        ("auditor", [], {"TRADETRAIL_REGISTRY_URL": with_password("http://127.0.0.1:9")}, None),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_start_tells_no_secret(
    log: SharedSettings,
    tmp_path: Path,
    service: str,
    arguments: list[str],
    env: dict[str, str],
    code: int | None,
) -> None:
    given = {
        "TRADETRAIL_KAFKA": log.kafka,
        "TRADETRAIL_REGISTRY_URL": log.registry_url,
        "TRADETRAIL_TOPIC_PREFIX": log.topic_prefix,
        "TRADETRAIL_QUIVER_TOKEN": TOKEN,
        "TRADETRAIL_ALPACA_KEY_ID": KEY_ID,
        "TRADETRAIL_ALPACA_SECRET_KEY": SECRET_KEY,
        "TRADETRAIL_POSTGRES_DSN": f"postgresql://u:{ADDRESS_PASSWORD}@127.0.0.1:9/d",
    }
    said = tmp_path / "said"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", f"services.{service}", *arguments],
            env={**os.environ, **given, **env},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        # Those that wait for a server to come back say so after their first line, and are ended then.
        eventually(
            lambda: process.poll() is not None or said.read_bytes().count(b"\n") > 1,
            within_s=PROCESS_TIMEOUT_S,
        )
        if code is None:
            process.terminate()
        ended_with = process.wait(PROCESS_TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
    out = said.read_bytes()
    assert out
    assert code in (None, ended_with), out
    assert Hunt(TOKEN, KEY_ID, SECRET_KEY, ADDRESS_PASSWORD).in_bytes(out) == []


@contextmanager
def traders(log: SharedSettings) -> Iterator[str]:
    """Run decider and executor on a simulated Alpaca before the open; yield its address."""
    port = free_port()
    alpaca = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "simulators.alpaca", "--port", str(port), "--rate-limit", "0"]
    env = {
        **os.environ,
        "TRADETRAIL_KAFKA": log.kafka,
        "TRADETRAIL_REGISTRY_URL": log.registry_url,
        "TRADETRAIL_TOPIC_PREFIX": log.topic_prefix,
        "TRADETRAIL_CLOCK_URL": f"{alpaca}/control/clock",
        "TRADETRAIL_ALPACA_URL": alpaca,
        "TRADETRAIL_ALPACA_DATA_URL": alpaca,
        "TRADETRAIL_ALPACA_STREAM_URL": f"ws://127.0.0.1:{port}/stream",
        "TRADETRAIL_ALPACA_KEY_ID": KEY_ID,
        "TRADETRAIL_ALPACA_SECRET_KEY": SECRET_KEY,
        # As long as the first answer takes, which must fail; enough for the second on a busy machine.
        "TRADETRAIL_DECIDER_CONTEXT_WAIT_S": "8",
    }
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen([*command, "--now", "2024-02-05T07:00:00-05:00"], **quiet)]  # type: ignore[call-overload]
    try:
        eventually(lambda: _is_up(f"{alpaca}/control/clock"), within_s=PROCESS_TIMEOUT_S)
        for service in ("decider", "executor"):
            processes.append(
                subprocess.Popen([sys.executable, "-m", f"services.{service}"], env=env)
            )
        yield alpaca
        for process in processes[1:]:
            process.terminate()
            assert process.wait(PROCESS_TIMEOUT_S) == 0
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _is_up(url: str) -> bool:
    try:
        return requests.get(url, timeout=10).ok
    except requests.RequestException:
        return False


def test_no_trade_lets_a_key_out(log: SharedSettings, capfd: pytest.CaptureFixture[str]) -> None:
    def events(kind: type[Any]) -> list[Any]:
        codec = Codec(log.registry_url)
        found = read_all(log, Topics.of(log).trade())
        return [e for m in found if isinstance(e := codec.decode(m.value).event, kind)]

    echo = {
        "kind": "status",
        "status": 403,
        "message": f"keys {KEY_ID} and {SECRET_KEY} are no good",
    }
    with traders(log) as alpaca:

        def control(**body: Any) -> None:
            requests.post(f"{alpaca}/control", json=body, timeout=30).raise_for_status()

        control(fault={**echo, "path": "/v2/account", "until_cleared": True})
        at = morning(datetime(2024, 2, 5, tzinfo=UTC).date())
        publish(log, run_events("MSFT", "run-1", at, (Row("Ann"), Row("Bob"))))
        (declined,) = eventually(lambda: events(DecisionDeclined), within_s=PROCESS_TIMEOUT_S)
        control(clear_faults=True)
        control(fault={**echo, "path": "/v2/orders", "method": "POST", "until_cleared": True})
        publish(log, run_events("AAPL", "run-2", at, (Row("Ann"), Row("Bob"))))
        control(now="2024-02-05T09:31:00-05:00")
        refused = eventually(lambda: events(OrderUpdated), within_s=PROCESS_TIMEOUT_S)
    hunt = Hunt(KEY_ID, SECRET_KEY)
    assert hunt.in_log(log) == []
    out, err = capfd.readouterr()
    assert hunt.in_bytes(out.encode() + err.encode()) == []
    assert STARS in declined.reason_text
    assert any(STARS in (each.error_message or "") for each in refused)


def test_the_hunt_finds_what_it_looks_for(log: SharedSettings, client: Client) -> None:
    with ingestor(log, client) as here:
        assert here.run().error is None
    assert Hunt("quiverquant_congress").in_log(log)
