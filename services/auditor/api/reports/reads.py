"""Reads under the compliance role: each is in the log before its answer leaves, or the read is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import HTTPException, Request

from services.auditor.api.access import Role, reader_of
from services.auditor.api.negotiation import Form
from tradetrail.clock import Clock
from tradetrail.errors import TradetrailError, Unreachable
from tradetrail.events.generated import QueryRecorded, ReadOutcome
from tradetrail.ids import derive_id, new_id
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.stamp import Stamp
from tradetrail.log.topics import Topics
from tradetrail.reports.encode import to_json

# One read after the other is recorded, in milliseconds each. Who has to wait longer than this is behind one that the
# log does not take; it would only be the next to wait for it, with a thread that others need.
TURN_TIMEOUT_S = 2.0
_RETRY_AFTER_S = 5
_REFUSED = (
    "Compliance reads are only answered when they can be recorded, and the log does not take it now; "
    "try again in a moment."
)

log = structlog.get_logger(__name__)

Publish = Callable[[QueryRecorded], None]
"""Puts a read into the log and returns once it is there; raises TradetrailError when it isn't, within a bound."""


@dataclass(frozen=True, slots=True)
class Read:
    """One read that is to be recorded: who asks for what."""

    read_id: str
    reader: str
    report: str
    arguments: str
    path: str
    form: Form
    request_id: str | None


def report_name(path: str) -> str:
    """Return the name of the report at ``path``, also of a path with places to fill in."""
    return path.removeprefix("/reports/").partition("/")[0] or "overview"


class ReadLog:
    """The topic that reads stand on; its publishing takes TURN_TIMEOUT_S and one request to Kafka at most."""

    def __init__(self, producer: EventProducer, topics: Topics) -> None:
        """Publish through ``producer``."""
        self._producer = producer
        self._topic = topics.audit
        self._turn = threading.Lock()

    def publish(self, event: QueryRecorded) -> None:
        """Put a read into the log. Raises TradetrailError when it is not confirmed."""
        if not self._turn.acquire(timeout=TURN_TIMEOUT_S):
            raise Unreachable("reads before this one are still not confirmed")
        try:
            self._producer.send([Outgoing(self._topic, event.reader, event)])
        finally:
            self._turn.release()


class Reads:
    """Records reads under the compliance role; other roles are not recorded."""

    def __init__(self, publish: Publish, stamp: Stamp, clock: Clock) -> None:
        """Record by ``publish``, in the name of ``stamp``."""
        self._publish = publish
        self._stamp = stamp
        self._clock = clock

    def of(self, request: Request, form: Form, arguments: Mapping[str, Any]) -> Read | None:
        """Return the read that ``request`` is, if it is one to record.

        ``arguments`` are what the report takes: nothing else of the URL's query is kept, whatever stands there.
        """
        reader = reader_of(request)
        if reader.role is not Role.COMPLIANCE:
            return None
        path = request.url.path
        request_id = getattr(request.state, "request_id", None)
        said = to_json(dict(arguments))
        name = report_name(path)
        return Read(str(new_id()), reader.name, name, said, path, form, request_id)

    def record(
        self, read: Read | None, outcome: ReadOutcome, rows: int, rows_expected: int | None = None
    ) -> None:
        """Put what came of a read into the log. Raises a problem 503 when the log does not take it."""
        if read is None:
            return
        event = QueryRecorded(
            event_id=str(derive_id("read", read.read_id, outcome)),
            **self._stamp.envelope(self._clock.now()),
            reader=read.reader,
            role=Role.COMPLIANCE,
            query=read.report,
            arguments=read.arguments,
            rows=rows,
            read_id=read.read_id,
            outcome=outcome,
            format=read.form,
            path=read.path,
            request_id=read.request_id,
            rows_expected=rows_expected,
        )
        try:
            self._publish(event)
        except TradetrailError as error:
            log.error("a compliance read can't be recorded", outcome=outcome, error=str(error))
            retry = {"Retry-After": str(_RETRY_AFTER_S)}
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, _REFUSED, retry) from error
