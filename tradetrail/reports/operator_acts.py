"""What people did: who, what, why and when, and what each service answered."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import psycopg

from tradetrail.events.generated import OperatorAct
from tradetrail.reports.export import Sheet
from tradetrail.reports.paging import LIMIT_DEFAULT, check_name, cut, page_arguments
from tradetrail.reports.period import heading, since_until
from tradetrail.reports.queries import rows
from tradetrail.symbols import check_symbol

Report = dict[str, Any]
COLUMNS = (
    *("act_id", "acted_at", "act", "operator", "why", "scope", "arguments", "symbol"),
    *("decision_id", "execution_id", "idempotency_key", "answers"),
    *("topic", "partition", "offset", "appended_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActFilter:
    """Which acts; None lets every one through. ``start`` and ``end``: days in New York on which somebody acted."""

    start: date | None = None
    end: date | None = None
    operator: str | None = None
    act: OperatorAct | None = None
    symbol: str | None = None


def operator_acts_report(
    connection: psycopg.Connection[Any],
    chosen: ActFilter,
    limit: int = LIMIT_DEFAULT,
    after: str | None = None,
) -> Report:
    """Return a page of people's acts, newest first, each with its answers, and how many there are by act.

    ``after`` is the ``next`` of the page before. An act without an answer has an empty list. Raises UsageError for a
    limit out of bounds, and for a period, cursor, symbol or operator that can't be.
    """
    since, until = since_until(chosen.start, chosen.end)
    symbol = None if chosen.symbol is None else check_symbol(chosen.symbol)
    arguments = {
        "since": since,
        "until": until,
        "operator": check_name("operator", chosen.operator),
        "act": chosen.act,
        "symbol": symbol,
    }
    page = page_arguments(limit, after)
    # One state of the database for page, answers and sums.
    with connection.transaction():
        acts = {
            row["name"]: row["count"] for row in rows(connection, "operator_acts_totals", arguments)
        }
        found = rows(connection, "operator_acts_page", arguments | page)
        shown, following = cut(found, limit, at="acted_at", key="act_id")
        ids = [act["act_id"] for act in shown]
        told = rows(connection, "operator_acts_answers", {"act_ids": ids})
    answers: dict[str, list[Report]] = {}
    for answer in told:
        answers.setdefault(answer.pop("act_id"), []).append(answer)
    return {
        **heading(asdict(chosen) | {"symbol": symbol}),
        "totals": {"operator_acts": sum(acts.values()), "acts": acts},
        "next": following,
        "operator_acts": [act | {"answers": answers.get(act["act_id"], [])} for act in shown],
    }


def operator_acts_sheet(report: Report) -> Sheet:
    """Return the page's acts, one row each; the answers are JSON."""
    return Sheet(COLUMNS, report["operator_acts"])
