"""Start a part as a child that cannot outlive the supervisor, and look after what a dead supervisor left."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from tradetrail.errors import Fatal
from tradetrail.stack.home import Home
from tradetrail.stack.launch import path_capability
from tradetrail.stack.parts import Part

_LAUNCHER = str(Path(__file__).with_name("launch.py"))


def spawn(part: Part, home: Home, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start the part in its own process group, its output in its log.

    Only ever called on the main thread: the kernel kills the child when the thread that made it ends.
    """
    log = home.open_log(part.name)
    try:
        return subprocess.Popen(
            (
                sys.executable,
                "-I",
                "-S",
                _LAUNCHER,
                str(os.getpid()),
                _launch_user(part, home),
                *part.argv,
            ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=part.cwd,
            env=dict(env),
            process_group=0,
        )
    finally:
        os.close(log)


def is_launched(pid: int) -> bool:
    """Tell whether the launcher has become the part's own program: before that, nothing about the part is known."""
    try:
        return _LAUNCHER not in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False


def _launch_user(part: Part, home: Home) -> str:
    """Return the launcher's description of whom to become; ``-`` stays who we are."""
    if part.user is None or os.geteuid() != 0:
        return "-"
    entry = pwd.getpwnam(part.user)
    closed = [folder for folder in _folders_needed(part, home) if not folder.stat().st_mode & 0o001]
    if closed and path_capability() is None:
        raise Fatal(
            f"{part.name} runs as user {part.user}, who can't enter {closed[0]}; allow that (chmod o+x), move the "
            "project to another folder, or run as an ordinary user"
        )
    return f"{entry.pw_uid}:{entry.pw_gid}:{1 if closed else 0}"


def _folders_needed(part: Part, home: Home) -> set[Path]:
    """Return the folders on the way to what the part reads: programs, this package, the data folder."""
    ends = [
        Path(part.argv[0]),
        Path(os.path.realpath(part.argv[0])),
        Path(sys.base_prefix, "lib"),
        home.data,
        Path(__file__),
    ]
    return {parent for end in ends for parent in end.parents}


def send(process: subprocess.Popen[bytes], signum: int) -> None:
    """Send a signal to the child, which may be gone."""
    try:
        process.send_signal(signum)
    except ProcessLookupError:
        pass


def kill_group(pid: int) -> None:
    """Kill what is left of a child's process group."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def birth_of(pid: int) -> float | None:
    """Return when the process began, or None when it is gone: with the pid, that names it for good."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def kill_leftovers(state: Mapping[str, Any]) -> None:
    """Kill what an earlier supervisor recorded and did not stop; it normally died together with that supervisor."""
    for part in state.get("parts", []):
        pid, birth = part.get("pid"), part.get("birth")
        if pid and birth is not None and birth_of(int(pid)) == birth:
            kill_group(int(pid))
