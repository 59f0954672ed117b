"""Column shorthands of the migrations. Released migrations use them: what is here must never change its meaning."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

TEXT = sa.Text()
# Topics compare bytewise, in Postgres as in Python: the rule "the lowest position wins" must not depend on a locale.
TOPIC = sa.Text(collation="C")
INTEGER = sa.Integer()
BIGINT = sa.BigInteger()
BOOLEAN = sa.Boolean()
NUMERIC = sa.Numeric()
DATE = sa.Date()
INSTANT = sa.DateTime(timezone=True)
BYTES = sa.LargeBinary()
UUID = sa.Uuid()
JSON = postgresql.JSON()
JSONB = postgresql.JSONB()
TEXTS = postgresql.ARRAY(sa.Text())


def column(name: str, kind: sa.types.TypeEngine[Any], comment: str) -> sa.Column[Any]:
    """Return a column that may be empty: a row can exist before the event that fills it."""
    return sa.Column(name, kind, comment=comment)


def required(name: str, kind: sa.types.TypeEngine[Any], comment: str) -> sa.Column[Any]:
    """Return a column that is never empty."""
    return sa.Column(name, kind, nullable=False, comment=comment)


def position() -> list[sa.Column[Any]]:
    """Return the columns that say which event a row comes from."""
    return [
        column("event_id", TEXT, "Id of the event this row comes from."),
        column(
            "topic",
            TOPIC,
            "Topic of that event; empty in a stub, a parent whose event hasn't come yet.",
        ),
        column("partition", INTEGER, "Its partition."),
        column("offset", BIGINT, "Its offset."),
        column(
            "available_at",
            INSTANT,
            "When Kafka appended that event, UTC: independent evidence of when.",
        ),
    ]
