"""Committee seats from the public congress-legislators data set: three files, no key."""

from __future__ import annotations

from typing import Any

from services.ingestor.rows.seats import Seat, read_seats
from services.ingestor.settings import CommitteesSettings, IngestorSettings
from services.ingestor.sources.http import HttpEdge
from services.ingestor.sources.pace import Pace
from services.ingestor.sources.quiver import limits
from services.ingestor.sources.vendor import CallLog, Vendor
from services.ingestor.trouble import ErrorCode, RunTrouble
from tradetrail.events.generated import CallPurpose

_FOLDER = "/congress-legislators/"
COMMITTEES = f"{_FOLDER}committees-current.json"
MEMBERSHIP = f"{_FOLDER}committee-membership-current.json"
LEGISLATORS = f"{_FOLDER}legislators-current.json"


def committees_vendor(own: IngestorSettings, settings: CommitteesSettings) -> Vendor:
    """Return the data set's server as configured."""
    return Vendor(
        HttpEdge(settings.url, None, limits(own)),
        "congress_legislators",
        CallPurpose.REFERENCE,
        Pace((), own.pace_wait_s_max, own.retry_after_s_max),
    )


def fetch_seats(vendor: Vendor, calls: CallLog) -> tuple[str, list[Seat]]:
    """Return the call that told of the seats, and the seats. Raises RunTrouble for files of another shape."""
    committees = _file(vendor, calls, COMMITTEES)
    legislators = _file(vendor, calls, LEGISLATORS)
    answer = vendor.ask(calls, MEMBERSHIP, {})
    try:
        seats = read_seats(committees, answer.content, legislators)
    except ValueError as error:
        raise RunTrouble(
            ErrorCode.UNEXPECTED_SHAPE, f"committee data: {error}", call_id=answer.call_id
        ) from error
    if not seats:
        raise RunTrouble(
            ErrorCode.EMPTY_ANSWER,
            "the committee data tells of no seat at all; taking that as true would end every seat",
            call_id=answer.call_id,
        )
    return answer.call_id, seats


def _file(vendor: Vendor, calls: CallLog, path: str) -> Any:
    return vendor.ask(calls, path, {}).content
