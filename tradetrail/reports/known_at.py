"""What was known when a decision was taken: all that its view held, used or not, and nothing after ``view_through``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from tradetrail.errors import NotRecorded
from tradetrail.reports.export import Sheet
from tradetrail.reports.listing import EXPORT_PAGE_ROWS, prepare_export
from tradetrail.reports.paging import LIMIT_MAX, check_limit, check_name
from tradetrail.reports.queries import rows
from tradetrail.reports.section_cursor import as_id, as_offset
from tradetrail.reports.sections import (
    Section,
    WholeSections,
    begins_of,
    flat_rows,
    page_of_each,
)

Report = dict[str, Any]
_VIEW = (
    *("topic", "partition", "view_through", "trigger_id", "triggered_at", "trigger_appended_at"),
    *("lookback_days", "view_from", "reference_through"),
)
_ONLY_VIEW = frozenset(_VIEW[2:])
# The order in which the standings of records are counted and told.
STANDINGS = ("used", "seen", "superseded", "withdrawn", "outside_window")
# What a decision recorded of itself is short, and stands whole on the first page.
_OWN = {
    "reference_facts": "known_facts",
    "ingestion_runs": "known_runs",
    "api_calls": "known_calls",
}
_BY_OFFSET: Mapping[str, Callable[[str], Any]] = {"after_offset": as_offset}
# What grows with the symbol's history.
LISTS = {
    "records": Section("known_records", lambda row: {"after_offset": row["offset"]}, _BY_OFFSET),
    "earlier_answers": Section(
        "known_answers",
        lambda row: {"after_through": row["view_through"], "after_id": row["decision_id"]},
        {"after_through": as_offset, "after_id": as_id},
    ),
    "orders": Section(
        "known_orders",
        lambda row: {"after_offset": row["offset"], "after_check": row["check_number"]},
        {"after_offset": as_offset, "after_check": as_offset},
        only_order=("check_number",),
    ),
    "operator_acts": Section("known_acts", lambda row: {"after_offset": row["offset"]}, _BY_OFFSET),
    "unreadable_events": Section(
        "known_unreadable", lambda row: {"after_offset": row["offset"]}, _BY_OFFSET
    ),
}
# In the order of the report.
SECTIONS = (
    *("records", "missing_records", "earlier_answers", "orders", "operator_acts"),
    *("unreadable_events", *_OWN),
)
_POSITION = ("topic", "partition", "offset")
_IDENTITY = ("record_id", "version", *_POSITION)
COLUMNS = (
    *("section", *_POSITION, "appended_at", "recorded_at", "event_id"),
    *("standing", "used", "in_window", "record_id", "version", "kind", "person"),
    *("transaction_type", "direction", "transaction_date", "disclosed_on"),
    *("amount_usd_min", "amount_usd_max", "shares", "price_usd", "flags"),
    *("superseded_by_version", "withdrawn_at", "moved_to_symbol", "ingestion_run_id"),
    *("decision_id", "outcome", "strategy", "strategy_version", "side", "quantity"),
    *("signal_strength", "decided_at", "view_through", "attempt_number", "status"),
    *("filled_quantity", "filled_avg_price", "reason", "reason_text"),
    *("act", "operator", "why", "arguments", "subject", "value", "in_reach"),
    *("task_name", "data_source", "completed_at", "records_fetched"),
    *("records_known", "records_used", "api_call_id", "purpose", "vendor", "method"),
    *("endpoint", "query", "timestamp", "status_code", "error", "body_sha256"),
)


def known_at_report(
    connection: psycopg.Connection[Any],
    decision_id: str,
    *,
    limit: int = LIMIT_MAX,
    after: str | None = None,
) -> Report:
    """Return what a decision, made or declined, could see of its symbol: of each list ``limit`` rows at most.

    ``after`` is the ``next`` of the page before; the sums don't depend on the page. What the decision recorded itself
    stands whole on the first page only. Raises NotRecorded for an id that no decision has, UsageError for what can't be
    an id or a cursor, and a limit out of bounds.
    """
    asked = {"decision_id": check_name("decision id", decision_id)}
    begins = begins_of(LISTS, after)
    check_limit(limit)
    # One state of the database for all sections.
    with connection.transaction():
        known = _known(connection, asked)
        lists, following = page_of_each(connection, LISTS, known.arguments, begins, limit)
    own = known.own if after is None else {name: [] for name in known.own}
    return {**known.head, "next": following, **{name: (lists | own)[name] for name in SECTIONS}}


@contextmanager
def known_at_export(
    connection: psycopg.Connection[Any], decision_id: str
) -> Iterator[WholeSections]:
    """Give all that a decision could see, of one state of the database, a few rows at a time.

    Raises as the report does, before there is an export. Its reader has EXPORT_IDLE_TIMEOUT_MS for a part.
    """
    asked = {"decision_id": check_name("decision id", decision_id)}
    with connection.transaction():
        prepare_export(connection)
        known = _known(connection, asked)
        lists: dict[str, Iterable[list[Report]]] = {
            name: section.parts(connection, known.arguments, EXPORT_PAGE_ROWS)
            for name, section in LISTS.items()
        }
        lists |= {name: [found] for name, found in known.own.items()}
        total = sum(known.head["totals"][name] for name in SECTIONS)
        yield WholeSections(known.head, COLUMNS, {name: lists[name] for name in SECTIONS}, total)


def known_at_sheet(report: Report) -> Sheet:
    """Return every section's rows one after the other, each with its section's name, in one set of columns."""
    return Sheet(COLUMNS, flat_rows({section: report[section] for section in SECTIONS}))


@dataclass(frozen=True, slots=True)
class _Known:
    """What doesn't depend on the page: all but the long lists, and what these are asked."""

    head: Report
    own: dict[str, list[Report]]
    arguments: Report


