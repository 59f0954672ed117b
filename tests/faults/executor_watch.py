"""What a round knows of its log while it goes on: who acts, what is over, which acts are answered."""

from __future__ import annotations

from collections.abc import Collection

from tests.faults.executor_checks import Story, stories
from tests.faults.executor_desk import places
from tests.faults.plain_log import Seen, Tail
from tradetrail.events.generated import AnswerOutcome, ExecutorActivated, OperatorAnswered
from tradetrail.log.codec import Codec
from tradetrail.settings import SharedSettings

_POLL_S = 0.1


class Watch:
    """Follows one log; for who waits, not for who judges."""

    def __init__(self, log: SharedSettings, codec: Codec) -> None:
        """Begin at the beginning."""
        self._tail = Tail(log.kafka, codec, places(log))
        self._seen: list[Seen] = []
        self.active: list[str] = []
        """Who acted for the account, one after the other."""
        self.answered: set[str] = set()
        """Acts on orders and halts that were answered."""
        self.acknowledged: set[str] = set()
        """Halts that who acts has acknowledged."""

    def look(self) -> None:
        """Read what is new in the log; wait a little for it."""
        for event in self._tail.more(_POLL_S):
            self._seen.append(Seen("", 0, 0, event))
            if isinstance(event, ExecutorActivated):
                self.active.append(event.instance)
            elif isinstance(event, OperatorAnswered):
                self.answered.add(event.act_id)
                if event.is_active and event.outcome is AnswerOutcome.ACKNOWLEDGED:
                    self.acknowledged.add(event.act_id)

    def stories(self) -> dict[str, Story]:
        """Return the story so far of each decision."""
        return stories(self._seen)

    def is_settled(self, decisions: int, acts: Collection[str]) -> bool:
        """Tell whether so many decisions are over, or known to be at the broker, and each of these acts is answered."""
        told = self.stories().values()
        is_known = len(told) == decisions and all(story.is_settled for story in told)
        return is_known and self.answered.issuperset(acts)

    def is_over(self) -> bool:
        """Tell whether every decision has its final outcome."""
        return all(story.ends for story in self.stories().values())

    def left(self, *, is_over: bool) -> list[str]:
        """Return what is not settled, or not over, in words."""
        return [
            f"{story.decision.symbol} {name[:8]}: {[a.status.value for a in story.attempts.values()]}"
            for name, story in self.stories().items()
            if not (story.ends if is_over else story.is_settled)
        ]

    def close(self) -> None:
        """Close the connection."""
        self._tail.close()
