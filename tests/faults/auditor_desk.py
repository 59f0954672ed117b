"""The desk of the auditor's campaign: a lane's database, an auditor's environment, and who publishes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from services.auditor.database.migrate import migrate
from tests.faults.auditor_postgres import LOGIN, Postgres, own_postgres
from tests.faults.nursery import Nursery
from tests.faults.processes import Tally, clean_environment
from tradetrail.log.codec import Codec
from tradetrail.settings import SharedSettings
from tradetrail.stack.local import LocalStack

# Schemas of a round's database: of those that are disturbed, and of the one that nobody disturbs.
DISTURBED, UNBROKEN = "audit", "unbroken"
_TEMPLATE = "migrated"
# Small, so that a round has a few dozen batches, each with every step.
BATCH_EVENTS_MAX = 120
# An outage is long when it lasts longer than this.
READY_LAG_AGE_S_MAX = 2.0


@dataclass
class Lane:
    """Where one round at a time is done, with a Postgres of its own."""

    stack: LocalStack
    nursery: Nursery
    home: Path
    codec: Codec
    tally: Tally
    postgres: Postgres

    def new_database(self, name: str) -> None:
        """Make a round's database: both schemas, migrated and empty."""
        query = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        names = (sql.Identifier(name), sql.Identifier(_TEMPLATE))
        self.postgres.rows("postgres", query.format(*names))

    def drop_database(self, name: str) -> None:
        """Take it away again."""
        query = sql.SQL("DROP DATABASE {} WITH (FORCE)")
        self.postgres.rows("postgres", query.format(sql.Identifier(name)))


@contextmanager
def lane(stack: LocalStack, born_in: Nursery, home: Path, tally: Tally) -> Iterator[Lane]:
    """Make a lane; its database server ends with it."""
    with own_postgres() as postgres:
        postgres.rows("postgres", sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
        for schema in (DISTURBED, UNBROKEN):
            migrate(postgres.dsn(_TEMPLATE), schema)
        login = sql.Identifier(LOGIN)
        roles = sql.SQL("CREATE ROLE {} LOGIN IN ROLE tradetrail_writer, tradetrail_reader")
        postgres.rows("postgres", roles.format(login))
        codec = Codec(stack.addresses.registry_url)
        yield Lane(stack, born_in, home, codec, tally, postgres)


def environment(log: SharedSettings, dsn: str, name: str, die_at: str) -> dict[str, str]:
    """Return what an auditor is started with."""
    return {
        **clean_environment(),
        "TRADETRAIL_KAFKA": log.kafka,
        "TRADETRAIL_REGISTRY_URL": log.registry_url,
        "TRADETRAIL_TOPIC_PREFIX": log.topic_prefix,
        "TRADETRAIL_POSTGRES_DSN": dsn,
        "TRADETRAIL_POSTGRES_SCHEMA": DISTURBED,
        "TRADETRAIL_INSTANCE": name,
        "TRADETRAIL_AUDITOR_BATCH_EVENTS_MAX": str(BATCH_EVENTS_MAX),
        "TRADETRAIL_AUDITOR_READY_LAG_AGE_S_MAX": str(READY_LAG_AGE_S_MAX),
        "TRADETRAIL_AUDITOR_DIE_AT": die_at,
    }
