"""The simulated Alpaca as a command: its options, its start, its end, its errors."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import requests

from tests.contract.alpaca_client import TIMEOUT_S, eventually, server_factory, stop

# Importing FastAPI and pandas takes seconds on a busy machine.
START_S = 180.0
COMMAND = [sys.executable, "-m", "simulators.alpaca"]


def test_it_says_where_it_listens_and_ends_on_sigterm_with_0() -> None:
    options = ["--port", "0", "--seed", "1", "--cash", "5000", "--position", "AAPL=10@185.20"]
    environment = {
        **os.environ,
        "TRADETRAIL_ALPACA_KEY_ID": "k",
        "TRADETRAIL_ALPACA_SECRET_KEY": "s",
    }
    with subprocess.Popen(
        COMMAND + options, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        headers = {"APCA-API-KEY-ID": "k", "APCA-API-SECRET-KEY": "s"}
        account = requests.get(f"{url}/v2/account", headers=headers, timeout=TIMEOUT_S).json()
        assert account["cash"] == "5000"
        position = requests.get(f"{url}/v2/positions/AAPL", headers=headers, timeout=TIMEOUT_S)
        assert position.json()["cost_basis"] == "1852"
        clock = requests.get(f"{url}/control/clock", timeout=TIMEOUT_S).json()
        assert clock == {"now": "2024-01-02T12:00:00+00:00"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(START_S) == 0


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run("--port", str(port))
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"simulators.alpaca: can't listen on 127.0.0.1:{port}")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    ended = run("--port", "0", "--data", str(tmp_path / "nothing"))
    assert ended.returncode == 2
    assert "nothing" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--now", "2024-01-02T12:00:00"],
        ["--cash", "lots"],
        ["--position", "AAPL"],
        ["--multiplier", "3"],
        ["--what"],
    ],
)
def test_options_that_make_no_sense(options: list[str]) -> None:
    ended = run(*options)
    assert ended.returncode == 2
    assert "error:" in ended.stderr


def run(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        COMMAND + list(options), capture_output=True, text=True, timeout=START_S, check=False
    )


def test_a_sigterm_in_the_middle_of_the_start_is_heard() -> None:
    with server_factory() as start:
        servers = [start() for _ in range(5)]
        for server in servers:
            stop(server)
        eventually(lambda: not any(is_running(server.pid) for server in servers))


def is_running(pid: int) -> bool:
    """Tell whether a process is there and has not ended."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
