"""Calls that told of several orders: recorded once, on the account's topic, and named by every step they told."""

from __future__ import annotations

from hashlib import sha256

from services.executor.broker.guarded_http import Exchange
from services.executor.recording.desk import Desk
from services.executor.recording.orders import call_id
from tradetrail.events.generated import CallPurpose
from tradetrail.log.producer import Outgoing


class SharedCalls:
    """Names such calls, and enters those that said something new. All use from one thread."""

    def __init__(self, desk: Desk) -> None:
        """Enter into the outbox of ``desk``."""
        self._desk = desk
        self._count = 0
        self._ids: dict[int, tuple[Exchange, str]] = {}
        self._entered: set[str] = set()

    def name(self, call: Exchange, purpose: CallPurpose) -> str:
        """Return the id of a call; the same until ``end``."""
        found = self._ids.get(id(call))
        if found is None:
            self._count += 1
            step = (
                f"{purpose}/{self._desk.now().isoformat()}/{sha256(call.body or b'').hexdigest()}"
            )
            found = self._ids[id(call)] = (
                call,
                call_id(self._desk.events.account, step, self._count),
            )
        return found[1]

    def enter(self, call: Exchange, purpose: CallPurpose) -> None:
        """Put a call into the turn's outbox, once."""
        each_id = self.name(call, purpose)
        if each_id in self._entered:
            return
        self._entered.add(each_id)
        desk = self._desk
        events = desk.events.call(call, purpose, each_id, desk.now(), None)
        topic, account = desk.topics.account, desk.events.account
        desk.outbox.put([Outgoing(topic, account, event) for event in events])

    def end(self) -> None:
        """Forget the calls of a look: it is taken in."""
        self._ids.clear()
        self._entered.clear()
