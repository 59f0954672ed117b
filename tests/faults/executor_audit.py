"""The audit database of a round: an auditor reads its log, and what it tells is compared with the log itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tests.faults.executor_checks import Story
from tests.faults.executor_script import GROUPS
from tests.integration.auditor_harness import audit_of
from tradetrail.settings import SharedSettings

# Its start on two busy cores, and a log of some hundred events.
_AUDITED_S = 300.0


@dataclass(frozen=True, slots=True)
class Audited:
    """What the database tells: decision → status; execution → status and shares filled; single fills with prices."""

    decisions: Mapping[str, str]
    executions: Mapping[str, tuple[str, Decimal]]
    fills: Sequence[tuple[str, Decimal, Decimal]]


def audited(log: SharedSettings, dsn: str) -> Audited:
    """Let an auditor read a whole log, in a schema of its own that is gone afterwards; return what it then tells."""
    groups = json.dumps([group.model_dump() for group in GROUPS])
    with audit_of(log, dsn) as audit:
        auditor = audit.start(SYMBOL_GROUPS=groups)
        audit.wait_audited(_AUDITED_S)
        auditor.stop()
        decisions = audit.rows("SELECT decision_id, status FROM trade_decisions")
        executions = audit.rows(
            "SELECT execution_id, status, coalesce(filled_quantity, 0) FROM trade_executions"
        )
        fills = audit.rows(
            "SELECT execution_id, fill_quantity, fill_price FROM trade_execution_history "
            "WHERE fill_quantity IS NOT NULL"
        )
    return Audited(
        {str(name): str(status) for name, status in decisions},
        {str(name): (str(status), Decimal(filled)) for name, status, filled in executions},
        [(str(name), Decimal(qty), Decimal(price)) for name, qty, price in fills],
    )


def violations_of(told: Mapping[str, Story], found: Audited) -> list[str]:
    """Return where the database differs from the log's own stories."""
    decisions = {name: story.status.value for name, story in told.items()}
    attempts = {
        name: attempt for story in told.values() for name, attempt in story.attempts.items()
    }
    executions = {
        name: (each.status.value, each.updates[-1].filled_qty_total if each.updates else Decimal(0))
        for name, each in attempts.items()
    }
    fills = Counter(
        (name, update.fill_qty, update.fill_price or Decimal(0))
        for name, each in attempts.items()
        for update in each.updates
        if update.fill_qty is not None
    )
    audited_fills = Counter(found.fills)
    return [
        *_differing("decision", decisions, found.decisions),
        *_differing("execution", executions, found.executions),
        *(f"fill {fill} is not in the database" for fill in fills - audited_fills),
        *(f"fill {fill} is in the database alone" for fill in audited_fills - fills),
    ]


def _differing(what: str, logged: Mapping[str, object], stored: Mapping[str, object]) -> list[str]:
    return [
        f"{what} {name} is {logged.get(name)} in the log, {stored.get(name)} in the database"
        for name in sorted(logged.keys() | stored.keys())
        if logged.get(name) != stored.get(name)
    ]
