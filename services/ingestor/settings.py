"""Settings of the ingestor: where the vendors are, when each task runs, and every limit (docs/ingestor.md)."""

from __future__ import annotations

from datetime import time
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.ingestor.tasks import TASKS
from tradetrail.errors import UsageError
from tradetrail.redaction import remember
from tradetrail.telemetry import redact


class ScheduleEntry(BaseModel):
    """One task's time of day in New York, and on which days."""

    model_config = ConfigDict(frozen=True)

    task: str = Field(description="Task name.")
    at: time = Field(description="Time of day in New York, HH:MM.")
    days: Literal["sessions", "weekdays", "daily"] = Field(
        default="sessions", description="Trading days, Monday to Friday, or every day."
    )

    @field_validator("task")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in TASKS:
            raise ValueError(f"no task {name!r}; there are {', '.join(TASKS)}")
        return name


class RateClass(BaseModel):
    """So many requests in so many seconds, shared by the endpoints whose path begins with ``prefix``."""

    model_config = ConfigDict(frozen=True)

    prefix: str = Field(description="How the paths of its endpoints begin.")
    requests: int = Field(ge=1, le=100_000, description="Requests allowed in the time.")
    per_s: float = Field(gt=0, description="The time, real seconds; a sliding window.")


# Source: the vendor's page on rate limits. Bulk is documented as 5 an hour; the class of the live endpoints is not
# told, and 100 a minute is what known clients pace themselves at.
DEFAULT_RATE_CLASSES = (
    RateClass(prefix="/beta/bulk/", requests=5, per_s=3_600),
    RateClass(prefix="/beta/live/", requests=100, per_s=60),
)
DEFAULT_SCHEDULE = tuple(ScheduleEntry(task=name, at=time(7, 0)) for name in TASKS)

# For windows up to this many days the bulk endpoint is asked day by day: small answers, and few of its five requests an
# hour. What has no readable day is in none of them, so that the windows of a backfill must be longer.
BULK_BY_DAY_MAX = 3


