"""Named steps at which a test can kill or freeze this process. Never set in production."""

from __future__ import annotations

from tradetrail.breakpoints import Breakpoints

STEPS = (
    "before_context",
    "before_intent",
    "after_intent",
    "between_posts",
    "after_post",
    "after_outcome",
    "before_fill",
    "after_fill",
    "before_update",
    "after_update",
)


class CrashPoints(Breakpoints):
    """The executor's steps."""

    def __init__(self, spec: str) -> None:
        """Read ``[freeze ]NAME[:N]``. Raises ValueError for a step that does not exist."""
        super().__init__(spec, STEPS)
