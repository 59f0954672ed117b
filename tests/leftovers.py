"""Find every process that belongs to a stack's data folder, whoever its parent is now."""

from __future__ import annotations

import os
from pathlib import Path

import psutil


def processes_of(home: Path) -> list[str]:
    """Return pid and command of each process that names ``home`` in its command line or environment."""
    return [
        f"{process.pid} {' '.join(_command(process))[:120]}"
        for process in psutil.process_iter()
        if process.pid != os.getpid() and _mentions(process, str(home))
    ]


def _mentions(process: psutil.Process, text: str) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return (
            text in "\0".join(_command(process)) or process.environ().get("TRADETRAIL_HOME") == text
        )
    except psutil.Error:
        return False


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []
