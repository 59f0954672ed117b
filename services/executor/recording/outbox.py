"""What one turn of the loop has to say: collected, then committed in one transaction.

At most one step of an execution waits here: whoever adds another commits the first, so that each step is judged by a
book that knows the step before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.executor.recording.journal import Journal
from tradetrail.log.producer import Outgoing

# More than this is committed at once, whatever the turn: a transaction stays small.
OUTPUTS_MAX = 500


class Outbox:
    """Outputs in the order they were put, and what is to be done once they are committed."""

    def __init__(self, journal: Journal) -> None:
        """Collect for ``journal``."""
        self._journal = journal
        self._outputs: list[Outgoing] = []
        self._about: set[str] = set()
        self._afterwards: list[Callable[[], None]] = []

    def make_room(self, execution_id: str) -> None:
        """Commit first if a step of this execution waits, or very much does."""
        if execution_id in self._about or len(self._outputs) >= OUTPUTS_MAX:
            self.commit()

    def put(
        self,
        outputs: Sequence[Outgoing],
        execution_id: str | None = None,
        afterwards: Callable[[], None] | None = None,
    ) -> None:
        """Add ``outputs``, a step of ``execution_id`` if one is named; ``afterwards`` runs when they are committed."""
        self._outputs += outputs
        if execution_id is not None:
            self._about.add(execution_id)
        if afterwards is not None:
            self._afterwards.append(afterwards)

    def commit(self) -> None:
        """Commit all in one transaction, which folds it into the book. Raises Lost when this process may not."""
        outputs, self._outputs = self._outputs, []
        afterwards, self._afterwards = self._afterwards, []
        self._about.clear()
        if outputs:
            self._journal.commit(outputs)
        for each in afterwards:
            each()
