"""Runs a service's own program for a command, in a process of its own, and ends it with the command."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence

# What a service may take to say how it ended when it is interrupted.
_STOP_TIMEOUT_S = 15.0
# A person reads what the service has to say: lines, and only those that matter.
FOR_PEOPLE = {"TRADETRAIL_LOG_FORMAT": "console", "TRADETRAIL_LOG_LEVEL": "warning"}


def passed_on(options: Iterable[tuple[str, object]]) -> list[str]:
    """Return the arguments that hand ``options`` (name, value) to a program; those without a value are left out."""
    return [f"{name}={value}" for name, value in options if value is not None]


def run_child(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a program to its end and return its exit code; however this process ends, it ends too."""
    process = subprocess.Popen(command, env=dict(env))
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait(_STOP_TIMEOUT_S)
        raise
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
