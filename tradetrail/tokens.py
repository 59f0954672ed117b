"""The tokens by which the HTTP API knows its readers: a file of names, roles and hashes.

The token itself is told once, when it is made, and kept nowhere. It is 256 random bits, so a plain SHA-256 is enough:
there is nothing to guess, as there is with a password.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tradetrail.errors import UsageError

# Programs that look for lost secrets find a token by it.
PREFIX = "tradetrail_"
_SECRET_BYTES = 32
# A desk has dozens. The file is held in memory, and each request is compared with every entry.
TOKENS_MAX = 1_000
_FILE_BYTES_MAX = 1 << 20
# The service that reads it runs as another user than the person who makes tokens; it holds hashes, not tokens.
_NEW_FILE_MODE = 0o644


class Role(StrEnum):
    """What the holder of a token may do; all of them read reports."""

    VIEWER = "viewer"
    COMPLIANCE = "compliance"
    """Its reads are recorded."""
    OPERATOR = "operator"
    """May act as well: halt, cancel, order by hand."""


class Token(BaseModel):
    """What is kept of a token. ``expires``: the last day it is good for, UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")
    role: Role
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    created: date
    expires: date | None = None

    def is_over(self, today: date) -> bool:
        """Tell whether it is no longer good for anything."""
        return self.expires is not None and today > self.expires


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    tokens: tuple[Token, ...] = Field(max_length=TOKENS_MAX)

    @model_validator(mode="after")
    def _told_apart(self) -> _File:
        for what in ("name", "sha256"):
            values = [getattr(token, what) for token in self.tokens]
            if len(set(values)) < len(values):
                raise ValueError(f"two tokens have the same {what}")
        return self


def new_token() -> str:
    """Return a fresh token."""
    return f"{PREFIX}{secrets.token_urlsafe(_SECRET_BYTES)}"


def digest(token: str) -> str:
    """Return what is kept of a token: its SHA-256, hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def entry_of(token: str, name: str, role: Role, created: date, expires: date | None) -> Token:
    """Return the entry of a token. Raises UsageError for a name that can't be, and a token that is over at once."""
    if expires is not None and expires < created:
        raise UsageError(f"the token would have expired on {expires}; name a later day")
    try:
        return Token(name=name, role=role, sha256=digest(token), created=created, expires=expires)
    except ValidationError as error:
        raise UsageError(
            f"{name[:80]!r} can't be a token's name: up to 64 letters, digits and . _ @ - , a letter or digit first"
        ) from error


def holder_of(tokens: Sequence[Token], presented: str) -> Token | None:
    """Return the entry of the token that is presented; how long it takes tells nothing of how near a wrong one is."""
    wanted, found = digest(presented), None
    for token in tokens:
        if hmac.compare_digest(token.sha256, wanted):
            found = token
    return found


def read_tokens(path: Path) -> tuple[Token, ...]:
    """Return the entries of a tokens file. Raises UsageError when it can't be read or is wrong."""
    try:
        with path.open("rb") as file:
            content = file.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise UsageError(f"can't read the tokens file {path}: {error.strerror}") from error
    if len(content) > _FILE_BYTES_MAX:
        raise UsageError(f"the tokens file {path} is larger than {_FILE_BYTES_MAX} bytes")
    try:
        return _File.model_validate_json(content).tokens
    except ValidationError as error:
        # Only where and what: the value could be a token that somebody put where its hash belongs.
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))} {e['msg']}" for e in error.errors())
        raise UsageError(f"the tokens file {path} is wrong: {wrong.strip()[:500]}") from error


def add_token(path: Path, token: Token) -> None:
    """Append an entry; the file is made when it isn't there. Raises UsageError, as for a name that is there."""

    def added(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        if any(each.name == token.name for each in tokens):
            raise UsageError(
                f"there is a token {token.name} in {path}; revoke it first, or choose another name"
            )
        if len(tokens) >= TOKENS_MAX:
            raise UsageError(f"{path} holds {TOKENS_MAX} tokens, the most it may; revoke some")
        return (*tokens, token)

    _change(path, added)


def revoke_token(path: Path, name: str) -> None:
    """Take an entry out. Raises UsageError when there is none of that name."""

    def without(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        left = tuple(token for token in tokens if token.name != name)
        if len(left) == len(tokens):
            raise UsageError(
                f"there is no token {name[:80]!r} in {path}; `tradetrail token list` shows them"
            )
        return left

    _change(path, without)


def _change(path: Path, change: Callable[[tuple[Token, ...]], tuple[Token, ...]]) -> None:
    """Write the file anew, whole or not at all, while no other command does."""
    path = path.resolve()
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            changed = change(read_tokens(path) if path.exists() else ())
            _replace(path, _File(tokens=changed).model_dump_json(indent=2, exclude_none=True))
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise UsageError(f"can't write the tokens file {path}: {error.strerror}") from error


def _replace(path: Path, text: str) -> None:
    mode = path.stat().st_mode & 0o777 if path.exists() else _NEW_FILE_MODE
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
