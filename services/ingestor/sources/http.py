"""One GET with every limit: connect, between bytes, the whole answer, its size. The body is kept byte for byte."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3.exceptions
from requests.auth import AuthBase

from services.ingestor.trouble import ErrorCode

_CHUNK_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Limits:
    """What one answer may cost, in real seconds and bytes."""

    connect_s: float
    read_s: float
    answer_s: float
    bytes_max: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came back; ``failure`` says why there is no whole answer."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    status_code: int | None
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    failure: ErrorCode | None = None
    error: str | None = None
    duration_us: int = 0


class BearerAuth(AuthBase):
    """Sends the key as a bearer token; unlike a plain header, no .netrc file can replace it."""

    def __init__(self, token: str) -> None:
        """Send ``token``."""
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class HttpEdge:
    """GETs from one vendor."""

    def __init__(self, base_url: str, auth: AuthBase | None, limits: Limits) -> None:
        """Ask ``base_url``; one connection is kept open between requests."""
        self._base_url = base_url.rstrip("/")
        self._auth = auth
        self._limits = limits
        self._session = requests.Session()
        self._session.headers["Accept"] = "application/json"

    @property
    def base_url(self) -> str:
        """Return the vendor's address."""
        return self._base_url

    def get(self, path: str, query: Mapping[str, str]) -> Exchange:
        """Return what came back, also when nothing did; never raises for trouble of the vendor or the network."""
        started = time.monotonic()
        asked: dict[str, Any] = {"path": path, "query": dict(query), "headers": self._headers()}
        body = bytearray()
        status: int | None = None
        headers: Mapping[str, str] = {}
        failure, problem = None, None
        try:
            with self._session.get(
                self._base_url + path,
                params=dict(query),
                auth=self._auth,
                timeout=(self._limits.connect_s, self._limits.read_s),
                stream=True,
            ) as answer:
                status, headers = answer.status_code, dict(answer.headers)
                failure, problem = self._read(answer, body, started)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            failure, problem = _failure(error, status), f"{type(error).__name__}: {error}"
        return Exchange(
            **asked,
            status_code=status,
            answer_headers=headers,
            body=None if status is None else bytes(body),
            failure=failure,
            error=problem,
            duration_us=int((time.monotonic() - started) * 1_000_000),
        )

    def _read(
        self, answer: requests.Response, body: bytearray, started: float
    ) -> tuple[ErrorCode | None, str | None]:
        # What has come so far, at once: waiting to fill a block would let a trickle outlast every limit.
        while chunk := answer.raw.read1(_CHUNK_BYTES, decode_content=True):
            body += chunk
            if len(body) > self._limits.bytes_max:
                return (
                    ErrorCode.ANSWER_TOO_LARGE,
                    f"more than {self._limits.bytes_max} bytes came; reading was given up",
                )
            if time.monotonic() - started > self._limits.answer_s:
                return (
                    ErrorCode.VENDOR_TIMEOUT,
                    f"the answer was not complete after {self._limits.answer_s:.0f} s",
                )
        return None, None

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if self._auth is not None:
            # Its name is evidence; its value is starred before it is recorded.
            headers["Authorization"] = "Bearer"
        return headers


def _failure(error: Exception, status: int | None) -> ErrorCode:
    timeouts = (requests.Timeout, urllib3.exceptions.TimeoutError)
    if isinstance(error, timeouts) or "timed out" in str(error).casefold():
        return ErrorCode.VENDOR_TIMEOUT
    return ErrorCode.VENDOR_UNREACHABLE if status is None else ErrorCode.ANSWER_CUT_OFF
