"""Settings of the auditor, from the environment."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class AuditorSettings(BaseSettings):
    """How the auditor writes, and when it calls itself not ready."""

    model_config = SettingsConfigDict(env_prefix="TRADETRAIL_AUDITOR_", frozen=True, extra="ignore")

    batch_events_max: int = Field(
        default=7_000, ge=1, le=100_000, description="Events a database transaction holds at most."
    )
    batch_bytes_max: int = Field(
        default=32 << 20, ge=1 << 20, description="Bytes of events a transaction holds, about."
    )
    batch_wait_s: float = Field(
        default=0.05, ge=0, le=5, description="Wait for more events once one has come, seconds."
    )
    ready_lag_age_s_max: float = Field(
        default=60.0, gt=0, description="Not ready once the oldest unaudited event waits this long."
    )
    writer_role: str = Field(
        default="tradetrail_writer",
        description="Postgres role the writer takes on; empty: the one that logged in.",
    )
    reader_role: str = Field(
        default="tradetrail_reader",
        description="Postgres role that reports are read under; empty: the one that logged in.",
    )
    reader_connections_max: int = Field(
        default=4, ge=1, le=100, description="Connections that reports share."
    )
    exports_max: int = Field(
        default=2,
        ge=1,
        le=100,
        description="Exports at once over HTTP, each with a connection besides those that reports share.",
    )
    die_at: str = Field(
        default="",
        description="Tests only: [freeze ]STEP[:N], kill or freeze this process at the N-th passage of a step.",
    )
