"""Lets a request in, or not: by its token, by how often its client asks, by its size; before any route."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.auditor.api.access import ANYONE, Reader
from services.auditor.api.entrance.identities import REFUSED, Identities
from services.auditor.api.entrance.limits import Limits, client_of
from services.auditor.api.entrance.request_log import PROBES
from services.auditor.api.problems import Problems

# What one must be able to ask for before one has a token, and what holds nothing but the form of questions.
PUBLIC = frozenset({"/sign-in", "/sign-out", "/static/style.css", "/openapi.json"})
# A form with a token, an act with its reason.
BODY_BYTES_MAX = 64 << 10
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Gate:
    """Puts the reader on every request that it lets in. Orchestrators and Prometheus pass unasked."""

    def __init__(
        self, app: ASGIApp, identities: Identities | None, limits: Limits, problems: Problems
    ) -> None:
        """Let in those whom ``identities`` knows; everyone when there are none."""
        self._app = app
        self._identities = identities
        self._limits = limits
        self._problems = problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or answer why not."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            request.state.reader = self._admitted(request)
        except HTTPException as refusal:
            await self._problems.of(request, refusal)(scope, receive, send)
            return
        await self._app(scope, _bounded(receive), send)

    def _admitted(self, request: Request) -> Reader:
        host = _host_of(request)
        address = client_of(request.client.host if request.client else "")
        reader, client = ANYONE, f"address {address}"
        if self._identities is None:
            _check_host(host)
        elif request.scope["path"] not in PUBLIC:
            reader = self._identities.reader(request)
            client = f"token {reader.name}"
        if wait_s := self._limits.wait_s(client):
            REFUSED.labels("too_many_requests").inc()
            raise HTTPException(429, "You ask too often.", {"Retry-After": str(int(wait_s) + 1)})
        _check_origin(request)
        _check_size(request)
        return reader


def _host_of(request: Request) -> str:
    """Return the host that the request names; what is none would break every address made of it."""
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        raise HTTPException(400, "The header Host names no host.") from None


def _check_host(host: str) -> None:
    """Refuse the names of other sites: any page could lead its own name here and read in a visitor's browser.

    Such a name has a dot in it. Addresses, ``localhost`` and the names of containers pass.
    """
    try:
        ip_address(host)
    except ValueError:
        if "." in host.rstrip("."):
            REFUSED.labels("foreign_host").inc()
            raise HTTPException(
                403,
                f"Without tokens this API answers to addresses and to names without dots, not to {host[:80]}.",
            ) from None


def _check_origin(request: Request) -> None:
    """Refuse forms of other sites, which a browser sends with our cookie when the other site is a port away."""
    origin = request.headers.get("origin")
    if origin is None or request.method in _SAFE:
        return
    if urlsplit(origin).netloc != request.headers.get("host"):
        REFUSED.labels("foreign_origin").inc()
        raise HTTPException(403, "This was sent from a page of another site.")


def _check_size(request: Request) -> None:
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
        raise _too_large()


def _bounded(receive: Receive) -> Receive:
    """Return ``receive`` for bodies that don't tell their size beforehand."""
    left = BODY_BYTES_MAX

    async def receive_on() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _too_large()
        return message

    return receive_on


def _too_large() -> HTTPException:
    return HTTPException(413, f"A request has at most {BODY_BYTES_MAX} bytes.")
