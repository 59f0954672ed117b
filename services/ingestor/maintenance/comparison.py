"""What the bulk endpoint says against what the log knows, over the days that runs have covered. Pure.

Congress runs may deliver while the bulk endpoint is being read, so what is known is taken twice. From before the
request: a record of then that is missing from the answer has vanished; one that came later may just be newer than the
answer. From after it, with no run under way: a row that is not known now, and was not known then in an older version,
is truly missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.ingestor.known.coverage import Days
from services.ingestor.known.ledger import Known, Ledger, Verdict
from services.ingestor.rows.records import Record
from tradetrail.events.generated import RecordChange


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between the bulk endpoint and the log, each in the order of the days."""

    missing: tuple[Record, ...]
    vanished: tuple[Known, ...]
    changed: tuple[tuple[Known, Verdict], ...]


def known_within(ledger: Ledger, days: Days) -> dict[str, Known]:
    """Return the known records reported within ``days``, by id."""
    return {
        known.record_id: known
        for known in ledger
        if known.reported_on is not None and days.first <= known.reported_on <= days.last
    }


def compare(
    records: Sequence[Record], before: Mapping[str, Known], ledger: Ledger, days: Days
) -> Difference:
    """Return how ``records``, all rows of ``days``, differ from what is known.

    ``before`` are the known records of ``days`` from before the rows were asked for, ``ledger`` all that is known since
    then. Records without a readable day of report can't be placed and are left out.
    """
    after = known_within(ledger, days)
    stable = {
        record_id: known
        for record_id, known in after.items()
        if (old := before.get(record_id)) is not None and old.content_hash == known.content_hash
    }
    outdated = {known.content_hash for known in before.values()}
    outdated -= {known.content_hash for known in after.values()}
    rows = [record for record in records if record.content_hash not in outdated]
    missing: list[Record] = []
    changed: list[tuple[Known, Verdict]] = []
    for verdict in ledger.judge(rows, days.first, days.last):
        if verdict.record.reported_on is None:
            continue
        if verdict.change is RecordChange.UPDATED and verdict.record_id in after:
            # Else a run has just delivered a newer state of the record than this answer tells.
            if (known := stable.get(verdict.record_id)) is not None:
                changed.append((known, verdict))
        else:
            missing.append(verdict.record)
    present = {record.content_hash for record in records}
    successors = {known.record_id for known, _ in changed}
    vanished = [
        known
        for record_id, known in stable.items()
        if known.content_hash not in present and record_id not in successors
    ]
    vanished.sort(key=lambda known: (str(known.reported_on), known.record_id))
    return Difference(tuple(missing), tuple(vanished), tuple(changed))
