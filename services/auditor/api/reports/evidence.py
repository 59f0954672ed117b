"""The report on one event of the log, byte for byte, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI, Path, Request, Response

from services.auditor.api.pages import Pages
from services.auditor.api.reports.answers import Answers
from services.auditor.api.reports.questions import form_asked
from tradetrail.reports.event import (
    OFFSET_MAX,
    PARTITION_MAX,
    TOPIC_LENGTH_MAX,
    event_report,
    event_sheet,
)

_TOPIC = Path(max_length=TOPIC_LENGTH_MAX, description="Topic.", examples=["trade.megacap"])
_PARTITION = Path(ge=0, le=PARTITION_MAX, description="Partition of the topic.")
_OFFSET = Path(ge=0, le=OFFSET_MAX, description="Offset in the partition.")


class EvidenceReports:
    """Answers by ``answers``, for browsers with ``pages``."""

    def __init__(self, answers: Answers, pages: Pages) -> None:
        """Take what answers come from."""
        self._answers = answers
        self._pages = pages

    def add_to(self, app: FastAPI) -> None:
        """Add the route."""
        app.get(
            "/reports/events/{topic}/{partition}/{offset}",
            summary="One event: its bytes, their hash, and what it says",
            dependencies=[Depends(form_asked)],
        )(self.event)

    def event(
        self,
        request: Request,
        topic: Annotated[str, _TOPIC],
        partition: Annotated[int, _PARTITION],
        offset: Annotated[int, _OFFSET],
    ) -> Response:
        """Return an event with its exact bytes, their hash computed again, and its fields as they were written."""
        return self._answers.report(
            request,
            {"topic": topic, "partition": partition, "offset": offset},
            lambda connection: event_report(connection, topic, partition, offset),
            event_sheet,
            self._pages.of("event.html"),
        )
