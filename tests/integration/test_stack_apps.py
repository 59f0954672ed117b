"""The supervisor's care for application parts, on small servers of the test's own: no Kafka needed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.eventually import eventually
from tests.leftovers import processes_of
from tradetrail.errors import Fatal, UsageError
from tradetrail.stack import launch
from tradetrail.stack.local import LocalStack
from tradetrail.stack.parts import Check, Part
from tradetrail.stack.ports import Ports
from tradetrail.stack.processes import is_launched

# A service in a few lines: its health page tells its own settings, and /die ends it.
_SERVER = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/die":
            os._exit(3)
        body = json.dumps({"greeting": os.environ.get("GREETING"), "lag": 7}).encode()
        self.send_response(503 if os.path.exists(sys.argv[2]) else 200)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
print("serving", flush=True)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def apps(tmp_path: Path) -> Iterator[LocalStack]:
    """Start a supervisor without servers."""
    with LocalStack(tmp_path / "home", parts=()) as running:
        yield running
    assert processes_of(tmp_path / "home") == []


def _service(apps: LocalStack, name: str = "greeter", **changes: object) -> Part:
    port = Ports(apps.home.root / "test-ports.json").claim(name)
    values: dict[str, object] = {
        "name": name,
        "argv": (sys.executable, "-c", _SERVER, str(port), str(apps.home.root / "ill")),
        "env": {"GREETING": "hello"},
        "address": f"http://127.0.0.1:{port}",
        "check": Check("http", f"http://127.0.0.1:{port}/health"),
        "restart": "always",
        "ready_timeout_s": 90.0,
        **changes,
    }
    return Part(**values)  # type: ignore[arg-type]


def test_a_service_is_ready_when_its_health_page_says_so(apps: LocalStack) -> None:
    status = apps.start_part(_service(apps))
    assert status.health == "healthy"
    assert dict(status.facts) == {"greeting": "hello", "lag": 7}
    assert status.pid is not None
    assert os.getpgid(status.pid) == status.pid


def test_a_killed_service_comes_back_and_is_counted(apps: LocalStack) -> None:
    first = apps.start_part(_service(apps))
    apps.kill_part("greeter")
    eventually(lambda: apps.part("greeter").restarts, lambda count: count == 1)
    back = apps.wait_part("greeter")
    assert back.pid != first.pid


def test_pauses_between_crashes_grow(apps: LocalStack) -> None:
    apps.start_part(_service(apps))
    for crash, pause_s in enumerate((0.5, 1.0, 2.0), 1):
        killed_at = time.monotonic()
        apps.kill_part("greeter")
        eventually(lambda: apps.part("greeter").restarts, lambda count: count >= crash)  # noqa: B023
        apps.wait_part("greeter")
        assert time.monotonic() - killed_at >= pause_s
    apps.kill_part("greeter")
    down = eventually(lambda: apps.part("greeter"), lambda status: "restart 4 in" in status.detail)
    assert down.health == "unhealthy"
    assert "killed by SIGKILL" in down.detail


def test_an_ill_service_shows_why_and_recovers(apps: LocalStack) -> None:
    apps.start_part(_service(apps))
    (apps.home.root / "ill").touch()
    status = next(row for row in apps.status() if row.name == "greeter")
    assert (status.health, status.facts["lag"]) == ("unhealthy", 7)
    assert "HTTP 503" in status.detail
    (apps.home.root / "ill").unlink()
    assert next(row for row in apps.status() if row.name == "greeter").health == "healthy"


def test_a_frozen_service_is_unhealthy_and_can_be_stopped(apps: LocalStack) -> None:
    status = apps.start_part(_service(apps, stop_timeout_s=1.0))
    apps.kill_part("greeter", signal.SIGSTOP)
    assert next(row for row in apps.status() if row.name == "greeter").health == "unhealthy"
    apps.stop_part("greeter")
    assert apps.part("greeter").health == "stopped"
    assert status.pid is not None
    assert not Path(f"/proc/{status.pid}").exists()


def test_a_stopped_service_stays_stopped_until_it_is_restarted(apps: LocalStack) -> None:
    first = apps.start_part(_service(apps))
    apps.stop_part("greeter")
    stopped = apps.part("greeter")
    assert (stopped.pid, stopped.health, stopped.restarts) == (None, "stopped", 0)
    again = apps.restart_part("greeter")
    assert again.pid not in (None, first.pid)


def test_a_part_can_be_replaced_once_it_ended(apps: LocalStack) -> None:
    apps.start_part(_service(apps))
    with pytest.raises(UsageError, match="greeter runs already; stop it first"):
        apps.start_part(_service(apps, env={"GREETING": "hi"}))
    apps.stop_part("greeter")
    assert apps.start_part(_service(apps, env={"GREETING": "hi"})).facts["greeting"] == "hi"


def test_a_service_that_never_gets_ready_fails_with_its_last_words(apps: LocalStack) -> None:
    code = "import sys; print('cannot find my shoes'); sys.exit(4)"
    part = _service(apps, argv=(sys.executable, "-c", code), start_attempts_max=3)
    with pytest.raises(Fatal, match=r"(?s)ended with exit code 4 .*cannot find my shoes"):
        apps.start_part(part)
    assert apps.part("greeter").restarts == 2


def test_a_service_whose_port_is_taken_says_so(apps: LocalStack) -> None:
    part = _service(apps)
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(part.address.rpartition(":")[2])))
        other.listen()
        with pytest.raises(Fatal, match="Address already in use"):
            apps.start_part(_service(apps, argv=part.argv, check=part.check, restart="never"))


def test_a_program_that_does_not_exist_says_so(apps: LocalStack) -> None:
    with pytest.raises(Fatal, match="/no/such/program can't be run"):
        apps.start_part(Part(name="ghost", argv=("/no/such/program",)))


def test_a_part_counts_only_once_the_launcher_became_it() -> None:
    """Between fork and exec a part without a health page looks alive, whatever its program will turn out to be."""
    waits = "import time; time.sleep(60)"
    with (
        subprocess.Popen((sys.executable, "-c", waits, launch.__file__)) as launching,
        subprocess.Popen((sys.executable, "-c", waits)) as launched,
    ):
        assert (is_launched(launching.pid), is_launched(launched.pid)) == (False, True)
        launching.kill()
        launched.kill()
    assert not is_launched(launched.pid)


def test_a_step_runs_to_its_end_before_what_depends_on_it(apps: LocalStack) -> None:
    mark = apps.home.root / "mark"
    code = f"import pathlib, time; time.sleep(0.3); pathlib.Path({str(mark)!r}).touch()"
    step = Part(name="prepare", kind="step", argv=(sys.executable, "-c", code))
    assert apps.start_part(step).detail == "done"
    assert mark.exists()


def test_a_failed_step_holds_back_what_depends_on_it(apps: LocalStack) -> None:
    step = Part(name="prepare", kind="step", argv=(sys.executable, "-c", "raise SystemExit(5)"))
    with pytest.raises(Fatal, match="prepare ended with exit code 5"):
        apps.start_part(step)
    with pytest.raises(Fatal, match="waits for prepare"):
        apps.start_part(_service(apps, depends_on=("prepare",)), timeout_s=1.0)


def test_children_of_a_crashed_service_do_not_linger(apps: LocalStack) -> None:
    part = _service(apps)
    spawn = "import subprocess; subprocess.Popen(['sleep', '1000'])\n"
    argv = (sys.executable, "-c", spawn + _SERVER, *part.argv[3:])
    apps.start_part(_service(apps, argv=argv))
    assert any("sleep 1000" in line for line in processes_of(apps.home.root))
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{part.address}/die", timeout=60)
    eventually(lambda: apps.part("greeter").restarts)
    apps.stop_part("greeter")
    eventually(lambda: not any("sleep 1000" in line for line in processes_of(apps.home.root)))


def test_an_unknown_part_is_refused(apps: LocalStack) -> None:
    with pytest.raises(UsageError, match="no part 'nobody'"):
        apps.stop_part("nobody")
