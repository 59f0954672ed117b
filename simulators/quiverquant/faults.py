"""Armed faults: what the vendor does wrong on request, by path and for so many requests.

``path`` is a shell pattern over the request's path (default: all of the vendor's). ``skip`` lets requests pass first,
``count`` is how many are struck then (null: until cleared). One request meets the first fault that strikes it.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import json
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from simulators.quiverquant.answers import (
    FAILED_HTML,
    INVALID_TOKEN,
    NOT_FOUND_HTML,
    NOT_PROVIDED,
    UPGRADE,
    html_answer,
    json_answer,
)

# No client waits longer; a longer stall would only outlive its test.
STALL_S_MAX = 600.0
_DETAILS = {
    401: INVALID_TOKEN,
    403: UPGRADE,
    404: "Not found.",
    429: "Request was throttled. Expected available in {retry_after_s} seconds.",
    500: "A server error occurred.",
    502: "Bad gateway.",
    503: "Service unavailable.",
    504: "Gateway timeout.",
}


class _Fault(BaseModel):
    model_config = ConfigDict(extra="forbid")
    path: str = "*"
    count: int | None = Field(default=1, ge=1)
    skip: int = Field(default=0, ge=0)


class StatusFault(_Fault):
    """Answer with a status of our choice; the vendor's own wording where it has one.

    ``body``: object (``{"detail": …}``), string and list (as older 403 answers), html, or empty.
    """

    kind: Literal["status"]
    status: int = Field(ge=200, le=599)
    body: Literal["object", "string", "list", "html", "empty"] | None = None
    detail: str | None = None
    retry_after_s: int | None = Field(default=None, ge=0)
    headers: dict[str, str] = {}

    def answer(self) -> Response:
        """Return the whole answer."""
        wait_s = self.retry_after_s if self.retry_after_s is not None else 30
        headers = dict(self.headers)
        if self.status == 429 or self.retry_after_s is not None:
            headers = {"Retry-After": str(wait_s)} | headers
        default = NOT_PROVIDED if self.status < 400 else _DETAILS.get(self.status, "Error.")
        detail = self.detail or default.format(retry_after_s=wait_s)
        kind = self.body or ("html" if self.status == 404 else "object")
        if kind == "html":
            page = NOT_FOUND_HTML if self.status == 404 else FAILED_HTML.format(status=self.status)
            answer = html_answer(page, self.status)
        elif kind == "empty":
            answer = Response(b"", self.status)
        else:
            bodies: dict[str, Any] = {"object": {"detail": detail}, "string": detail}
            answer = json_answer(bodies.get(kind, [{"detail": detail}]), self.status)
        answer.headers.update(headers)
        return answer


class AnswerFault(_Fault):
    """Answer with exactly these bytes, as ``text`` or in ``base64``, and these headers besides the length.

    ``{authorization}`` in the text and in headers stands for what the request had in that header.
    """

    kind: Literal["answer"]
    status: int = Field(default=200, ge=200, le=599)
    text: str = ""
    base64: str | None = None
    headers: dict[str, str] = {}

    @field_validator("base64")
    @classmethod
    def _readable(cls, text: str | None) -> str | None:
        try:
            base64.b64decode(text or "", validate=True)
        except binascii.Error as error:
            raise ValueError(f"no base64: {error}") from error
        return text

    def answer(self, authorization: str) -> Response:
        """Return the whole answer to a request with this Authorization header."""
        body = self.text.replace("{authorization}", authorization).encode()
        if self.base64 is not None:
            body = base64.b64decode(self.base64)
        headers = {
            name: value.replace("{authorization}", authorization)
            for name, value in self.headers.items()
        }
        return Response(body, self.status, {"Content-Type": "application/json"} | headers)


class TruncateFault(_Fault):
    """Send a part of the body: as if it were all, or (``cut``) with the connection lost on the way.

    With ``chunked`` the answer tells no length beforehand, so that only the missing last chunk shows the cut.
    """

    kind: Literal["truncate"]
    fraction: float = Field(default=0.5, gt=0, lt=1)
    cut: bool = False
    chunked: bool = False


class HtmlFault(_Fault):
    """Answer 200 with an HTML page."""

    kind: Literal["html"]


class EmptyFault(_Fault):
    """Answer 200 with no body at all."""

    kind: Literal["empty"]


class WrapFault(_Fault):
    """Put the answer inside an object: ``{"data": […]}``."""

    kind: Literal["wrap"]
    key: str = "data"


class FieldFault(_Fault):
    """Give one field of one row a value of another type, or (``missing``) leave it out."""

    kind: Literal["field"]
    row: int = Field(default=0, ge=0)
    field: str
    value: Any = {"unexpected": True}
    missing: bool = False


class StallFault(_Fault):
    """Keep the socket open and silent for ``stall_s``: before the head, or after a part of the body."""

    kind: Literal["stall"]
    stall_s: float = Field(gt=0, le=STALL_S_MAX)
    when: Literal["before", "within"] = "before"


class SlowFault(_Fault):
    """Send the body in ``chunks`` pieces, ``delay_s`` apart."""

    kind: Literal["slow"]
    chunks: int = Field(default=10, ge=2, le=10_000)
    delay_s: float = Field(default=0.2, ge=0, le=STALL_S_MAX)


class RepeatPageFault(_Fault):
    """Serve the page before the one that was asked for; page 1 is not touched, nor counted."""

    kind: Literal["repeat_page"]


BodyFault = TruncateFault | HtmlFault | EmptyFault | WrapFault | FieldFault
Fault = Annotated[
    StatusFault
    | AnswerFault
    | TruncateFault
    | HtmlFault
    | EmptyFault
    | WrapFault
    | FieldFault
    | StallFault
    | SlowFault
    | RepeatPageFault,
    Field(discriminator="kind"),
]


class _Entry:
    """An armed fault with what it met so far."""

    def __init__(self, number: int, fault: Fault) -> None:
        self.number = number
        self.fault = fault
        self.met = 0
        self.struck = 0

    @property
    def is_spent(self) -> bool:
        return self.fault.count is not None and self.struck >= self.fault.count

    def strikes(self) -> bool:
        if self.is_spent:
            return False
        self.met += 1
        if self.met <= self.fault.skip:
            return False
        self.struck += 1
        return True


class ArmedFaults:
    """All armed faults, in the order they were armed."""

    def __init__(self) -> None:
        """Start with none."""
        self._entries: list[_Entry] = []
        self._numbers = itertools.count(1)

    def arm(self, fault: Fault) -> None:
        """Arm a fault."""
        self._entries.append(_Entry(next(self._numbers), fault))

    def clear(self) -> None:
        """Disarm everything."""
        self._entries.clear()

    def striking(self, path: str, page: int) -> Fault | None:
        """Return the fault that strikes a request for ``page`` (1 where none is asked for) of ``path``."""
        for entry in self._entries:
            if not fnmatchcase(path, entry.fault.path):
                continue
            if isinstance(entry.fault, RepeatPageFault) and page < 2:
                continue
            if entry.strikes():
                return entry.fault
        return None

    def told(self) -> list[dict[str, Any]]:
        """Return every armed fault with what it has done so far."""
        return [
            {
                "number": entry.number,
                **entry.fault.model_dump(mode="json"),
                "met": entry.met,
                "struck": entry.struck,
                "is_spent": entry.is_spent,
            }
            for entry in self._entries
        ]


def spoilt(fault: BodyFault, body: bytes) -> bytes:
    """Return what ``fault`` makes of an answer's body (all of it, also where the connection will be cut)."""
    if isinstance(fault, HtmlFault):
        return FAILED_HTML.format(status=502).encode()
    if isinstance(fault, EmptyFault):
        return b""
    if isinstance(fault, TruncateFault):
        return body[: max(int(len(body) * fault.fraction), 1)]
    try:
        document = json.loads(body)
    except ValueError:
        return body  # An HTML page has no rows to spoil.
    if isinstance(fault, WrapFault):
        return json.dumps({fault.key: document}).encode()
    if isinstance(document, list) and fault.row < len(document):
        if fault.missing:
            document[fault.row].pop(fault.field, None)
        else:
            document[fault.row][fault.field] = fault.value
    return json.dumps(document).encode()
