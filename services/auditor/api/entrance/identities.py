"""Who holds the token that a request brings, and whose browser has signed in with which."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import structlog
from fastapi import HTTPException, Request
from prometheus_client import Counter

from services.auditor.api.access import Reader
from services.auditor.api.entrance.browser_sessions import BrowserSessions
from services.auditor.api.entrance.limits import Limits, client_of
from services.auditor.api.entrance.token_file import TokenFile
from services.auditor.api.settings import ApiSettings
from tradetrail.errors import UsageError
from tradetrail.tokens import Token, holder_of

COOKIE = "tradetrail_session"
REFUSED = Counter("tradetrail_api_refused", "Requests that were not let in, by why.", ["reason"])
# A person who mistypes, a program that is restarted with an old token; more is somebody who tries.
FAILURES_AT_ONCE = 10
FAILURES_PER_S = 0.1
_REALM = 'Bearer realm="tradetrail"'
# A token has 54 characters; what is much longer is none, and not worth hashing.
_LENGTH_MAX = 512

log = structlog.get_logger(__name__)


def identities_of(settings: ApiSettings) -> Identities | None:
    """Return who is known by the tokens file; None when there is to be none, and everyone may read.

    Raises UsageError when the file can't be read.
    """
    if not settings.api_tokens_file:
        return None
    return Identities(
        TokenFile(Path(settings.api_tokens_file)),
        BrowserSessions(settings.api_session_h * 3_600),
        Limits(FAILURES_PER_S, FAILURES_AT_ONCE),
    )


def today() -> date:
    """Return the day, UTC, by the system's clock: tokens end in the real world, also when trading is simulated."""
    return datetime.now(UTC).date()


class Identities:
    """Knows readers by their tokens.

    Wrong tokens are limited by client address. A right one always gets in: as nobody can guess 256 bits, shutting the
    address out would only let one broken program shut out everyone behind the same proxy.
    """

    def __init__(
        self,
        tokens: TokenFile,
        sessions: BrowserSessions,
        failures: Limits,
        on: Callable[[], date] = today,
    ) -> None:
        """Know the holders of ``tokens``; count wrong ones in ``failures``."""
        self._tokens = tokens
        self._sessions = sessions
        self._failures = failures
        self._on = on

    @property
    def is_broken(self) -> bool:
        """Tell whether nobody can be told from anybody now."""
        return self._tokens.is_broken

    def reader(self, request: Request) -> Reader:
        """Return who asks.

        Raises HTTPException: 401, 429 after too many wrong tokens, 503 while tokens can't be read.
        """
        kind, _, presented = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            token = self._holder(request, presented.strip())
        elif kind:
            raise _unauthorized("other_scheme", "Only Bearer tokens are known here.")
        elif session := request.cookies.get(COOKIE):
            token = self._signed_in(session)
        else:
            raise _unauthorized(
                "no_token",
                "This needs a token, in the header Authorization: Bearer TOKEN; browsers sign in at /sign-in.",
            )
        return Reader(token.name, token.role)

    def sign_in(self, request: Request, presented: str) -> str:
        """Return the id of a new session. Raises HTTPException as ``reader`` does."""
        token = self._holder(request, presented)
        log.info("signed in", reader=token.name)
        return self._sessions.begin(token.sha256)

    def sign_out(self, request: Request) -> None:
        """End the session of this browser, if it has one."""
        self._sessions.end(request.cookies.get(COOKIE, ""))

    @property
    def session_s(self) -> float:
        """Return how long a session lasts, seconds."""
        return self._sessions.lifetime_s

    def _holder(self, request: Request, presented: str) -> Token:
        tokens = self._known()
        token = holder_of(tokens, presented) if 0 < len(presented) <= _LENGTH_MAX else None
        if token is None:
            address = request.client.host if request.client else ""
            if wait_s := self._failures.wait_s(client_of(address)):
                REFUSED.labels("too_many_wrong_tokens").inc()
                raise HTTPException(
                    429,
                    "Too many wrong tokens came from your address.",
                    {"Retry-After": str(int(wait_s) + 1)},
                )
            log.warning("a wrong token", address=address)
            raise _unauthorized(
                "wrong_token", "This token is not known, or was revoked.", wrong=True
            )
        return self._current(token)

    def _signed_in(self, session: str) -> Token:
        sha256 = self._sessions.token_of(session)
        for token in self._known():
            if token.sha256 == sha256:
                return self._current(token)
        raise _unauthorized("no_session", "Your session is over; sign in again.")

    def _current(self, token: Token) -> Token:
        if token.is_over(self._on()):
            raise _unauthorized(
                "expired",
                f"The token of {token.name} expired: {token.expires} was its last day, UTC.",
                wrong=True,
            )
        return token

    def _known(self) -> tuple[Token, ...]:
        try:
            return self._tokens.tokens()
        except UsageError as error:
            REFUSED.labels("tokens_unreadable").inc()
            raise HTTPException(
                503,
                "Nobody can be let in: the file of the tokens can't be read. The auditor's log says why.",
            ) from error


def _unauthorized(reason: str, detail: str, *, wrong: bool = False) -> HTTPException:
    REFUSED.labels(reason).inc()
    challenge = f'{_REALM}, error="invalid_token"' if wrong else _REALM
    return HTTPException(401, detail, {"WWW-Authenticate": challenge})
