"""Runs and vendor calls. All events of one run stand in one partition, so the newest status is the highest offset's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from services.auditor.entry import Entry, json_text
from services.auditor.projections.content import Said, content, known, shape, sparse
from services.auditor.rows import Change
from services.auditor.tables.ingestion import (
    API_PAYLOADS,
    DATA_INGESTION_RUNS,
    RUN_START,
    RUN_STATUS,
)
from tradetrail.reports.encode import to_json

_start = shape(DATA_INGESTION_RUNS, RUN_START, started_at="occurred_at")
_api_payload = shape(API_PAYLOADS, API_PAYLOADS.groups[0])
_DATES = ("data_date_start", "data_date_end")
_COUNTS = (
    *("records_fetched", "records_created", "records_updated", "records_skipped"),
    "records_flagged",
)
_FINDING = ("code", "subject", "message")
_NO_FINDINGS = "[]"


def started(entry: Entry) -> Iterator[Change]:
    """Project IngestionRunStarted: the run, running."""
    run = content(entry)
    run["configuration_hash"] = known(run["configuration_hash"])
    yield _start(run)
    yield _status(run, _DATES, status="running", findings=_NO_FINDINGS)


def completed(entry: Entry) -> Iterator[Change]:
    """Project IngestionRunCompleted: the run's counts."""
    run = content(entry)
    yield _status(
        run,
        (*_DATES, *_COUNTS),
        status="completed",
        completed_at=run["occurred_at"],
        flags=to_json(run["flags"]),
        findings=f"[{','.join(_finding(finding) for finding in run['findings'])}]",
    )


def failed(entry: Entry) -> Iterator[Change]:
    """Project IngestionRunFailed: why."""
    run = content(entry)
    yield _status(
        run,
        ("records_fetched", "error_code", "error_message"),
        status="failed",
        failed_at=run["occurred_at"],
        error_details=json_text(run["error_details"]),
        findings=_NO_FINDINGS,
    )


def _finding(finding: dict[str, Any]) -> str:
    # The details go in as they were written: reading them would cost their numbers' exact form.
    said = to_json({name: finding[name] for name in _FINDING}).removesuffix("}")
    return f'{said},"details":{json_text(finding["details"])}}}'


def _status(run: Said, fields: Sequence[str], **more: Any) -> Change:
    """Return the run's status out of ``fields`` of the event, and ``more`` columns."""
    values = {name: run[name] for name in ("run_id", *fields)}
    return sparse(DATA_INGESTION_RUNS, RUN_STATUS, values | more | {"status_offset": run["offset"]})


def api_call(entry: Entry) -> Iterator[Change]:
    """Project ApiCallRecorded: one row per chunk; the body stays in the event."""
    call = content(entry)
    call["request"] = json_text(call["request"])
    yield _api_payload(call)
