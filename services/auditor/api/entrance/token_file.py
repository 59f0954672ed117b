"""The tokens as the auditor knows them: read again whenever their file changes."""

from __future__ import annotations

import os
from pathlib import Path

import structlog
from prometheus_client import Gauge

from tradetrail.errors import UsageError
from tradetrail.tokens import Token, read_tokens

TOKENS = Gauge("tradetrail_api_tokens", "Tokens the API knows; -1 while their file can't be read.")
_UNREADABLE = -1

log = structlog.get_logger(__name__)


class TokenFile:
    """The entries of a tokens file.

    While the file is missing or wrong nobody is let in: whoever edits it to take a token away must never be left in the
    belief that it is gone while an older list lives on in memory. The file is replaced whole by `tradetrail token`,
    so this is not seen in passing.
    """

    def __init__(self, path: Path) -> None:
        """Read it. Raises UsageError when it can't be read, which at a start is for a person to mend."""
        self._path = path
        self._seen = self._look()
        self._tokens = read_tokens(path)
        self._broken: UsageError | None = None
        TOKENS.set(len(self._tokens))

    def tokens(self) -> tuple[Token, ...]:
        """Return the entries as the file has them now. Raises UsageError while it is missing or wrong."""
        if (seen := self._look()) != self._seen:
            self._seen = seen
            self._read()
        if self._broken:
            raise self._broken
        return self._tokens

    @property
    def is_broken(self) -> bool:
        """Tell whether the file can't be read now."""
        try:
            self.tokens()
        except UsageError:
            return True
        return False

    def _read(self) -> None:
        try:
            self._tokens, self._broken = read_tokens(self._path), None
        except UsageError as error:
            self._tokens, self._broken = (), error
            TOKENS.set(_UNREADABLE)
            log.error("nobody is let in until the tokens file is mended", error=str(error))
        else:
            TOKENS.set(len(self._tokens))
            log.info("tokens read again", known=len(self._tokens))

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
