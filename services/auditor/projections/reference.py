"""Reference facts: committee seats, sectors, configurations."""

from __future__ import annotations

from collections.abc import Iterator

from services.auditor.entry import Entry, json_text
from services.auditor.projections.content import content, shape
from services.auditor.rows import Change
from services.auditor.tables.ingestion import (
    COMMITTEE_MEMBERSHIPS,
    CONFIGURATIONS,
    POLITICIAN_PROFILES,
    SECTORS,
)

_profile = shape(POLITICIAN_PROFILES, POLITICIAN_PROFILES.groups[0], name="politician_name")
_membership = shape(
    COMMITTEE_MEMBERSHIPS, COMMITTEE_MEMBERSHIPS.groups[0], membership_id="event_id"
)
_sector = shape(SECTORS, SECTORS.groups[0], sector_fact_id="event_id")
_configuration = shape(CONFIGURATIONS, CONFIGURATIONS.groups[0], recorded_at="occurred_at")


def committee_membership(entry: Entry) -> Iterator[Change]:
    """Project CommitteeMembershipRecorded: the seat, and the politician as it describes them."""
    seat = content(entry)
    yield _profile(seat)
    yield _membership(seat)


def sector(entry: Entry) -> Iterator[Change]:
    """Project SectorRecorded."""
    yield _sector(content(entry))


def configuration(entry: Entry) -> Iterator[Change]:
    """Project ConfigurationRecorded: the first recording of a hash stands for all."""
    fact = content(entry)
    fact["configuration"] = json_text(fact["configuration"])
    yield _configuration(fact)
