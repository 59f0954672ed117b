"""Whole reports over HTTP: streamed to few clients at once, each over a connection of its own, within bounds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import Any

import anyio
import anyio.to_thread
import psycopg
import structlog
from fastapi import HTTPException, Response
from starlette.types import Receive, Scope, Send

from services.auditor.api.reports.reads import Read, Reads
from tradetrail.errors import Retryable
from tradetrail.events.generated import ReadOutcome
from tradetrail.reports.export import FileForm, OpenWhole

# What is handed to the server at once, and how long a client may take for it: slower than 2 KB/s is gone.
SLICE_BYTES = 64 << 10
STALL_TIMEOUT_S = 30.0
# A million rows take minutes. Past this a slow client holds an old state of the database back from being vacuumed.
EXPORT_TIMEOUT_S = 1_800.0
_RETRY_AFTER_S = 30

OpenReader = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
"""Opens a report's connection of one's own."""

log = structlog.get_logger(__name__)


class CutOff(Exception):
    """An export ended before its end: the connection is broken, so that the client knows."""


class Exports:
    """Makes exports, at most so many at once; they take no connection from those that answer pages."""

    def __init__(self, open_reader: OpenReader, at_once_max: int, reads: Reads) -> None:
        """Read over what ``open_reader`` opens; ``reads`` records those that are to be."""
        self._open_reader = open_reader
        self._places = threading.BoundedSemaphore(at_once_max)
        self._reads = reads

    def parts(
        self, name: str, open_whole: OpenWhole, form: FileForm, read: Read | None
    ) -> Iterator[bytes]:
        """Yield all rows of the report ``name``, part by part; whoever takes them closes the generator.

        Raises as the page would before the first part, and a problem 503 when too many exports are under way. The read
        is recorded before the first part and after the last; an export whose end can't be recorded is cut off.
        """
        if not self._places.acquire(blocking=False):
            told = "Enough exports are under way; try again in a moment."
            retry = {"Retry-After": str(_RETRY_AFTER_S)}
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, told, retry)
        try:
            with self._open_reader() as connection, open_whole(connection) as export:
                total = export.rows_total
                self._reads.record(read, ReadOutcome.EXPORT_BEGUN, 0, total)
                began_at, outcome = time.monotonic(), ReadOutcome.EXPORT_CUT_OFF
                try:
                    for part in export.parts(form):
                        yield part
                        if time.monotonic() - began_at > EXPORT_TIMEOUT_S:
                            raise Retryable(f"it took more than {EXPORT_TIMEOUT_S:.0f} s")
                    outcome = ReadOutcome.EXPORT_COMPLETE
                finally:
                    seconds = round(time.monotonic() - began_at, 1)
                    log.info(
                        "an export ended",
                        report=name,
                        outcome=outcome,
                        rows=export.rows_done,
                        rows_expected=total,
                        seconds=seconds,
                    )
                    self._reads.record(read, outcome, export.rows_done)
        finally:
            self._places.release()


class StreamedAnswer(Response):
    """An answer whose parts are made while it is sent. It ends well, or the connection breaks off."""

    def __init__(self, parts: Iterator[bytes], media_type: str, headers: dict[str, str]) -> None:
        """Take the first of ``parts``, a generator, so that what goes wrong until then is a problem as usual."""
        self._first = next(parts, b"")
        self._parts = parts
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the parts; stop when the client has gone or takes too long. Raises CutOff."""
        failure: Exception | None = None
        has_ended = False
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
                try:
                    await self._send(send)
                    has_ended = True
                except Exception as error:  # noqa: BLE001 (told below, outside of the group)
                    failure = error
                tasks.cancel_scope.cancel()
        finally:
            # The rows' connection is given back whatever happened here.
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(_close, self._parts)
        if failure is not None:
            log.warning("an answer was cut off", error=str(failure) or type(failure).__name__)
            raise CutOff(str(failure)) from failure
        if not has_ended:
            log.warning("a client went away before the end of its answer")

    async def _send(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        part: bytes | None = self._first
        while part is not None:
            for begins in range(0, len(part), SLICE_BYTES):
                body = part[begins : begins + SLICE_BYTES]
                with anyio.fail_after(STALL_TIMEOUT_S):
                    await send({"type": "http.response.body", "body": body, "more_body": True})
            part = await anyio.to_thread.run_sync(next, self._parts, None)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Receive, others: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    others.cancel()


def _close(parts: Iterator[bytes]) -> None:
    try:
        parts.close()  # type: ignore[attr-defined]
    except HTTPException as unrecorded:
        # The client is gone already: there is nobody left to refuse.
        log.error("how an export ended is not recorded", error=unrecorded.detail)