class IngestorSettings(BaseSettings):
    """What only the ingestor needs (prefix ``TRADETRAIL_INGESTOR_``)."""

    model_config = SettingsConfigDict(
        env_prefix="TRADETRAIL_INGESTOR_", frozen=True, extra="ignore"
    )

    schedule: tuple[ScheduleEntry, ...] = Field(
        default=DEFAULT_SCHEDULE,
        description='JSON list of {"task", "at": "07:00", "days": "sessions"|"weekdays"|"daily"}, New York time.',
    )
    window_days: int = Field(
        default=7, ge=1, le=366, description="Days a run without a window looks back, at least."
    )
    backfill_congress_days: int = Field(
        default=366,
        ge=BULK_BY_DAY_MAX + 1,
        description="Days of the longest congress run; a longer period is cut into windows of this length.",
    )
    backfill_insider_days: int = Field(
        default=7,
        ge=1,
        description="Days of the longest insider run; a longer period is cut into windows of this length.",
    )
    lock_wait_s: float = Field(
        default=15.0,
        gt=0,
        description="Seconds to wait for a data source's lock; more than the 6 s a dead holder keeps it.",
    )
    retry_after_s_max: float = Field(
        default=60.0,
        ge=0,
        description="Longest Retry-After of a 429 that is waited for, real seconds.",
    )
    rate_classes: tuple[RateClass, ...] = Field(
        default=DEFAULT_RATE_CLASSES,
        description='JSON list of {"prefix": "/beta/bulk/", "requests": 5, "per_s": 3600}; of the prefixes that fit a '
        "path the first counts; what none fits is not paced.",
    )
    pace_wait_s_max: float = Field(
        default=3_700.0,
        ge=0,
        description="Longest wait for a rate class's next request, real seconds; a longer one fails the run.",
    )
    connect_timeout_s: float = Field(default=5.0, gt=0, description="Limit of connecting.")
    read_timeout_s: float = Field(
        default=30.0, gt=0, description="Limit between two bytes of an answer."
    )
    answer_timeout_s: float = Field(
        default=120.0, gt=0, description="Limit of a whole answer, first byte to last."
    )
    answer_bytes_max: int = Field(
        default=64 << 20, ge=1024, description="Largest answer that is read, bytes."
    )
    bulk_page_size: int = Field(
        default=5_000, ge=1, description="Rows asked for in one page of the bulk endpoint."
    )
    insider_page_size: int = Field(
        default=1_000, ge=1, description="Rows asked for in one page of insiders."
    )
    live_rows_max: int = Field(
        default=500, ge=1, description="Rows a chamber the live endpoint serves at most."
    )
    pages_max: int = Field(
        default=1_000, ge=1, description="Pages of one question before the run fails."
    )
    compare_days: int = Field(
        default=14,
        ge=0,
        le=366,
        description="Days before today that maintenance compares with the bulk endpoint; 0 compares nothing.",
    )
    unfetched_sessions_max: int = Field(
        default=1,
        ge=1,
        description="Sessions before today that a task may leave unasked before maintenance says so.",
    )
    # Real filings decide: between two days with reports of the House (2020 to 2022) lay at most 3 sessions, of the
    # Senate (2014 to 2021-03, before that feed ends) at most 11 and rarely over 9, August not among the longest; of
    # insiders (2022 and 2025) at most 2. Some more are allowed, so that a new record alone raises no alarm.
    silent_house_sessions: int = Field(
        default=5, ge=1, description="Sessions without a report of the House that are no silence."
    )
    silent_senate_sessions: int = Field(
        default=15, ge=1, description="Sessions without a report of the Senate that are no silence."
    )
    silent_insider_sessions: int = Field(
        default=5, ge=1, description="Sessions without an insider's filing that are no silence."
    )
    # From one yearly snapshot to the next, 838 and 188 of 1,300 seats differ; a year has about 252 sessions.
    silent_committees_sessions: int = Field(
        default=260,
        ge=1,
        description="Sessions without a changed committee seat that are no silence.",
    )
    rerun_abandoned: bool = Field(
        default=False,
        description="Whether today's slot runs again at start when a crash cut its run off.",
    )
    die_at: str = Field(
        default="",
        description="Test only: [freeze ]STEP, kill -9 or freeze this process at a step of a run.",
    )


class QuiverSettings(BaseSettings):
    """Where QuiverQuant is (prefix ``TRADETRAIL_QUIVER_``)."""

    model_config = SettingsConfigDict(env_prefix="TRADETRAIL_QUIVER_", frozen=True, extra="ignore")

    url: str = Field(default="https://api.quiverquant.com", description="Base URL, without /beta.")
    token: SecretStr = Field(default=SecretStr(""), description="API key.")


class CommitteesSettings(BaseSettings):
    """Where the congress-legislators data is (prefix ``TRADETRAIL_COMMITTEES_``)."""

    model_config = SettingsConfigDict(
        env_prefix="TRADETRAIL_COMMITTEES_", frozen=True, extra="ignore"
    )

    url: str = Field(
        default="https://unitedstates.github.io",
        description="Base URL, without /congress-legislators.",
    )


class SectorsSettings(BaseSettings):
    """Where a desk's file of company sectors is (prefix ``TRADETRAIL_SECTORS_``)."""

    model_config = SettingsConfigDict(env_prefix="TRADETRAIL_SECTORS_", frozen=True, extra="ignore")

    url: str = Field(
        default="", description="Address of the CSV file (http or https); none: no sectors."
    )

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("an address such as https://host/sectors.csv is wanted")
        asked = dict(parse_qsl(parts.query))
        # A signed address holds its key in the query.
        remember(*(asked[name] for name, shown in redact(asked).items() if shown != asked[name]))
        return url


def checked_task(name: str) -> str:
    """Return ``name`` if it is a task. Raises UsageError that names them all."""
    if name not in TASKS:
        raise UsageError(f"there is no task {name!r}; the tasks are: {', '.join(TASKS)}")
    return name
