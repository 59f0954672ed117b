"""A stack's whole life by its commands, and that no way of dying leaves anything running or anything broken."""

from __future__ import annotations

import json
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import requests
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from tests.eventually import eventually
from tests.leftovers import processes_of
from tradetrail.errors import Fatal
from tradetrail.stack import launch, local
from tradetrail.stack.home import Home
from tradetrail.stack.local import LocalStack
from tradetrail.stack.running import running_env, stop_running

pytestmark = pytest.mark.stack

TRADETRAIL = str(Path(sys.executable).with_name("tradetrail"))
SERVERS = "kafka,registry,postgres"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Return an empty data folder; afterwards nothing of it may run."""
    place = Home(tmp_path / "home")
    yield place
    stop_running(place)
    assert processes_of(place.root) == []


def command(home: Home, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run ``tradetrail`` on the folder."""
    environment = {**os.environ, **env, "TRADETRAIL_HOME": str(home.root)}
    return subprocess.run(
        [TRADETRAIL, *words],
        capture_output=True,
        text=True,
        env=environment,
        timeout=200,
        check=False,
    )


def statuses(home: Home) -> dict[str, dict[str, object]]:
    """Return what ``tradetrail status`` says, by part."""
    said = json.loads(command(home, "status", "--format", "json").stdout)
    return {part["name"]: part for part in said["parts"]}


def nothing_runs(home: Home) -> None:
    """Wait until no process of the folder is left."""
    eventually(lambda: processes_of(home.root), lambda found: found == [])


