"""Named steps at which a test can kill or freeze this process, as power loss would. Never set in production."""

from __future__ import annotations

import os
import signal

STEPS = (
    "before_intent",
    "after_intent",
    "after_post",
    "after_outcome",
    "before_fill",
    "after_fill",
    "before_update",
    "after_update",
)
_FREEZE = "freeze "


class CrashPoints:
    """Kills or freezes the process at the N-th passage of one step; does nothing when ``spec`` is empty."""

    def __init__(self, spec: str) -> None:
        """Read ``[freeze ]NAME[:N]``. Raises ValueError for a step that does not exist."""
        self._signal = signal.SIGSTOP if spec.startswith(_FREEZE) else signal.SIGKILL
        name, _, count = spec.removeprefix(_FREEZE).partition(":")
        if name and name not in STEPS:
            raise ValueError(f"no step {name!r}; there are {', '.join(STEPS)}")
        self._name = name
        self._left = int(count or 1)

    def passing(self, name: str) -> None:
        """Pass a step, or end there."""
        if name != self._name:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), self._signal)
