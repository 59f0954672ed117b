"""Where the two sides of the audit are: the log, and the database that is made from it."""

from __future__ import annotations

from dataclasses import dataclass

from services.auditor.settings import AuditorSettings
from tradetrail.reports.connection import DatabaseSettings
from tradetrail.settings import SharedSettings


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the log and the database are, and how the auditor writes."""

    shared: SharedSettings
    database: DatabaseSettings
    auditor: AuditorSettings

    @property
    def dsn(self) -> str:
        """Return the address of the database."""
        return self.database.postgres_dsn.get_secret_value()
