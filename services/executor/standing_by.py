"""What a standby does: it sends nothing, and answers every halt at once."""

from __future__ import annotations

import time

import structlog

from services.executor.election import Election
from services.executor.feed import ControlFeed
from services.executor.operators.replies import Answers, Replies
from services.executor.state.halts import Halts
from tradetrail.clock import Clock
from tradetrail.errors import Retryable
from tradetrail.events.generated import AnswerOutcome
from tradetrail.log.codec import Codec
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.reader import end_offsets
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

# How often a standby looks for acts.
READ_EVERY_S = 0.2

log = structlog.get_logger(__name__)


def begin_replies(shared: SharedSettings, topics: Topics) -> Replies:
    """Return what this process has to answer: acts that come from now on. Call it before joining the group."""
    place = (topics.control, 0)
    return Replies(end_offsets(shared, [place], committed_only=False)[place])


class Standby:
    """Reads the control topic and answers, while another executor acts."""

    def __init__(
        self,
        shared: SharedSettings,
        codec: Codec,
        topics: Topics,
        clock: Clock,
        answers: Answers,
        replies: Replies,
    ) -> None:
        """Begin at the start of the control topic."""
        self._control = ControlFeed(shared, codec, topics.control)
        self._producer = EventProducer(shared, codec)
        self._topic = topics.account
        self._clock = clock
        self._answers = answers
        self._replies = replies
        self._halts = Halts()
        self._read_at = 0.0

    def step(self, election: Election) -> None:
        """Answer what was asked since the last time; trouble with Kafka is logged and tried again."""
        if time.monotonic() - self._read_at < READ_EVERY_S:
            return
        try:
            for act in self._control.read_to_end():
                self._halts.fold(act, self._control.position - 1)
            self._halts.drop(self._replies.is_answered)
            self._answer(election.consumer.memberid() or "")
        except Retryable as error:
            log.warning("a standby can't read or answer acts now", error=str(error))
        self._read_at = time.monotonic()

    def halted(self) -> dict[str, str]:
        """Return what is halted, by whom and why."""
        return self._halts.told()

    def close(self) -> None:
        """Stop reading."""
        self._control.close()

    def _answer(self, member_id: str) -> None:
        self._halts.to_reconcile.clear()
        while member_id and self._halts.asked:
            offset, act = self._halts.asked[0]
            event = self._answers.answer(
                act,
                member_id,
                AnswerOutcome.ACKNOWLEDGED,
                "stands by and sends nothing",
                self._clock.now(),
                about=member_id,
                is_active=False,
                details={"in_flight": 0, "halted": sorted(self._halts.scopes)},
            )
            self._producer.send([Outgoing(self._topic, self._answers.account, event)])
            self._replies.answered(offset)
            self._halts.drop(self._replies.is_answered)
