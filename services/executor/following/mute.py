"""Whether a connected stream tells what happens: judged by what polls find. All instants monotonic, seconds.

The stream has no heartbeat: silence alone says nothing. A change that a poll found, and that the stream did not tell of
within some seconds although it was connected all the while, says that it is mute.
"""

from __future__ import annotations

from collections import OrderedDict

# Orders that the stream told of, remembered; more than this, and the oldest are forgotten.
TOLD_ORDERS_MAX = 10_000


class MuteWatch:
    """Compares what the stream told with what polls found."""

    def __init__(self, within_s: float) -> None:
        """Give the stream ``within_s`` to tell of what a poll found."""
        self._within_s = within_s
        self._told_at: OrderedDict[str, float] = OrderedDict()
        self._suspected_at: dict[str, float] = {}
        self.is_mute = False

    def told(self, order_id: str, at: float) -> None:
        """Take note that the stream told of an order: it speaks."""
        self._told_at[order_id] = at
        self._told_at.move_to_end(order_id)
        if len(self._told_at) > TOLD_ORDERS_MAX:
            self._told_at.popitem(last=False)
        self._suspected_at.pop(order_id, None)
        self.is_mute = False

    def found(self, order_id: str, at: float, since: float, connected_at: float | None) -> None:
        """Take note that a poll found an order changed, ``since`` it was last looked at.

        Says nothing about a stream that was not connected all that time (since ``connected_at``).
        """
        if connected_at is None or connected_at > since:
            return
        # It may have told shortly before the order was known: an order can fill before its POST is answered.
        if self._told_at.get(order_id, float("-inf")) < since - self._within_s:
            self._suspected_at.setdefault(order_id, at)

    def judge(self, at: float, connected_at: float | None) -> bool:
        """Return whether the connection has just turned out to be mute."""
        if connected_at is None:
            self._suspected_at.clear()
        if not any(at - suspected >= self._within_s for suspected in self._suspected_at.values()):
            return False
        self._suspected_at.clear()
        self.is_mute = True
        return True
