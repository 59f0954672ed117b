"""Ask a vendor: each call is recorded before its answer is used, each trouble has a code."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog

from services.ingestor.sources.answers import checked_rows, content_of, retry_after_s
from services.ingestor.sources.http import Exchange, HttpEdge
from services.ingestor.sources.pace import Allowance, Pace
from services.ingestor.trouble import ErrorCode, RunTrouble
from tradetrail.events.generated import CallPurpose

# After so many 429 in a row on one question, waiting longer is not going to help.
_THROTTLED_MAX = 3
# A vendor that moved sends once, perhaps twice; more is a circle.
_REDIRECTS_MAX = 3

log = structlog.get_logger(__name__)


# What an answer holds, or why it can't be used; the text is the vendor's address.
Reader = Callable[[str, Exchange], tuple[Any, RunTrouble | None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A usable answer: its call, its content, and its bytes."""

    call_id: str
    content: Any
    body: bytes


class CallLog(Protocol):
    """Where calls are recorded; ``wait`` is how a run waits without losing its lock."""

    def now(self) -> datetime:
        """Return the injected clock's instant."""

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
        """Commit the call to the log and return its id."""

    def wait(self, seconds: float) -> None:
        """Wait in real time; raises RunTrouble when the process is asked to stop."""


class Vendor:
    """One vendor's endpoints."""

    def __init__(
        self,
        edge: HttpEdge,
        name: str,
        purpose: CallPurpose,
        pace: Pace,
        *,
        read: Reader = content_of,
    ) -> None:
        """Ask through ``edge``, as fast as ``pace`` says; ``read`` reads answers, as JSON unless told otherwise."""
        self._edge = edge
        self._name = name
        self._purpose = purpose
        self._pace = pace
        self._read = read
        self._waiting: tuple[float, str] | None = None

    @property
    def waiting(self) -> str | None:
        """Return what is waited for before the next request, and for how long yet; None when nothing is."""
        waiting = self._waiting
        if waiting is None:
            return None
        left_s = max(waiting[0] - time.monotonic(), 0.0)
        return f"waiting {left_s:.0f} s more: {waiting[1]}"

    def ask(self, calls: CallLog, path: str, query: Mapping[str, str]) -> Answer:
        """Return the answer to one GET, in its turn, waiting out short rate limits.

        Raises RunTrouble for anything that can't be read, and before asking when the turn is too far away.
        """
        allowance = next((a for a in self._pace.allowances if path.startswith(a.prefix)), None)
        throttled = redirected = 0
        before: Exchange | None = None
        while True:
            remaining = None
            if allowance is not None:
                self._await_turn(calls, path, allowance)
                remaining = allowance.take()
            requested_at = calls.now()
            exchange = self._edge.follow(before) if before else self._edge.get(path, query)
            before = exchange if exchange.redirect_to else None
            content, trouble = self._read(self._edge.base_url, exchange)
            call_id = calls.record(
                exchange,
                requested_at=requested_at,
                vendor=self._name,
                purpose=self._purpose,
                records_returned=len(content) if isinstance(content, list | dict) else None,
                rate_limit_remaining=remaining,
            )
            if trouble is None:
                return Answer(call_id, content, exchange.body or b"")
            redirected += before is not None
            if before is not None and redirected <= _REDIRECTS_MAX:
                continue
            throttled += trouble.code is ErrorCode.RATE_LIMITED
            wait_s = self._throttled_s(exchange, trouble)
            if wait_s is None or throttled == _THROTTLED_MAX:
                if before is not None:
                    trouble.code = ErrorCode.REDIRECTED
                trouble.details["call_id"] = call_id
                raise trouble
            self._wait(calls, wait_s, f"{path} answered 429 with Retry-After")

    def _throttled_s(self, exchange: Exchange, trouble: RunTrouble) -> float | None:
        """Return how long to wait before asking again; None when that is not worth it or not said."""
        if trouble.code is not ErrorCode.RATE_LIMITED:
            return None
        wait_s = retry_after_s(exchange)
        if wait_s is None or not math.isfinite(wait_s):
            return None
        trouble.details["retry_after_s"] = wait_s
        return wait_s if 0 <= wait_s <= self._pace.retry_after_s_max else None

    def rows(
        self, calls: CallLog, path: str, query: Mapping[str, str]
    ) -> tuple[Answer, list[dict[str, Any]]]:
        """Return the answer and its rows. Raises RunTrouble when it is no list of objects."""
        answer = self.ask(calls, path, query)
        return answer, checked_rows(path, answer.call_id, answer.content, answer.body)

    def _await_turn(self, calls: CallLog, path: str, allowance: Allowance) -> None:
        """Wait until our count allows one more request. Raises RunTrouble when that takes too long."""
        while (wait_s := allowance.wait_s()) > 0:
            if wait_s > self._pace.wait_s_max:
                raise RunTrouble(
                    ErrorCode.RATE_LIMITED,
                    f"{path} was not asked: {allowance} are used up by our count, the next is allowed in "
                    f"{wait_s:.0f} s, and at most {self._pace.wait_s_max:.0f} s are waited (pace_wait_s_max); run the "
                    "task again then",
                    endpoint=path,
                    next_allowed_in_s=round(wait_s, 1),
                )
            self._wait(calls, wait_s, f"{allowance} are used up by our count")

    def _wait(self, calls: CallLog, wait_s: float, why: str) -> None:
        log.warning("waiting before the vendor is asked", wait_s=round(wait_s, 1), reason=why)
        self._waiting = (time.monotonic() + wait_s, why)
        try:
            calls.wait(wait_s)
        finally:
            self._waiting = None