def test_data_and_addresses_survive_restarts_and_crashes(home: Home) -> None:
    first = command(home, "up", "--only", SERVERS)
    assert first.returncode == 0, first.stderr
    env = running_env(home.root)
    assert env is not None
    topic, subject = f"t{uuid4().hex}", f"s{uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": env["TRADETRAIL_KAFKA"]})
    admin.create_topics([NewTopic(topic, 3)])[topic].result(60)
    with psycopg.connect(env["TRADETRAIL_POSTGRES_DSN"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
    url = f"{env['TRADETRAIL_REGISTRY_URL']}/subjects/{subject}/versions"
    schema_id = requests.post(url, json={"schema": '{"type": "string"}'}, timeout=60).json()["id"]
    # The supervisor dies right after the last write: so does everything else, and nothing of it is lost.
    pid = home.holder()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    nothing_runs(home)
    assert command(home, "status").returncode == 3
    for end in ("crash", "down"):
        # No way out of this machine: later starts need no network.
        started = command(home, "up", "--only", SERVERS, HTTPS_PROXY="http://127.0.0.1:9")
        assert started.returncode == 0, (end, started.stderr)
        assert running_env(home.root) == env
        fresh = AdminClient({"bootstrap.servers": env["TRADETRAIL_KAFKA"]})
        assert len(fresh.list_topics(topic, timeout=60).topics[topic].partitions) == 3
        with psycopg.connect(env["TRADETRAIL_POSTGRES_DSN"]) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (42,)
        assert requests.get(f"{url}/1", timeout=60).json()["id"] == schema_id
        stopped = command(home, "down")
        assert (stopped.returncode, "stopped" in stopped.stderr) == (0, True)
        nothing_runs(home)


def test_commands_say_what_runs(home: Home) -> None:
    none = command(home, "down")
    assert (none.returncode, "no local stack runs" in none.stderr) == (0, True)
    away = command(home, "status")
    assert (away.returncode, "tradetrail up" in away.stderr) == (3, True)
    assert command(home, "up", "--only", "postgres").returncode == 0
    row = statuses(home)["postgres"]
    assert row["health"] == "healthy"
    assert Path(f"/proc/{row['pid']}").exists()
    assert str(row["address"]).startswith("127.0.0.1:")
    again = command(home, "up", "--only", "postgres")
    assert (again.returncode, "already running" in again.stderr) == (0, True)
    more = command(home, "up", "--only", SERVERS)
    assert (more.returncode, "runs without kafka, registry" in more.stderr) == (2, True)
    examined = json.loads(command(home, "doctor", "--format", "json").stdout)
    assert all(check["ok"] for check in examined["checks"]), examined
    os.kill(int(str(row["pid"])), signal.SIGKILL)
    crashed = eventually(lambda: statuses(home)["postgres"], lambda s: s["health"] == "unhealthy")
    assert "killed by SIGKILL" in str(crashed["detail"])
    assert command(home, "status").returncode == 1
    doctor = command(home, "doctor")
    assert (doctor.returncode, "postgres" in doctor.stdout) == (1, True)


def test_a_hung_supervisor_is_named_and_ended(home: Home) -> None:
    assert command(home, "up", "--only", "postgres").returncode == 0
    pid = home.holder()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    hung = command(home, "status")
    assert (hung.returncode, f"pid {pid}" in hung.stderr) == (3, True)
    assert command(home, "down").returncode == 0
    nothing_runs(home)


_PARENT = """
import sys, time
from tradetrail.stack.local import LocalStack
with LocalStack(sys.argv[1], parts=("postgres",)):
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_stack_ends_with_the_program_that_started_it(home: Home, signum: int) -> None:
    argv = [sys.executable, "-c", _PARENT, str(home.root)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        assert processes_of(home.root)
        parent.send_signal(signum)
    nothing_runs(home)


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_an_up_that_is_cut_off_leaves_nothing(home: Home, signum: int) -> None:
    environment = {**os.environ, "TRADETRAIL_HOME": str(home.root)}
    argv = [TRADETRAIL, "up", "--only", SERVERS]
    with subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL) as starting:
        eventually(lambda: any("java" in line for line in processes_of(home.root)))
        starting.send_signal(signum)
    assert starting.returncode == (-9 if signum == signal.SIGKILL else 130)
    nothing_runs(home)
    # What the cut-off first start left is no obstacle to the next.
    assert command(home, "up", "--only", "postgres").returncode == 0


def test_a_failed_start_shows_the_log_and_leaves_nothing(home: Home) -> None:
    home.create()
    with LocalStack(home.root, parts=("postgres",)):
        pass
    (home.data / "postgres" / "cluster" / "PG_VERSION").write_text("9\n")
    failed = command(home, "up", "--only", SERVERS)
    assert failed.returncode == 1
    assert "postgres ended with exit code 1 before it was ready" in failed.stderr
    assert "incompatible" in failed.stderr
    assert "Traceback" not in failed.stderr
    nothing_runs(home)
    doctor = command(home, "doctor")
    assert (doctor.returncode, "last start failed" in doctor.stdout) == (1, True)


def test_a_late_failure_of_a_start_is_told_with_its_reason(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A supervisor that gives up takes no more commands while it ends: that silence is not the answer to give."""
    with LocalStack(home.root, parts=("postgres",)):
        pass
    (home.data / "postgres" / "cluster" / "PG_VERSION").write_text("9\n")
    monkeypatch.setattr(local, "_SUPERVISOR_START_MAX_S", 0.0)
    monkeypatch.setattr(local, "_ENDING_MAX_S", 60.0)
    with pytest.raises(Fatal, match="postgres ended with exit code 1 before it was ready"):
        LocalStack(home.root, parts=("postgres",)).__enter__()


def test_a_folder_in_use_is_refused(home: Home) -> None:
    with LocalStack(home.root, parts=("postgres",)) as running:
        code = _PARENT.replace("time.sleep(600)", "pass")
        second = subprocess.run(
            [sys.executable, "-c", code, str(home.root)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert f"another local stack (pid {running.supervisor_pid}) uses" in second.stderr
        assert running.part("postgres").health == "healthy"


def test_two_stacks_side_by_side(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    with LocalStack(home.root, parts=("postgres",)) as one:
        with LocalStack(other.root, parts=("postgres",)) as two:
            assert one.addresses.postgres_dsn != two.addresses.postgres_dsn
            os.kill(two.supervisor_pid, signal.SIGKILL)
            nothing_runs(other)
            assert one.status()[0].health == "healthy"
        with LocalStack(other.root, parts=("postgres",)) as two:
            assert two.status()[0].health == "healthy"
        assert one.status()[0].health == "healthy"


def test_an_existing_server_is_checked_and_left_alone(home: Home, tmp_path: Path) -> None:
    with LocalStack(tmp_path / "lender", parts=("postgres",)) as lender:
        dsn = lender.addresses.postgres_dsn
        up = command(home, "up", "--only", "postgres", TRADETRAIL_POSTGRES_DSN=dsn)
        assert up.returncode == 0, up.stderr
        row = statuses(home)["postgres"]
        assert (row["health"], row["pid"]) == ("external", None)
        assert dsn.split(":")[2].split("@")[0] not in json.dumps(row)
        assert command(home, "down").returncode == 0
        assert lender.status()[0].health == "healthy"
    away = command(home, "doctor", TRADETRAIL_POSTGRES_DSN=dsn)
    assert (away.returncode, "unset it to use the embedded one" in away.stdout) == (1, True)


_USER_PROGRAM = """
import sys
from tradetrail.stack.local import LocalStack
with LocalStack(sys.argv[1], parts=("postgres",)) as stack:
    print(stack.status()[0].health)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user; this run is one")
def test_an_ordinary_user_can_run_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    name = f"tt{uuid4().hex[:8]}"
    made = subprocess.run(["useradd", "--create-home", name], check=False, capture_output=True)
    if made.returncode != 0:
        pytest.skip("useradd does not work here")
    try:
        entry = pwd.getpwnam(name)
        place = Path(entry.pw_dir)
        # Through the stack's own launcher, which lets the user pass folders such as /root on the way to Python.
        user = f"{entry.pw_uid}:{entry.pw_gid}:1"
        argv = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), user]
        done = subprocess.run(
            [*argv, sys.executable, "-c", _USER_PROGRAM, str(place / "home")],
            cwd=place,
            env={"HOME": str(place), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        assert done.stdout == "healthy\n", done.stderr
        assert (place / "home" / "data" / "postgres").owner() == name
    finally:
        subprocess.run(["userdel", "--remove", name], check=False, capture_output=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only under root does PostgreSQL run as another user")
def test_root_can_run_it_in_a_folder_closed_to_others(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with LocalStack(closed / "home", parts=("postgres",)) as running:
        status = running.status()[0]
        assert status.health == "healthy"
        assert Path(f"/proc/{status.pid}").owner() == "nobody"