def _known(connection: psycopg.Connection[Any], asked: Report) -> _Known:
    found = rows(connection, "known_decision", asked)
    if not found:
        raise NotRecorded(
            f"no decision {asked['decision_id']!r} is recorded, made or declined; `tradetrail report symbol SYMBOL "
            "--format json` and `tradetrail report declined` list their ids"
        )
    decision = found[0]
    rationale, call_ids = decision.pop("rationale"), decision.pop("api_call_ids")
    # Answers from before they named all their calls name those of their contexts.
    arguments = decision | asked | {"call_ids": call_ids or _call_ids(rationale)}
    by_run = rows(connection, "known_standings", arguments)
    own = {"missing_records": _missing(connection, asked, rationale)}
    own |= {name: rows(connection, query, arguments) for name, query in _OWN.items()}
    own["ingestion_runs"] = [_counted(run, by_run) for run in own["ingestion_runs"]]
    head = {
        "decision": {k: v for k, v in decision.items() if k not in _ONLY_VIEW},
        "view": {name: decision[name] for name in _VIEW},
        "totals": {
            "records": _records(by_run),
            **{name: _records(by_run, standing=name) for name in STANDINGS},
            **rows(connection, "known_sums", arguments)[0],
            **{name: len(found) for name, found in own.items()},
        },
        "market_context": rationale["market_context"],
        "portfolio_context": rationale["portfolio_context"],
    }
    return _Known(head, own, arguments)


def _call_ids(rationale: Report) -> list[str]:
    contexts = (rationale["market_context"], rationale["portfolio_context"])
    return [call_id for context in contexts if context for call_id in context["api_call_ids"]]


def _missing(connection: psycopg.Connection[Any], asked: Report, rationale: Report) -> list[Report]:
    """Return what the rationale names although it was not to be seen there: none, if all is well."""
    named = rationale["source_data"]["records"]
    record_ids = [source["record_id"] for source in named]
    used = rows(connection, "known_used", asked | {"record_ids": record_ids})
    seen = {tuple(record[name] for name in _IDENTITY) for record in used}
    return [
        {name: source[name] for name in (*_IDENTITY, "person", "direction", "event_id")}
        | {"ingestion_run_id": source["run_id"]}
        for source in named
        if tuple(source[name] for name in _IDENTITY) not in seen
    ]


def _records(by_run: Iterable[Report], **chosen: str) -> int:
    """Return how many record versions are counted where the columns are as ``chosen``."""
    return sum(
        each["records"]
        for each in by_run
        if all(each[name] == value for name, value in chosen.items())
    )


def _counted(run: Report, by_run: list[Report]) -> Report:
    run_id = run["ingestion_run_id"]
    return run | {
        "records_known": _records(by_run, ingestion_run_id=run_id),
        "records_used": _records(by_run, ingestion_run_id=run_id, standing="used"),
    }
