"""The stack that runs already, started by another command: find its settings, or stop it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from tradetrail.errors import Fatal, TradetrailError
from tradetrail.stack import control
from tradetrail.stack.fleet import SHUTDOWN_MAX_S
from tradetrail.stack.home import Home

# A supervisor that takes no command for so long hangs: one that is starting takes commands within a second.
_HUNG_GRACE_S = 5.0
# After SIGKILL the kernel needs only a moment to end the supervisor and its children.
_KILL_MAX_S = 5.0
_POLL_S = 0.03


# The demo's own folder inside a project's: it never touches the data of ``tradetrail up``.
DEMO_FOLDER = "demo"


def demo_home() -> Home:
    """Return the folder of the demo's stack: inside the project's, never the same."""
    return Home(Home.find().root / DEMO_FOLDER)


def current_home() -> Home:
    """Return the folder of the stack that runs here: the project's own, else its demo's; the project's when none."""
    own, demo = Home.find(), demo_home()
    return demo if demo.is_locked() and not own.is_locked() else own


def running_env(home: Path | str | None = None) -> dict[str, str] | None:
    """Return the settings of the stack that runs in ``home`` (default: the one that runs here), or None."""
    place = Home.find(home) if home else current_home()
    if not place.is_locked():
        return None
    try:
        return dict(control.ask(place, {"op": "status"})["env"])
    except TradetrailError:
        return None


def stop_running(home: Home) -> bool:
    """Stop the stack that runs in ``home``, even a hung one, within bounded time; tell whether there was one."""
    if not home.is_locked():
        return False
    if _request_shutdown(home):
        _wait_unlocked(home, SHUTDOWN_MAX_S + _KILL_MAX_S)
    pid = home.holder()
    if home.is_locked() and pid is not None:
        # Its children die with it.
        os.kill(pid, signal.SIGKILL)
        _wait_unlocked(home, _KILL_MAX_S)
    if home.is_locked():
        raise Fatal(
            f"the stack in {home.root} could not be stopped; its supervisor is pid {pid}: end that process"
        )
    return True


def _request_shutdown(home: Home) -> bool:
    """Tell the supervisor to stop; tell whether it took the order. One that is just starting needs a moment."""
    deadline = time.monotonic() + _HUNG_GRACE_S
    while home.is_locked():
        try:
            control.ask(home, {"op": "shutdown"}, timeout_s=_HUNG_GRACE_S)
        except TradetrailError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        else:
            return True
    return False


def _wait_unlocked(home: Home, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while home.is_locked() and time.monotonic() < deadline:
        time.sleep(_POLL_S)
