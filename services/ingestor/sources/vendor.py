"""Ask a vendor for JSON: each call is recorded before its answer is used, each trouble has a code."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from services.ingestor.sources.http import Exchange, HttpEdge
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


class Allowance:
    """Requests left of one rate class, counted here: the vendor does not tell. Real time, sliding window."""

    def __init__(self, limit: int, window_s: float) -> None:
        """Count up to ``limit`` requests in ``window_s`` seconds."""
        self._limit = limit
        self._window_s = window_s
        self._taken: deque[float] = deque(maxlen=limit)

    def take(self) -> int:
        """Count one request; return how many are left, by our count."""
        now = time.monotonic()
        self._taken.append(now)
        while self._taken[0] <= now - self._window_s:
            self._taken.popleft()
        return self._limit - len(self._taken)


class Vendor:
    """One vendor's JSON endpoints."""

    def __init__(
        self,
        edge: HttpEdge,
        name: str,
        purpose: CallPurpose,
        allowances: Mapping[str, Allowance],
        retry_after_s_max: float,
    ) -> None:
        """Ask through ``edge``; ``allowances`` are by path prefix, the first that fits counts."""
        self._edge = edge
        self._name = name
        self._purpose = purpose
        self._allowances = allowances
        self._retry_after_s_max = retry_after_s_max

    def ask(self, calls: CallLog, path: str, query: Mapping[str, str]) -> Answer:
        """Return the answer to one GET, waiting out short rate limits. Raises RunTrouble for anything but JSON."""
        for attempt in range(_THROTTLED_MAX):
            remaining = self._count(path)
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
            calls.wait(wait_s)
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

    def _count(self, path: str) -> int | None:
        for prefix, allowance in self._allowances.items():
            if path.startswith(prefix):
                return allowance.take()
        return None

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
        return wait_s if 0 <= wait_s <= self._retry_after_s_max else None


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
