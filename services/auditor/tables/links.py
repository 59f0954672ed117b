"""What tables share: rows that one event makes whole, and the parents that most of them have."""

from __future__ import annotations

from services.auditor.rows import PLACE, POSITION, Group, Reference

RUN = Reference(("run_id",), "data_ingestion_runs")
CONFIGURATION = Reference(("configuration_hash",), "configurations")
DECISION_OF = Reference(("trade_decision_id",), "trade_decisions")
EXECUTION_OF = Reference(("execution_id",), "trade_executions")


def fact(*columns: str) -> Group:
    """Return the group of columns that the first event about a row writes."""
    return Group(PLACE, (*columns, *POSITION))
