"""How a run that did not complete is closed: by itself, or, when it was cut off, by the next one."""

from __future__ import annotations

import json
from datetime import datetime

import structlog

from services.ingestor.breakpoints import reached
from services.ingestor.parts import Parts
from services.ingestor.recording.journal import Journal
from services.ingestor.trouble import ErrorCode, RunTrouble
from tradetrail.events.generated import Cause, IngestionRunFailed, IngestionRunStarted
from tradetrail.ids import derive_id
from tradetrail.log.producer import Outgoing

log = structlog.get_logger(__name__)


def close_abandoned(parts: Parts, journal: Journal, data_source: str) -> int:
    """Record that the open runs of a data source were cut off; the caller holds its lock."""
    runs = parts.memory.runs.open_runs(data_source)
    if not runs:
        return 0
    now = parts.clock.now()
    outputs = []
    for run in runs:
        log.warning("closing an abandoned run", run_id=run.run_id, task=run.task_name)
        trouble = RunTrouble(
            ErrorCode.ABANDONED,
            f"the run of {run.occurred_at.isoformat()} by {run.instance} was cut off before its end; nothing of it was "
            "delivered; the next run covers its days",
            instance=run.instance,
        )
        outputs.append(failed_event(parts, run, now, trouble, None, 0))
    reached("closing", parts.own.die_at)
    journal.commit(outputs)
    reached("closed", parts.own.die_at)
    parts.memory.catch_up()
    return len(runs)


def failed_event(
    parts: Parts,
    run: IngestionRunStarted,
    now: datetime,
    trouble: RunTrouble,
    cause: Cause | None,
    fetched: int,
) -> Outgoing:
    event = IngestionRunFailed(
        event_id=str(derive_id("run-failed", run.run_id)),
        **parts.stamp.envelope(now),
        cause=cause,
        story_id=run.run_id,
        run_id=run.run_id,
        task_name=run.task_name,
        data_source=run.data_source,
        started_at=run.occurred_at,
        error_code=str(trouble.code),
        error_message=str(trouble),
        error_details=json.dumps(trouble.details, sort_keys=True, default=str),
        records_fetched=fetched,
    )
    return Outgoing(parts.topics.runs, run.task_name, event)
