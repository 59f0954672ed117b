"""Runs and vendor calls. All events of one run stand in one partition, so the newest status is the highest offset's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.auditor.entry import Entry, json_text
from services.auditor.projections.content import content, known, pick
from services.auditor.rows import Change
from services.auditor.tables.ingestion import (
    API_PAYLOADS,
    DATA_INGESTION_RUNS,
    RUN_START,
    RUN_STATUS,
)
from tradetrail.reports.encode import to_json

_COUNTS = (
    *("records_fetched", "records_created", "records_updated", "records_skipped"),
    "records_flagged",
)
_NO_FINDINGS = "[]"


def started(entry: Entry) -> Iterator[Change]:
    """Project IngestionRunStarted: the run, running."""
    run = content(entry)
    values = pick(run, "run_id", "task_name", "data_source", "trigger", "requested_by")
    values |= {
        "started_at": run["occurred_at"],
        "configuration_hash": known(run["configuration_hash"]),
    }
    yield Change(DATA_INGESTION_RUNS, RUN_START, values | entry.position())
    status = pick(run, "run_id", "data_date_start", "data_date_end") | {"status": "running"}
    yield _status(entry, status | {"findings": _NO_FINDINGS})


def completed(entry: Entry) -> Iterator[Change]:
    """Project IngestionRunCompleted: the run's counts."""
    run = content(entry)
    values = pick(run, "run_id", "data_date_start", "data_date_end", *_COUNTS)
    values |= {
        "status": "completed",
        "completed_at": run["occurred_at"],
        "flags": to_json(run["flags"]),
        "findings": f"[{','.join(_finding(finding) for finding in run['findings'])}]",
    }
    yield _status(entry, values)


def failed(entry: Entry) -> Iterator[Change]:
    """Project IngestionRunFailed: why."""
    run = content(entry)
    values = pick(run, "run_id", "records_fetched", "error_code", "error_message")
    values |= {
        "status": "failed",
        "failed_at": run["occurred_at"],
        "error_details": json_text(run["error_details"]),
        "findings": _NO_FINDINGS,
    }
    yield _status(entry, values)


def _finding(finding: dict[str, Any]) -> str:
    # The details go in as they were written: reading them would cost their numbers' exact form.
    said = to_json(pick(finding, "code", "subject", "message")).removesuffix("}")
    return f'{said},"details":{json_text(finding["details"])}}}'


def _status(entry: Entry, values: dict[str, object]) -> Change:
    return Change(DATA_INGESTION_RUNS, RUN_STATUS, values | {"status_offset": entry.message.offset})


def api_call(entry: Entry) -> Iterator[Change]:
    """Project ApiCallRecorded: one row per chunk; the body stays in the event."""
    call = content(entry)
    values = pick(
        call,
        *("call_id", "chunk_index", "chunk_count", "purpose", "run_id", "decision_id"),
        *("execution_id", "symbol", "vendor", "method", "endpoint", "requested_at"),
        *("status_code", "error", "request_size_bytes", "response_size_bytes"),
        *("records_returned", "rate_limit_remaining", "duration_us", "vendor_request_id"),
        *("body_encoding", "body_sha256", "body_redactions"),
    )
    values["request"] = json_text(call["request"])
    yield Change(API_PAYLOADS, API_PAYLOADS.groups[0], values | entry.position())
