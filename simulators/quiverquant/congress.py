"""The congress endpoints: live, bulk, historical, House, Senate, and politicians.

``date`` selects the day of the report (``ReportDate``). Unknown parameters are ignored, as the vendor does.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from simulators.quiverquant import shapes
from simulators.quiverquant.answers import Refusal, rows_answer
from simulators.quiverquant.catalogue import HOUSE, SENATE, Catalogue, Numbered
from simulators.quiverquant.parameters import day_of, page_of, text_of

# The live endpoint is not paginated; older rows of a chamber are only in the bulk endpoint.
# Source: the vendor's reference pages.
LIVE_ROWS_PER_CHAMBER_MAX = 500

_PARTIES = {"republican": "R", "democrat": "D", "democratic": "D", "independent": "I"}


def congress_routes(catalogue: Catalogue) -> APIRouter:
    """Return the congress endpoints over ``catalogue``."""
    router = APIRouter(prefix="/beta")

    @router.get("/live/congresstrading")
    async def live(request: Request) -> Response:
        entries = _filtered(catalogue.congress, request.query_params)
        return _answer(catalogue, _newest(entries), shapes.v1)

    @router.get("/bulk/congresstrading")
    async def bulk(request: Request) -> Response:
        version = (text_of(request.query_params, "version") or "V1").upper()
        if version not in ("V1", "V2"):
            raise Refusal(400, f"Unknown version: {version}.")
        entries = list(_filtered(catalogue.congress, request.query_params))
        page = page_of(request.query_params)
        shape = shapes.v2 if version == "V2" else shapes.v1
        return _answer(catalogue, entries if page is None else entries[page], shape)

    @router.get("/historical/congresstrading/{ticker}")
    async def historical(ticker: str) -> Response:
        return _answer(catalogue, _filtered(catalogue.congress, {"ticker": ticker}), shapes.v1)

    for chamber, shape, name in ((HOUSE, shapes.house, "house"), (SENATE, shapes.senate, "senate")):
        _chamber_routes(router, catalogue, (chamber, shape, name))

    @router.get("/bulk/congress/politicians")
    @router.get("/live/congress/politicians")
    async def politicians(request: Request) -> Response:
        rows = _politicians(catalogue, request.query_params)
        page = page_of(request.query_params)
        return rows_answer(rows if page is None else rows[page])

    return router


def _chamber_routes(
    router: APIRouter, catalogue: Catalogue, own: tuple[str, shapes.Shape, str]
) -> None:
    chamber, shape, name = own

    @router.get(f"/live/{name}trading")
    async def live(request: Request) -> Response:
        entries = _of_chamber(_filtered(catalogue.congress, request.query_params), chamber)
        return _answer(catalogue, _newest(entries), shape)

    @router.get(f"/historical/{name}trading/{{ticker}}")
    async def historical(request: Request, ticker: str) -> Response:
        wanted = dict(request.query_params) | {"ticker": ticker}
        return _answer(
            catalogue, _of_chamber(_filtered(catalogue.congress, wanted), chamber), shape
        )


def _answer(catalogue: Catalogue, entries: Iterable[Numbered], shape: shapes.Shape) -> Response:
    today = catalogue.today
    return rows_answer([shape(row, index, today) for index, row in entries])


def _of_chamber(entries: Iterable[Numbered], chamber: str) -> Iterable[Numbered]:
    return (entry for entry in entries if entry[1].fields["House"] == chamber)


def _newest(entries: Iterable[Numbered]) -> Iterable[Numbered]:
    """Return the newest rows, at most so many of each chamber, in the order they came."""
    taken: Counter[str] = Counter()
    for entry in entries:
        chamber = str(entry[1].fields["House"])
        if taken[chamber] < LIVE_ROWS_PER_CHAMBER_MAX:
            taken[chamber] += 1
            yield entry


def _filtered(entries: Iterable[Numbered], wanted: Mapping[str, str]) -> Iterable[Numbered]:
    day = day_of(wanted, "date")
    name = text_of(wanted, "representative") or text_of(wanted, "name")
    bioguide, ticker = text_of(wanted, "bioguide_id"), text_of(wanted, "ticker")
    if day is not None:
        entries = (entry for entry in entries if entry[1].reported_on == day)
    if name is not None:
        entries = _having(entries, "Representative", name, exact=False)
    if bioguide is not None:
        entries = _having(entries, "BioGuideID", bioguide, exact=True)
    if ticker is not None:
        entries = _having(entries, "Ticker", ticker, exact=True)
    return entries


def _having(
    entries: Iterable[Numbered], field: str, wanted: str, *, exact: bool
) -> Iterable[Numbered]:
    folded = wanted.casefold()
    for entry in entries:
        value = str(entry[1].fields.get(field) or "").casefold()
        if value == folded or (not exact and folded in value):
            yield entry


def _politicians(catalogue: Catalogue, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
    counts: Counter[str] = Counter()
    volumes: defaultdict[str, float] = defaultdict(float)
    for _, row in catalogue.congress:
        bioguide = row.fields.get("BioGuideID")
        if bioguide:
            counts[str(bioguide)] += 1
            volumes[str(bioguide)] += _amount_usd(row.fields.get("Amount"))
    is_active = (text_of(wanted, "is_active") or "true").casefold()
    if is_active in ("false", "0"):
        return []  # Only members in office are known here.
    chamber, party = text_of(wanted, "chamber"), text_of(wanted, "party")
    state = text_of(wanted, "state")
    rows = []
    for member in catalogue.snapshot().members:
        if chamber and not str(member["chamber"]).casefold().startswith(chamber.casefold()[:5]):
            continue
        if party and member["party"] != _PARTIES.get(party.casefold(), party.upper()):
            continue
        if state and str(member["state"]).casefold() != state.casefold():
            continue
        bioguide = member["bioguide"]
        rows.append(
            {
                "BioGuideID": bioguide,
                "CandidateID": None,
                "Name": member["name"],
                "Party": member["party"],
                "Chamber": member["chamber"],
                "State": member["state"],
                "ImageURL": None,
                "TradeCount": counts[bioguide],
                "TradeVolume": volumes[bioguide],
                "NetWorth": None,
            }
        )
    return rows


def _amount_usd(value: object) -> float:
    """Return the lower bound of a range in USD, zero where the row's text is no number."""
    try:
        return float(str(value))
    except ValueError:
        return 0.0
