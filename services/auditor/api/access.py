"""Who asks, and what they may do: on every request stands a reader, put there before any route is reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import HTTPException, Request

from tradetrail.tokens import Role

__all__ = ["ANYONE", "Reader", "Role", "reader_of", "require"]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks: the name and the role of a token; empty name and no role where the API is open for reading."""

    name: str
    role: Role | None


ANYONE = Reader("", None)


def reader_of(request: Request) -> Reader:
    """Return who asks."""
    reader: Reader = request.state.reader
    return reader


def require(*roles: Role) -> Callable[[Request], Reader]:
    """Return a dependency that gives a route its reader, who has one of ``roles``; everyone else gets a 403.

    Without tokens nobody has a role.
    """
    needed = " or ".join(roles)

    def allowed(request: Request) -> Reader:
        reader = reader_of(request)
        if reader.role in roles:
            return reader
        has = (
            f"{reader.name} has the role {reader.role}"
            if reader.role
            else "this API runs without tokens, and is for reading only"
        )
        raise HTTPException(403, f"This needs a token with the role {needed}; {has}.")

    return allowed
