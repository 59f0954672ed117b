"""Named steps at which a test can kill or freeze a process, as power loss or a stalled machine would."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection

_FREEZE = "freeze "


class Breakpoints:
    """Kills or freezes the process at the N-th passage of one step; does nothing when ``spec`` is empty."""

    def __init__(self, spec: str, steps: Collection[str]) -> None:
        """Read ``[freeze ]STEP[:N]``. Raises ValueError for a step that is none of ``steps``."""
        self._signal = signal.SIGSTOP if spec.startswith(_FREEZE) else signal.SIGKILL
        name, _, count = spec.removeprefix(_FREEZE).partition(":")
        if name and name not in steps:
            raise ValueError(f"no step {name!r}; there are {', '.join(steps)}")
        self._name = name
        self._left = int(count or 1)

    def passing(self, step: str) -> None:
        """Pass a step, or end there."""
        if step != self._name:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), self._signal)
