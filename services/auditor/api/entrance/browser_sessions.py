"""Browsers that signed in, and with which token. In memory only: after a restart people sign in again."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

from tradetrail.tokens import digest

# People of a desk with a few browsers each; past it the oldest session ends.
SESSIONS_MAX = 1_000
_ID_BYTES = 32


class BrowserSessions:
    """Sessions by the hash of their id, so that memory holds nothing that a browser could present."""

    def __init__(self, lifetime_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with none; ``clock`` tells seconds."""
        self.lifetime_s = lifetime_s
        self._clock = clock
        self._sessions: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def begin(self, sha256: str) -> str:
        """Return the id of a new session of the token with this hash."""
        now = self._clock()
        # All live equally long, so the oldest are the first to end.
        while self._sessions:
            key, (_, ends_at) = next(iter(self._sessions.items()))
            if ends_at > now and len(self._sessions) < SESSIONS_MAX:
                break
            del self._sessions[key]
        session = secrets.token_urlsafe(_ID_BYTES)
        self._sessions[digest(session)] = (sha256, now + self.lifetime_s)
        return session

    def token_of(self, session: str) -> str | None:
        """Return the hash of the token that a session began with; None when there is no such session any more."""
        sha256, ends_at = self._sessions.get(digest(session), ("", 0.0))
        return sha256 if sha256 and self._clock() < ends_at else None

    def end(self, session: str) -> None:
        """End a session, if there is one."""
        self._sessions.pop(digest(session), None)
