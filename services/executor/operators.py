"""The steps for what people do: halts first, then acts on orders."""

from __future__ import annotations

from services.executor.acting import Actor
from services.executor.cancelling import Canceller
from services.executor.desk import Desk
from services.executor.election import Election
from services.executor.halting import Halter
from services.executor.replies import Answers, Replies


class Operators:
    """Carries out and answers people's acts, as the active executor."""

    def __init__(self, desk: Desk, election: Election, answers: Answers, replies: Replies) -> None:
        """Work at ``desk``; answer as this process is known in its group."""
        member_id = election.consumer.memberid() or ""
        canceller = Canceller(desk)
        self._halter = Halter(desk, answers, member_id, replies, canceller)
        self._actor = Actor(desk, answers, member_id, canceller)

    def step(self) -> None:
        """Do what is due."""
        self._halter.step()
        self._actor.step()
