"""The right to send one order: only a committed intent gives it, once, and not for long.

Replays and rebuilds have no journal, so they can make no ticket and can't reach the broker.
"""

from __future__ import annotations

import time

from tradetrail.errors import Fatal

# Known to the journal alone: the module that commits intents with the fenced producer.
_SEAL = object()


class TicketRefused(Fatal):
    """Someone tried to send an order without a fresh, unused ticket."""


class LiveTicket:
    """Good for one order, until ``expires_at`` on the monotonic clock."""

    def __init__(self, seal: object, execution_id: str, expires_at: float) -> None:
        """Make a ticket; TicketRefused for whoever does not hold the seal."""
        if seal is not _SEAL:
            raise TicketRefused("only the journal of the live loop issues tickets for orders")
        self.execution_id = execution_id
        self._expires_at = expires_at
        self._is_used = False

    def check(self) -> None:
        """Raise TicketRefused when the ticket was used or is too old."""
        if self._is_used:
            raise TicketRefused(f"the ticket of execution {self.execution_id} was used before")
        if time.monotonic() >= self._expires_at:
            raise TicketRefused(
                f"execution {self.execution_id}: too long since its intent was committed"
            )

    def use(self) -> None:
        """Use the ticket up. Raises TicketRefused as ``check`` does."""
        self.check()
        self._is_used = True
