"""Ports for servers that tests start: nobody else takes one between its choice and its use."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from functools import cache
from pathlib import Path
from uuid import uuid4

from tradetrail.stack.ports import Ports

_LOCK = threading.Lock()


def free_port() -> int:
    """Return a port of the loopback address that is this test process's until it ends.

    One that the system gives away may be an outgoing connection's by the time a process has started.
    """
    with _LOCK:
        return _ports().claim(uuid4().hex)


@cache
def _ports() -> Ports:
    folder = Path(tempfile.mkdtemp(prefix="tradetrail-test-ports-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Ports(folder / "ports.json")
