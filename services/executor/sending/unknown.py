"""The step for orders of unknown fate: look up until known; send again only after a long, steady 404.

Never another id, never blindly, never while halted or stale, and not when the broker's list of orders has it. Each
order has its own look-ups on lanes: none waits for another's.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial

import structlog

from services.executor.broker.looking import Calls, Seen
from services.executor.broker.outcomes import Away, Missing
from services.executor.broker.searching import look_up
from services.executor.controls import recheck
from services.executor.recording.desk import Desk
from services.executor.recording.orders import Progress
from services.executor.sending.posting import free_for_orders, post_all
from services.executor.state.book import Execution
from tradetrail import sessions
from tradetrail.events.generated import FailureReason, OrderStatus, UpdateSource
from tradetrail.log.producer import Outgoing

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Search:
    """How the look-up of one execution goes, on the monotonic clock; ``missing`` once it may be sent again."""

    next_at: float = 0.0
    missing_since: float | None = None
    missing: Calls = field(default_factory=list)


class Settler:
    """Brings every unsettled execution to a known state."""

    def __init__(self, desk: Desk) -> None:
        """Work at ``desk``."""
        self._desk = desk
        self._searches: dict[str, _Search] = {}

    def step(self) -> None:
        """Do what is due for each unsettled execution."""
        desk = self._desk
        unsettled = desk.book.unsettled()
        to_send = []
        for execution in unsettled:
            each_id = execution.execution_id
            if desk.lanes.is_busy(each_id):
                continue
            search = self._searches.get(each_id)
            if each_id in desk.not_sent or (search is not None and search.missing):
                to_send.append(execution)
            elif execution.status is OrderStatus.SUBMITTING:
                self._found_without_outcome(execution)
            else:
                self._look_up(execution)
        desk.commit()
        if to_send:
            self._send_again(to_send)
            for each in to_send:
                # What could not go now is looked up again first: the last 404 must be the latest word.
                if (search := self._searches.get(each.execution_id)) is not None:
                    search.missing = []
        if len(self._searches) > len(unsettled):
            open_ids = {each.execution_id for each in unsettled}
            self._searches = {k: v for k, v in self._searches.items() if k in open_ids}

    def _found_without_outcome(self, execution: Execution) -> None:
        progress = Progress(
            OrderStatus.UNKNOWN,
            UpdateSource.EXECUTOR,
            message="an intent without an outcome was found at start-up",
        )
        self._desk.enter(execution, progress, [], [])

    def _look_up(self, execution: Execution) -> None:
        search = self._searches.setdefault(execution.execution_id, _Search())
        now = time.monotonic()
        if now < search.next_at or self._desk.pace.is_limited:
            return
        is_last = self._is_long_missing(search)
        begun = self._desk.lanes.ask(
            execution.execution_id,
            partial(look_up, execution=execution, heard=self._desk.heard, is_last=is_last),
            partial(self._looked_up, execution, search, now, is_last),
        )
        if begun:
            search.next_at = now + self._desk.settings.lookup_every_s

    def _is_long_missing(self, search: _Search) -> bool:
        since, enough_s = search.missing_since, self._desk.settings.not_found_for_s
        return since is not None and time.monotonic() - since >= enough_s

    def _looked_up(
        self, execution: Execution, search: _Search, asked_at: float, is_last: bool, seen: Seen
    ) -> None:
        desk, found = self._desk, seen.answer
        for call, _ in seen.calls:
            desk.pace.count(call)
        if isinstance(found, Away):
            # Only a steady 404 counts: begin again.
            search.missing_since = None
            log.warning("look-up failed", execution_id=execution.execution_id, reason=found.reason)
        elif isinstance(found, Missing):
            if search.missing_since is None:
                search.missing_since = asked_at
            if is_last:
                search.missing = seen.calls
        else:
            desk.enter_snapshot(execution, found, UpdateSource.LOOKUP, seen.calls, seen.listed)

    def _send_again(self, executions: list[Execution]) -> None:
        """Send again what provably never arrived, the strongest first, as far as lanes and limits let."""
        desk = self._desk
        room = free_for_orders(desk)
        now = desk.now()
        queues = desk.settings.outside_hours == "queue"
        if not room or (sessions.session_at(now) is None and not queues):
            return
        # As late as can be: a halt that is in the log before the intents stops the orders.
        desk.read_halts()
        may_go: list[Execution] = []
        outputs: list[Outgoing] = []
        for execution in sorted(executions, key=self._strength):
            decision = desk.book.decisions[execution.decision_id]
            desk.outbox.make_room(execution.decision_id)
            refused = recheck(decision, desk.halts, desk.settings, now)
            if refused is not None:
                self._give_up(execution, refused.explanation)
            elif len(may_go) < room:
                may_go.append(execution)
                outputs += desk.again(execution, self._missing(execution))
        desk.commit()
        if not may_go:
            return
        tickets = desk.journal.commit_intents(outputs, [each.execution_id for each in may_go])
        for execution in may_go:
            desk.not_sent.discard(execution.execution_id)
            self._searches.pop(execution.execution_id, None)
        post_all(desk, list(zip(may_go, tickets, strict=True)))

    def _give_up(self, execution: Execution, why: str) -> None:
        progress = Progress(
            OrderStatus.ERROR,
            UpdateSource.EXECUTOR,
            failure=FailureReason.NOT_SENT,
            message=f"never sent, and not to be sent any more: {why}",
        )
        self._desk.enter(execution, progress, [], self._missing(execution))
        self._desk.not_sent.discard(execution.execution_id)

    def _missing(self, execution: Execution) -> Calls:
        search = self._searches.get(execution.execution_id)
        return search.missing if search else []

    def _strength(self, execution: Execution) -> tuple[object, ...]:
        decision = self._desk.book.decisions[execution.decision_id]
        return (-decision.signal_strength, decision.decision_id)
