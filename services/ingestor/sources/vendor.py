"""Ask a vendor for JSON: each call is recorded before its answer is used, each trouble has a code."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog

from services.ingestor.sources.http import Exchange, HttpEdge
from services.ingestor.sources.pace import Allowance, Pace
from services.ingestor.trouble import ErrorCode, RunTrouble
from tradetrail.events.generated import CallPurpose

# After so many 429 in a row on one question, waiting longer is not going to help.
_THROTTLED_MAX = 3
_QUOTE_CHARACTERS_MAX = 200
_STATUS_CODES = {
    401: (ErrorCode.UNAUTHORIZED, "check the vendor's key"),
    403: (ErrorCode.FORBIDDEN, "the plan does not cover this data set or is not active"),
    404: (ErrorCode.NOT_FOUND, "check the vendor's address; the vendor may have moved it"),
    429: (ErrorCode.RATE_LIMITED, "run the task again later, or less often"),
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """A usable answer: its call, its JSON, and its bytes."""

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
    """One vendor's JSON endpoints."""

    def __init__(self, edge: HttpEdge, name: str, purpose: CallPurpose, pace: Pace) -> None:
        """Ask through ``edge``, as fast as ``pace`` says."""
        self._edge = edge
        self._name = name
        self._purpose = purpose
        self._pace = pace
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

        Raises RunTrouble for anything but JSON, and before asking when the turn is too far away.
        """
        allowance = next((a for a in self._pace.allowances if path.startswith(a.prefix)), None)
        for attempt in range(_THROTTLED_MAX):
            remaining = None
            if allowance is not None:
                self._await_turn(calls, path, allowance)
                remaining = allowance.take()
            requested_at = calls.now()
            exchange = self._edge.get(path, query)
            content, trouble = self._content(exchange)
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
            wait_s = self._throttled_s(exchange, trouble)
            if wait_s is None or attempt + 1 == _THROTTLED_MAX:
                trouble.details["call_id"] = call_id
                raise trouble
            self._wait(calls, wait_s, f"{path} answered 429 with Retry-After")
        raise AssertionError("the loop returns or raises")

    def rows(
        self, calls: CallLog, path: str, query: Mapping[str, str]
    ) -> tuple[Answer, list[dict[str, Any]]]:
        """Return the answer and its rows. Raises RunTrouble when it is no list of objects."""
        answer = self.ask(calls, path, query)
        rows = answer.content
        if not isinstance(rows, list):
            raise RunTrouble(
                ErrorCode.UNEXPECTED_SHAPE,
                f"{path} answered {_kind(rows)} in place of a list of rows: {_quote(answer.body)}",
                call_id=answer.call_id,
            )
        for number, row in enumerate(rows):
            if not isinstance(row, dict) or set(row) == {"detail"}:
                code = (
                    ErrorCode.UNEXPECTED_SHAPE if isinstance(row, dict) else ErrorCode.MALFORMED_ROW
                )
                raise RunTrouble(
                    code,
                    f"row {number} of {path} is no row: {json.dumps(row)[:_QUOTE_CHARACTERS_MAX]}",
                    call_id=answer.call_id,
                    row_number=number,
                )
        return answer, rows

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

    def _content(self, exchange: Exchange) -> tuple[Any, RunTrouble | None]:
        facts = {"endpoint": exchange.path, "status_code": exchange.status_code}
        where = f"{self._edge.base_url}{exchange.path}"
        if exchange.failure is not None:
            message = f"{where} gave no whole answer: {exchange.error}"
            return None, RunTrouble(exchange.failure, message, **facts)
        body = exchange.body or b""
        if exchange.status_code != 200:
            return None, _refused(where, exchange, facts)
        if not body.strip():
            message = f"{where} answered 200 with an empty body"
            return None, RunTrouble(ErrorCode.EMPTY_ANSWER, message, **facts)
        try:
            return json.loads(body, parse_constant=_no_constant), None
        except (ValueError, RecursionError) as error:
            begun = body.lstrip()[:1] in (b"[", b"{")
            code = ErrorCode.ANSWER_CUT_OFF if begun else ErrorCode.NOT_JSON
            what = "JSON that is cut off or broken" if begun else "no JSON"
            message = f"{where} answered 200 with {what} ({error}): {_quote(body)}"
            return None, RunTrouble(code, message, **facts)

    def _throttled_s(self, exchange: Exchange, trouble: RunTrouble) -> float | None:
        """Return how long to wait before asking again; None when that is not worth it or not said."""
        if trouble.code is not ErrorCode.RATE_LIMITED:
            return None
        told = next(
            (v for k, v in exchange.answer_headers.items() if k.casefold() == "retry-after"), ""
        )
        try:
            wait_s = float(told)
        except ValueError:
            return None
        trouble.details["retry_after_s"] = wait_s
        return wait_s if 0 <= wait_s <= self._pace.retry_after_s_max else None


def _refused(where: str, exchange: Exchange, facts: dict[str, Any]) -> RunTrouble:
    status = exchange.status_code or 0
    code, advice = _STATUS_CODES.get(status, (ErrorCode.UNEXPECTED_STATUS, "see the recorded call"))
    if status >= 500:
        code, advice = ErrorCode.VENDOR_ERROR, "the vendor has trouble; run the task again later"
    said = _said(exchange.body or b"")
    return RunTrouble(code, f"{where} answered {status} ({said}); {advice}", **facts)


def _said(body: bytes) -> str:
    """Return the vendor's own words: the framework's detail, or the beginning of whatever came."""
    try:
        content = json.loads(body)
    except ValueError:
        return _quote(body)
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    if isinstance(content, dict) and "detail" in content:
        content = content["detail"]
    return str(content)[:_QUOTE_CHARACTERS_MAX]


def _quote(body: bytes) -> str:
    text = " ".join(body[: 4 * _QUOTE_CHARACTERS_MAX].decode(errors="replace").split())
    return text[:_QUOTE_CHARACTERS_MAX] or "no body"


def _kind(content: Any) -> str:
    if isinstance(content, dict):
        return "an object"
    return "a text" if isinstance(content, str) else f"a {type(content).__name__}"


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
