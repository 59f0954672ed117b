"""Bring the audit schema to the newest step. Safe to run at every start and from several processes at once."""

from __future__ import annotations

import time
from pathlib import Path

import sqlalchemy as sa
import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import OperationalError

from tradetrail.errors import Fatal, Unreachable

# A database that starts together with us (compose, the local stack) is up within a few seconds; recovery takes longer.
WAIT_TIMEOUT_S = 60.0
_RETRY_EVERY_S = 0.5
# Held while migrating, so that two migrators take turns. Any fixed number: it names this lock.
_LOCK = 0x7472_6164_6574
_FOLDER = Path(__file__).parents[1] / "migrations"
_GRANTS = (_FOLDER / "grants.sql").read_text(encoding="utf-8")

log = structlog.get_logger(__name__)


def migrate(
    dsn: str, schema: str, *, wait_s: float = WAIT_TIMEOUT_S, revision: str = "head"
) -> None:
    """Make or upgrade ``schema`` to ``revision``, set its privileges, and make the months of events to come.

    Raises Unreachable when Postgres does not answer within ``wait_s``, Fatal when it refuses.
    """
    engine = sa.create_engine(
        sa.make_url(dsn).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool
    )
    connection = _connect(engine, wait_s)
    try:
        with connection.begin():
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            quoted = engine.dialect.identifier_preparer.quote_identifier(schema)
            connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
            connection.exec_driver_sql(f"SET LOCAL search_path TO {quoted}")
            config = Config()
            config.set_main_option("script_location", str(_FOLDER))
            config.attributes.update(connection=connection, schema=schema)
            command.upgrade(config, revision)
            connection.execute(sa.text(_GRANTS))
    except sa.exc.SQLAlchemyError as error:
        raise Fatal(
            f"migrating schema {schema} failed, nothing was changed: {getattr(error, 'orig', error)}"
        ) from error
    finally:
        connection.close()
        engine.dispose()
    log.info("the audit schema is up to date", schema=schema)


def _connect(engine: sa.Engine, wait_s: float) -> sa.Connection:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            return engine.connect()
        except OperationalError as error:
            if time.monotonic() > deadline:
                raise Unreachable(
                    f"Postgres at {engine.url.render_as_string()} did not answer within {wait_s:.0f} s: "
                    f"{error.orig}; is it running, and is TRADETRAIL_POSTGRES_DSN right?"
                ) from error
            time.sleep(_RETRY_EVERY_S)
