"""One GET with every limit: connect, between bytes, the whole answer, its size. The body is kept byte for byte.

Nothing that leaves here holds a secret of ours: where a vendor echoes our key it is starred, and ``redactions`` counts.
Redirects are answers like others; where one leads is asked for by the caller, and never with our key elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests
import urllib3.exceptions
from requests.auth import AuthBase

from services.ingestor.trouble import ErrorCode
from tradetrail.errors import UsageError
from tradetrail.http_deadline import DeadlineSession
from tradetrail.redaction import hidden, hidden_body, hidden_everywhere, remember, remember_address

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}
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
    """One request and what came back; ``failure`` says why there is no whole answer.

    ``redirect_to`` is where the same server wants to be asked instead: for asking only, it is not to be recorded.
    """

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    status_code: int | None
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    failure: ErrorCode | None = None
    error: str | None = None
    duration_us: int = 0
    received_bytes: int = 0
    redactions: int = 0
    redirect_to: str | None = None


class BearerAuth(AuthBase):
    """Sends the key as a bearer token; unlike a plain header, no .netrc file can replace it."""

    def __init__(self, token: str) -> None:
        """Send ``token``. Raises UsageError for one that no header can carry."""
        if not (token.isascii() and (token.isprintable() or not token)) or token != token.strip():
            raise UsageError(
                "the vendor's key holds a character that no header can carry, such as a line break at its end; "
                "set TRADETRAIL_QUIVER_TOKEN again"
            )
        remember(token)
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Session(DeadlineSession):
    """A session that reads nothing into a redirect: the library trips over addresses that are none."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class HttpEdge:
    """GETs from one vendor."""

    def __init__(
        self,
        base_url: str,
        auth: AuthBase | None,
        limits: Limits,
        *,
        accept: str = "application/json",
    ) -> None:
        """Ask ``base_url`` for the media type ``accept``; one connection is kept open between requests."""
        remember_address(base_url)
        self._base_url = base_url.rstrip("/")
        self._auth = auth
        self._limits = limits
        self._session = _Session()
        self._accept = accept
        self._session.headers["Accept"] = accept

    @property
    def base_url(self) -> str:
        """Return the vendor's address as it may be shown."""
        return hidden(self._base_url)

    def get(self, path: str, query: Mapping[str, str]) -> Exchange:
        """Return what came back, also when nothing did; never raises for trouble of the vendor or the network."""
        return self._ask(self._base_url + path, path, query, query)

    def follow(self, exchange: Exchange) -> Exchange:
        """Return what came back from where ``exchange`` was redirected to."""
        to = exchange.redirect_to or ""
        parts = urlsplit(to)
        return self._ask(to, parts.path, dict(parse_qsl(parts.query)), {})

    def _ask(
        self, url: str, path: str, query: Mapping[str, str], added: Mapping[str, str]
    ) -> Exchange:
        """Ask ``url`` with ``added`` as its query; ``path`` and ``query`` are what is recorded of it."""
        started = time.monotonic()
        body = bytearray()
        status: int | None = None
        headers: Mapping[str, str] = {}
        failure, problem, to = None, None, None
        with self._session.within(self._limits.answer_s) as wire:
            try:
                with self._session.get(
                    url,
                    params=dict(added),
                    auth=self._auth,
                    timeout=(self._limits.connect_s, self._limits.read_s),
                    stream=True,
                    allow_redirects=False,
                ) as answer:
                    status, headers = answer.status_code, dict(answer.headers)
                    failure, problem = self._read(answer, body)
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                failure, problem = _failure(error, status), f"{type(error).__name__}: {error}"
        if wire.is_cut:
            # Whatever the cut looked like from here, also a whole answer: its end is not known to have come.
            failure = ErrorCode.VENDOR_TIMEOUT
            problem = f"the answer was not complete after {self._limits.answer_s:g} s"
        if failure is None and status in _REDIRECTS:
            to, failure, problem = self._redirected(url, headers)
        kept, redactions = hidden_body(bytes(body))
        return Exchange(
            path=hidden(path),
            query=hidden_everywhere(dict(query)),
            headers=self._headers(),
            status_code=status,
            answer_headers={name: hidden(value) for name, value in headers.items()},
            body=None if status is None else kept,
            failure=failure,
            error=problem and hidden(problem),
            duration_us=int((time.monotonic() - started) * 1_000_000),
            received_bytes=len(body),
            redactions=redactions,
            redirect_to=to,
        )

    def _redirected(
        self, url: str, headers: Mapping[str, str]
    ) -> tuple[str | None, ErrorCode | None, str | None]:
        """Return where to ask instead, or why not; and what to say of it."""
        told = next((v for k, v in headers.items() if k.casefold() == "location"), None)
        if told is None:
            return None, None, None
        try:
            to = urljoin(url, told)
            there, here = _server(to), _server(url)
        except ValueError as error:
            return None, ErrorCode.REDIRECTED, f"redirected to what is no address ({error})"
        is_upgrade = here[0] == "http" and there == ("https", here[1], _PORTS["https"])
        if there == here or is_upgrade or (self._auth is None and there[0] in _PORTS):
            return to, None, f"redirected to {to}"
        reason = f"redirected to {there[0]}://{there[1]}:{there[2]}, where our key is not sent"
        return None, ErrorCode.REDIRECTED, reason

    def _read(
        self, answer: requests.Response, body: bytearray
    ) -> tuple[ErrorCode | None, str | None]:
        # What has come so far, at once: waiting to fill a block would let a trickle outlast every limit.
        while chunk := answer.raw.read1(_CHUNK_BYTES, decode_content=True):
            body += chunk
            if len(body) > self._limits.bytes_max:
                return (
                    ErrorCode.ANSWER_TOO_LARGE,
                    f"more than {self._limits.bytes_max} bytes came; reading was given up",
                )
        return None, None

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": self._accept}
        if self._auth is not None:
            # Its name is evidence; its value is starred before it is recorded.
            headers["Authorization"] = "Bearer"
        return headers


def _server(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port. Raises ValueError for what is no address."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _failure(error: Exception, status: int | None) -> ErrorCode:
    timeouts = (requests.Timeout, urllib3.exceptions.TimeoutError)
    if isinstance(error, timeouts) or "timed out" in str(error).casefold():
        return ErrorCode.VENDOR_TIMEOUT
    return ErrorCode.VENDOR_UNREACHABLE if status is None else ErrorCode.ANSWER_CUT_OFF
