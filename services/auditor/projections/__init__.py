"""What each event says to the typed tables: pure functions, event in, changes out; no clock, no sequence, no I/O.

An event type that is not listed has its row in ``events`` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from services.auditor.entry import Entry
from services.auditor.projections import decisions, disclosures, operations, orders, reference, runs
from services.auditor.rows import Change

Projection = Callable[[Entry], Iterator[Change]]

PROJECTIONS: dict[str, Projection] = {
    "IngestionRunStarted": runs.started,
    "IngestionRunCompleted": runs.completed,
    "IngestionRunFailed": runs.failed,
    "ApiCallRecorded": runs.api_call,
    "DisclosureRecorded": disclosures.disclosure,
    "DisclosureWithdrawn": disclosures.withdrawn,
    "SymbolDataReady": disclosures.ready,
    "CommitteeMembershipRecorded": reference.committee_membership,
    "SectorRecorded": reference.sector,
    "ConfigurationRecorded": reference.configuration,
    "DecisionMade": decisions.made,
    "DecisionDeclined": decisions.declined,
    "OrderSubmitting": orders.submitting,
    "OrderUpdated": orders.updated,
    "OrderBlocked": orders.blocked,
    "BrokerOrderDiscovered": orders.discovered,
    "OperatorActed": operations.operator_act,
    "OperatorAnswered": operations.operator_answer,
    "QueryRecorded": operations.read,
    "AlertRaised": operations.alert,
    "EventDeadLettered": operations.dead_letter,
}


def project(entries: Iterable[Entry]) -> Iterator[Change]:
    """Yield what ``entries`` say to the typed tables, in order."""
    for entry in entries:
        if entry.bad is not None:
            yield operations.unreadable(entry, entry.bad)
        elif (name := entry.type_name) in PROJECTIONS:
            yield from PROJECTIONS[name](entry)
