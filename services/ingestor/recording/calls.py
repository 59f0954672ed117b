"""The calls of one run: each is committed to the log before its answer is used."""

from __future__ import annotations

import threading
import time
from datetime import datetime

from services.ingestor.breakpoints import reached
from services.ingestor.recording.journal import Journal
from services.ingestor.recording.lock import SourceLock
from services.ingestor.sources.http import Exchange
from services.ingestor.trouble import ErrorCode, RunTrouble
from tradetrail.calls import call_events
from tradetrail.clock import Clock
from tradetrail.events.generated import CallPurpose, Cause
from tradetrail.ids import derive_id
from tradetrail.log.configuration import Stamp
from tradetrail.log.producer import Outgoing

# While waiting, the lock is served and a stop is noticed this often.
_WAIT_STEP_S = 0.2


class RunCalls:
    """Records the calls of one run on the runs topic, keyed by its task."""

    def __init__(
        self,
        *,
        run_id: str,
        key: str,
        topic: str,
        cause: Cause,
        journal: Journal,
        lock: SourceLock,
        clock: Clock,
        stamp: Stamp,
        stop: threading.Event,
        die_at: str,
    ) -> None:
        """Record under ``run_id``; ``cause`` is the run's beginning."""
        self._run_id = run_id
        self._key = key
        self._topic = topic
        self._cause = cause
        self._journal = journal
        self._lock = lock
        self._clock = clock
        self._stamp = stamp
        self._stop = stop
        self._die_at = die_at
        self._count = 0
        self.causes: dict[str, Cause] = {}
        self.last_cause = cause

    def now(self) -> datetime:
        """Return the injected clock's instant."""
        return self._clock.now()

    def record(
        self,
        exchange: Exchange,
        *,
        requested_at: datetime,
        vendor: str,
        purpose: CallPurpose,
        records_returned: int | None,
        rate_limit_remaining: int | None,
    ) -> str:
        """Commit the call; return its id. Raises RunTrouble when the process is asked to stop."""
        reached("called", self._die_at)
        call_id = str(derive_id("call", self._run_id, self._count))
        self._count += 1
        events = call_events(
            self._stamp,
            requested_at,
            call_id=call_id,
            purpose=purpose,
            vendor=vendor,
            method="GET",
            endpoint=exchange.path,
            request={"query": dict(exchange.query), "headers": dict(exchange.headers)},
            status_code=exchange.status_code,
            error=exchange.error,
            body=exchange.body,
            body_size_bytes=exchange.received_bytes,
            body_redactions=exchange.redactions,
            records_returned=records_returned,
            rate_limit_remaining=rate_limit_remaining,
            duration_us=exchange.duration_us,
            vendor_request_id=exchange.answer_headers.get("X-Request-Id"),
            run_id=self._run_id,
            cause=self._cause,
        )
        places = self._journal.commit([Outgoing(self._topic, self._key, e) for e in events])
        topic, partition, offset = places[0]
        self.last_cause = Cause(
            topic=topic, partition=partition, offset=offset, event_id=events[0].event_id
        )
        self.causes[call_id] = self.last_cause
        reached("call_recorded", self._die_at)
        self._check_stop()
        return call_id

    def wait(self, seconds: float) -> None:
        """Wait in real time, serving the lock."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._stop.wait(min(left, _WAIT_STEP_S))
            self._check_stop()
            self._lock.keep()

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise RunTrouble(
                ErrorCode.STOPPED,
                "the process was asked to stop; nothing was delivered, run the task again",
            )
