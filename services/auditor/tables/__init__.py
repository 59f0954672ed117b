"""The typed tables as the writer sees them: keys, column groups, parents. A test holds them against the database."""

from __future__ import annotations

from services.auditor.rows import Table
from services.auditor.tables.ingestion import (
    API_PAYLOADS,
    COMMITTEE_MEMBERSHIPS,
    CONFIGURATIONS,
    CONGRESS_TRADES,
    DATA_INGESTION_RUN_RECORDS,
    DATA_INGESTION_RUNS,
    DISCLOSURE_WITHDRAWALS,
    INSIDER_TRADES,
    POLITICIAN_PROFILES,
    SECTORS,
    SYMBOL_DATA_READY,
)
from services.auditor.tables.operations import (
    ALERTS,
    DEAD_LETTERS,
    OPERATOR_ACTS,
    OPERATOR_ANSWERS,
    REPORT_READS,
)
from services.auditor.tables.trading import (
    ALPACA_ORDERS,
    DECISION_SOURCES,
    DECLINED_DECISIONS,
    RISK_CHECKS,
    TRADE_DECISIONS,
    TRADE_EXECUTION_HISTORY,
    TRADE_EXECUTIONS,
)

# Parents before children: the order in which rows are written and stubs are looked for (backwards).
TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        CONFIGURATIONS,
        DATA_INGESTION_RUNS,
        POLITICIAN_PROFILES,
        DATA_INGESTION_RUN_RECORDS,
        CONGRESS_TRADES,
        INSIDER_TRADES,
        DISCLOSURE_WITHDRAWALS,
        SYMBOL_DATA_READY,
        API_PAYLOADS,
        COMMITTEE_MEMBERSHIPS,
        SECTORS,
        TRADE_DECISIONS,
        DECLINED_DECISIONS,
        DECISION_SOURCES,
        TRADE_EXECUTIONS,
        TRADE_EXECUTION_HISTORY,
        ALPACA_ORDERS,
        RISK_CHECKS,
        OPERATOR_ACTS,
        OPERATOR_ANSWERS,
        REPORT_READS,
        ALERTS,
        DEAD_LETTERS,
    )
}

# One event writes all of a row, and another one about the same key is a rare repetition: these are copied straight in.
FACTS = frozenset(
    table.name
    for table in (
        DATA_INGESTION_RUN_RECORDS,
        CONGRESS_TRADES,
        INSIDER_TRADES,
        DISCLOSURE_WITHDRAWALS,
        SYMBOL_DATA_READY,
        API_PAYLOADS,
        COMMITTEE_MEMBERSHIPS,
        SECTORS,
        DECLINED_DECISIONS,
        DECISION_SOURCES,
        TRADE_EXECUTION_HISTORY,
        RISK_CHECKS,
    )
)
