"""Reference facts: committee seats, sectors, configurations."""

from __future__ import annotations

from collections.abc import Iterator

from services.auditor.entry import Entry, json_text
from services.auditor.projections.content import content, pick
from services.auditor.rows import Change
from services.auditor.tables.ingestion import (
    COMMITTEE_MEMBERSHIPS,
    CONFIGURATIONS,
    POLITICIAN_PROFILES,
    SECTORS,
)


def committee_membership(entry: Entry) -> Iterator[Change]:
    """Project CommitteeMembershipRecorded: the seat, and the politician as it describes them."""
    seat = content(entry)
    profile = pick(seat, "politician_id", "party", "state", "chamber")
    profile["name"] = seat["politician_name"]
    yield Change(POLITICIAN_PROFILES, POLITICIAN_PROFILES.groups[0], profile | entry.position())
    values = pick(
        seat,
        *("politician_id", "committee_id", "committee_name", "role", "side", "rank_in_party"),
        *("valid_from", "change", "run_id", "api_call_id"),
    )
    values["membership_id"] = seat["event_id"]
    group = COMMITTEE_MEMBERSHIPS.groups[0]
    yield Change(COMMITTEE_MEMBERSHIPS, group, values | entry.position())


def sector(entry: Entry) -> Iterator[Change]:
    """Project SectorRecorded."""
    fact = content(entry)
    values = pick(
        fact,
        *("symbol", "company_name", "sector", "industry", "valid_from", "run_id", "api_call_id"),
    )
    values["sector_fact_id"] = fact["event_id"]
    yield Change(SECTORS, SECTORS.groups[0], values | entry.position())


def configuration(entry: Entry) -> Iterator[Change]:
    """Project ConfigurationRecorded: the first recording of a hash stands for all."""
    fact = content(entry)
    values = pick(fact, "configuration_hash", "scope")
    values["configuration"] = json_text(fact["configuration"])
    values["recorded_at"] = fact["occurred_at"]
    yield Change(CONFIGURATIONS, CONFIGURATIONS.groups[0], values | entry.position())
