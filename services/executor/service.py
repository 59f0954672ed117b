"""The executor: stand by until the account is ours, act for it, and stand by again when it is lost."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Any

import structlog

from services.executor import metrics
from services.executor.active import ActiveExecutor
from services.executor.crash import CrashPoints
from services.executor.election import Election
from services.executor.operators.replies import Answers
from services.executor.parts import Parts
from services.executor.settings import ExecutorSettings
from services.executor.standing_by import Standby, begin_replies
from tradetrail import sessions
from tradetrail.alpaca_settings import AlpacaSettings
from tradetrail.clock import CLOCK_CACHE_S, open_clock
from tradetrail.errors import Retryable, UsageError
from tradetrail.log.codec import Codec
from tradetrail.log.configuration import Stamp
from tradetrail.log.provision import begin
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings, configuration, load
from tradetrail.telemetry import HealthServer

# How often a standby serves its group; the group's own heartbeats run on a thread of the client.
STAND_BY_WAIT_S = 0.1
PAUSE_AFTER_FAILURE_S = 0.5

log = structlog.get_logger(__name__)


class ExecutorService:
    """One process: standby or active."""

    def __init__(self, parts: Parts) -> None:
        """Prepare the service."""
        self._parts = parts
        self._active: ActiveExecutor | None = None
        self._is_standing_by = False
        self._standby: Standby | None = None

    def run(self, stop: threading.Event) -> None:
        """Take part in the election until asked to stop."""
        parts = self._parts
        group = f"{parts.shared.topic_prefix}executor-{parts.alpaca.account}"
        election = Election(parts.shared, group, parts.topics.account)
        standby = self._standby = self._stand_by()
        try:
            while not stop.is_set():
                self._is_standing_by = True
                if election.poll(STAND_BY_WAIT_S):
                    self._act(election, stop)
                else:
                    standby.step(election)
        finally:
            standby.close()
            election.close()

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Return readiness and what /health says; safe from other threads."""
        active = self._active
        standing = active.standing if active is not None else None
        if standing is None:
            ready = self._is_standing_by and active is None
            return ready, {
                "status": "ready" if ready else "not_ready",
                "active": False,
                "positions": {},
                "waiting": 0,
                "unanswered": 0,
                "unknown": 0,
                "runnable": 0,
                "halted": self._standby.halted() if self._standby else {},
            }
        now = self._now()
        is_open = now is not None and sessions.session_at(now) is not None
        may_go = is_open or self._parts.settings.outside_hours == "queue"
        confirmed = sum(now is not None and at >= now for at in standing.looked_at)
        return True, {
            "status": "ready",
            "active": True,
            "account": self._parts.alpaca.account,
            "paper": self._parts.paper,
            "positions": standing.positions,
            "waiting": 0 if may_go else standing.pending,
            "runnable": standing.pending if may_go else 0,
            "unanswered": standing.unanswered,
            "unknown": len(standing.held),
            "open_confirmed": confirmed,
            "held": standing.held,
            "skipped_events": standing.skipped_events,
            "broker": standing.broker,
            "stream": standing.stream,
            "troubled": standing.troubled,
            "halted": standing.halted,
            "as_of": standing.as_of.isoformat() if standing.as_of else None,
        }

    def _stand_by(self) -> Standby:
        parts = self._parts
        answers = Answers(parts.stamp, parts.alpaca.account)
        return Standby(parts.shared, parts.codec, parts.topics, parts.clock, answers, parts.replies)

    def _act(self, election: Election, stop: threading.Event) -> None:
        self._active = ActiveExecutor(self._parts, election)
        metrics.IS_ACTIVE.set(1)
        try:
            self._active.run(stop)
        except Retryable as error:
            log.warning("no longer acting for the account; standing by", error=str(error))
            stop.wait(PAUSE_AFTER_FAILURE_S)
        finally:
            metrics.IS_ACTIVE.set(0)
            self._active = None

    def _now(self) -> datetime | None:
        """Return the instant at or after the question: a report of the moment before a clock was set misleads."""
        if self._parts.shared.clock_url:
            time.sleep(CLOCK_CACHE_S)
        try:
            return self._parts.clock.now()
        except Retryable:
            return None


def run(shared: SharedSettings, stop: threading.Event) -> None:
    """Record the configuration, then serve until asked to stop."""
    settings, alpaca = load(ExecutorSettings), load(AlpacaSettings)
    paper = settings.is_paper(alpaca.account, alpaca.url, alpaca.stream_url)
    log.warning(
        "PAPER trading: no real money" if paper else "LIVE trading: orders move real money",
        account=alpaca.account,
        url=alpaca.url,
    )
    try:
        crash = CrashPoints(settings.die_at)
    except ValueError as error:
        raise UsageError(f"TRADETRAIL_EXECUTOR_DIE_AT: {error}") from error
    topics, codec = Topics.of(shared), Codec(shared.registry_url)
    clock, stamp = open_clock(shared.clock_url), Stamp("executor", shared.instance)
    content = configuration(settings, alpaca) | {"paper": paper}
    digest = begin(shared, codec, topics, stamp, clock, content)
    # Before this process joins its group: what is asked from here on, it answers.
    replies = begin_replies(shared, topics)
    service = ExecutorService(
        Parts(shared, settings, alpaca, topics, codec, clock, stamp, digest, paper, crash, replies)
    )
    server = HealthServer(shared.http_host, shared.http_port, service.health)
    server.start()
    log.info("health and metrics", port=server.port)
    try:
        service.run(stop)
    finally:
        server.close()
