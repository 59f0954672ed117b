"""What an answer says, or why it says nothing usable: each trouble with its code (docs/ingestor.md). Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from services.ingestor.sources.http import Exchange
from services.ingestor.trouble import ErrorCode, RunTrouble

_QUOTE_CHARACTERS_MAX = 200
# Rows are flat and committee data is five deep; what nests deeper is no data, and would exhaust who writes it down.
_DEPTH_MAX = 32
# Longer ones are no numbers of this world, and take quadratic time to read exactly.
_DIGITS_MAX = 400
_CLOSING = {b"[": b"]", b"{": b"}"}
_STATUS_CODES = {
    401: (ErrorCode.UNAUTHORIZED, "check the vendor's key"),
    403: (ErrorCode.FORBIDDEN, "the plan does not cover this data set or is not active"),
    404: (ErrorCode.NOT_FOUND, "check the vendor's address; the vendor may have moved it"),
    429: (ErrorCode.RATE_LIMITED, "run the task again later, or less often"),
}


class _NamedTwice(ValueError):
    """An object names a field twice: which of the two holds can't be known."""


def content_of(base_url: str, exchange: Exchange) -> tuple[Any, RunTrouble | None]:
    """Return the JSON of an answer, or the trouble that there is none."""
    if trouble := refusal(base_url, exchange):
        return None, trouble
    body = exchange.body or b""
    try:
        return _loaded(body), None
    except _NamedTwice as error:
        code, what = ErrorCode.MALFORMED_ROW, f"an object that names a field twice ({error})"
    except RecursionError:
        code, what = ErrorCode.UNEXPECTED_SHAPE, f"JSON that is nested deeper than {_DEPTH_MAX}"
    except ValueError as error:
        code, what = _broken(body, error)
    message = f"{base_url}{exchange.path} answered 200 with {what}: {quote(body)}"
    return None, RunTrouble(code, message, **_facts(exchange))


def refusal(base_url: str, exchange: Exchange) -> RunTrouble | None:
    """Return the trouble that there is no whole answer with something in it; None when there is one."""
    where = f"{base_url}{exchange.path}"
    if exchange.failure is not None:
        message = f"{where} gave no whole answer: {exchange.error}"
        return RunTrouble(exchange.failure, message, **_facts(exchange))
    if exchange.status_code != 200:
        return _refused(where, exchange)
    if not (exchange.body or b"").strip():
        message = f"{where} answered 200 with an empty body"
        return RunTrouble(ErrorCode.EMPTY_ANSWER, message, **_facts(exchange))
    return None


def checked_rows(path: str, call_id: str, content: Any, body: bytes) -> list[dict[str, Any]]:
    """Return the rows of an answer. Raises RunTrouble when it is no list of flat objects."""
    if not isinstance(content, list):
        raise RunTrouble(
            ErrorCode.UNEXPECTED_SHAPE,
            f"{path} answered {_kind(content)} in place of a list of rows: {quote(body)}",
            call_id=call_id,
        )
    for number, row in enumerate(content):
        if not isinstance(row, dict) or set(row) == {"detail"}:
            code = ErrorCode.UNEXPECTED_SHAPE if isinstance(row, dict) else ErrorCode.MALFORMED_ROW
            raise RunTrouble(
                code,
                f"row {number} of {path} is no row: {json.dumps(row)[:_QUOTE_CHARACTERS_MAX]}",
                call_id=call_id,
                row_number=number,
            )
    return content


def retry_after_s(exchange: Exchange) -> float | None:
    """Return the seconds that an answer asks to wait; None when it does not say.

    A date is taken against the vendor's own clock, the answer's Date: ours may be simulated.
    """
    headers = {name.casefold(): value for name, value in exchange.answer_headers.items()}
    told = headers.get("retry-after", "")
    try:
        return float(told)
    except ValueError:
        pass
    try:
        wait = parsedate_to_datetime(told) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):
        return None
    return max(wait, timedelta(0)).total_seconds()


def quote(body: bytes) -> str:
    """Return the beginning of a body as one line of text."""
    text = " ".join(body[: 4 * _QUOTE_CHARACTERS_MAX].decode(errors="replace").split())
    return text[:_QUOTE_CHARACTERS_MAX] or "no body"


def _loaded(body: bytes) -> Any:
    """Return the JSON. Raises ValueError, or RecursionError when it is nested too deep."""
    content = json.loads(body, object_pairs_hook=_object, parse_int=_integer)
    if isinstance(content, list | dict):
        _check_depth(content)
    return content


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _NamedTwice(json.dumps(twice)[:_QUOTE_CHARACTERS_MAX])
    return found


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS_MAX else float(digits)


def _check_depth(content: Any) -> None:
    level = [content]
    for _ in range(_DEPTH_MAX):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, list | dict)
        ]
        if not level:
            return
    raise RecursionError


def _broken(body: bytes, error: ValueError) -> tuple[ErrorCode, str]:
    text = body.strip()
    closing = _CLOSING.get(text[:1])
    if closing is None:
        return ErrorCode.NOT_JSON, f"no JSON ({error})"
    if isinstance(error, UnicodeDecodeError) or text.endswith(closing):
        return ErrorCode.NOT_JSON, f"JSON that is broken ({error})"
    return ErrorCode.ANSWER_CUT_OFF, f"JSON that is cut off ({error})"


def _facts(exchange: Exchange) -> dict[str, Any]:
    return {"endpoint": exchange.path, "status_code": exchange.status_code}


def _refused(where: str, exchange: Exchange) -> RunTrouble:
    status = exchange.status_code or 0
    code, advice = _STATUS_CODES.get(status, (ErrorCode.UNEXPECTED_STATUS, "see the recorded call"))
    if status >= 500:
        code, advice = ErrorCode.VENDOR_ERROR, "the vendor has trouble; run the task again later"
    said = _said(exchange.body or b"")
    return RunTrouble(code, f"{where} answered {status} ({said}); {advice}", **_facts(exchange))


def _said(body: bytes) -> str:
    """Return the vendor's own words: the framework's detail, or the beginning of whatever came."""
    try:
        content = json.loads(body)
        if isinstance(content, list) and len(content) == 1:
            content = content[0]
        if isinstance(content, dict) and "detail" in content:
            content = content["detail"]
        return str(content)[:_QUOTE_CHARACTERS_MAX]
    except (ValueError, RecursionError):
        return quote(body)


def _kind(content: Any) -> str:
    if content is None:
        return "null"
    if isinstance(content, dict):
        return "an object"
    return "a text" if isinstance(content, str) else f"a {type(content).__name__}"
