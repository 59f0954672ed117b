"""Ids as functions of their cause, so that a repeated step makes the same id (design: idea 5)."""

from __future__ import annotations

from uuid import UUID, uuid4, uuid5

# The root of every derived id. Changing it would give every event of the past a new name: never change it.
NAMESPACE = UUID("6f0c1d2a-5b1e-5c3f-9a57-0d1f7b0e2c44")
# Joins the parts of a name: a control character that no symbol, task name or vendor text contains.
_SEPARATOR = "\x1f"


def derive_id(kind: str, *cause: object) -> UUID:
    """Return the UUIDv5 of ``kind`` and the parts of its cause, in order.

    Raises ValueError when a part contains the separator, since two causes could then share one id.
    """
    parts = [kind, *(str(part) for part in cause)]
    if any(_SEPARATOR in part for part in parts):
        raise ValueError(f"an id's cause must not contain the unit separator: {parts!r}")
    return uuid5(NAMESPACE, _SEPARATOR.join(parts))


def new_id() -> UUID:
    """Return a random id, for brand-new facts only (a run that a person or a schedule began)."""
    return uuid4()
