"""What people did: who, what, why and when, and what each service answered."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import psycopg

from tradetrail.events.generated import OperatorAct
from tradetrail.reports.listing import Listing, Report
from tradetrail.reports.paging import check_name
from tradetrail.reports.period import heading, since_until
from tradetrail.reports.queries import rows
from tradetrail.symbols import check_symbol

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


def _arguments(chosen: ActFilter) -> Report:
    since, until = since_until(chosen.start, chosen.end)
    return {
        "since": since,
        "until": until,
        "operator": check_name("operator", chosen.operator),
        "act": chosen.act,
        "symbol": None if chosen.symbol is None else check_symbol(chosen.symbol),
    }


def _head(connection: psycopg.Connection[Any], chosen: ActFilter, arguments: Report) -> Report:
    acts = {
        row["name"]: row["count"] for row in rows(connection, "operator_acts_totals", arguments)
    }
    return {
        **heading(asdict(chosen) | {"symbol": arguments["symbol"]}),
        "totals": {"operator_acts": sum(acts.values()), "acts": acts},
    }


def _with_answers(connection: psycopg.Connection[Any], acts: list[Report]) -> list[Report]:
    """Return acts, each with its answers; one without any has an empty list."""
    ids = [act["act_id"] for act in acts]
    answers: dict[str, list[Report]] = {}
    for answer in rows(connection, "operator_acts_answers", {"act_ids": ids}):
        answers.setdefault(answer.pop("act_id"), []).append(answer)
    return [act | {"answers": answers.get(act["act_id"], [])} for act in acts]


# Newest first.
OPERATOR_ACTS: Listing[ActFilter] = Listing(
    name="operator_acts",
    columns=COLUMNS,
    at="acted_at",
    key="act_id",
    arguments=_arguments,
    head=_head,
    query="operator_acts_page",
    complete=_with_answers,
)
operator_acts_report, operator_acts_sheet = OPERATOR_ACTS.report, OPERATOR_ACTS.sheet
