"""Who sits on which committee, in the shape of the public congress-legislators data set; no key is needed.

What is served is the snapshot valid on the simulated date, with that day as Last-Modified. The ProPublica Congress API,
which older programs ask for the same, was shut down in 2024: it answers 410.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from email.utils import format_datetime
from typing import Any

from fastapi import APIRouter, Response

from simulators.quiverquant.answers import ROWS_HEADER, json_answer
from simulators.quiverquant.catalogue import Catalogue
from simulators.world import CommitteeSnapshot

_PARTIES = {"R": "Republican", "D": "Democrat", "I": "Independent", "L": "Libertarian"}
# The parent's id is the start of a subcommittee's: HSAG and 15 make HSAG15.
_PARENT_ID_LENGTH = 4


def committee_routes(catalogue: Catalogue) -> APIRouter:
    """Return the data set's files over ``catalogue``, and the retired API."""
    router = APIRouter()

    @router.get("/congress-legislators/committees-current.json")
    async def committees() -> Response:
        snapshot = catalogue.snapshot()
        return _answer(snapshot, [_committee(entry) for entry in snapshot.committees])

    @router.get("/congress-legislators/committee-membership-current.json")
    async def membership() -> Response:
        snapshot = catalogue.snapshot()
        seats: dict[str, Any] = {}
        for entry in snapshot.committees:
            for body in (entry, *entry.get("subcommittees", [])):
                seats[body["id"]] = [_seat(member) for member in body["members"]]
        return _answer(snapshot, seats)

    @router.get("/congress-legislators/legislators-current.json")
    async def legislators() -> Response:
        snapshot = catalogue.snapshot()
        return _answer(snapshot, [_legislator(member) for member in snapshot.members])

    @router.get("/congress/v1/{rest:path}")
    async def retired(rest: str) -> Response:
        message = "The ProPublica Congress API is no longer available."
        return json_answer({"status": "ERROR", "errors": [{"code": 410, "error": message}]}, 410)

    return router


def _answer(snapshot: CommitteeSnapshot, body: Any) -> Response:
    as_of = datetime.combine(snapshot.as_of, time(0, 0), tzinfo=UTC)
    headers = {
        "last-modified": format_datetime(as_of, usegmt=True),
        ROWS_HEADER: str(len(body)),
    }
    return json_answer(body, headers=headers)


def _committee(entry: dict[str, Any]) -> dict[str, Any]:
    chamber = str(entry["chamber"]).lower()
    committee = {
        "type": chamber,
        "name": entry["name"],
        "url": entry.get("url"),
        "thomas_id": entry["id"],
        "jurisdiction": entry.get("jurisdiction"),
        "subcommittees": [
            {"name": part["name"], "thomas_id": part["id"][_PARENT_ID_LENGTH:]}
            for part in entry.get("subcommittees", [])
        ],
    }
    if chamber == "house":
        committee["house_committee_id"] = entry["id"][2:]
    elif chamber == "senate":
        committee["senate_committee_id"] = entry["id"]
    return committee


def _seat(member: dict[str, Any]) -> dict[str, Any]:
    seat = {
        "name": member.get("name"),
        "party": member.get("side"),
        "rank": member.get("rank_in_party"),
        "title": member.get("title"),
        "bioguide": member.get("id"),
        "chamber": member.get("chamber"),
    }
    return {name: value for name, value in seat.items() if value is not None}


def _legislator(member: dict[str, Any]) -> dict[str, Any]:
    is_senator = member["chamber"] == "Senate"
    name = {
        "first": member.get("first"),
        "last": member.get("last"),
        "nickname": member.get("nickname"),
        "official_full": member["name"],
    }
    term = {
        "type": "sen" if is_senator else "rep",
        "start": member.get("term_start"),
        "end": member.get("term_end"),
        "state": member["state"],
        "district": member.get("district"),
        "party": _PARTIES.get(member["party"], member["party"]),
    }
    return {
        "id": {"bioguide": member["bioguide"]},
        "name": {key: value for key, value in name.items() if value is not None},
        "bio": {},
        "terms": [{key: value for key, value in term.items() if value is not None}],
    }
