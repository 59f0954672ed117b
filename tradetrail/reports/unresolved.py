"""Orders of unknown fate: since when, what was tried, what the broker says, what they hold, and how to settle them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from tradetrail.reports.export import Sheet
from tradetrail.reports.paging import LIMIT_DEFAULT, check_name, cut, page_arguments
from tradetrail.reports.queries import rows
from tradetrail.symbols import check_symbol

Report = dict[str, Any]
# Each needs a person, so there are few; past this a compliance officer has other means than a list.
CONTRADICTED_MAX = 1_000
COLUMNS = (
    *("section", "execution_id", "decision_id", "attempt", "strategy", "made_by", "account"),
    *("symbol", "side", "quantity", "status", "unresolved_since", "submitted_at", "reason"),
    *("answers", "newest_source", "newest_at", "broker_status", "error_message", "api_response"),
    *("client_order_id", "alpaca_order_id", "symbol_held", "decisions_waiting", "tried"),
    *("settle_command", "discovered_at", "broker_filled_quantity", "broker_filled_avg_price"),
    *("recorded_status", "recorded_filled_quantity", "explanation"),
    *("topic", "partition", "offset", "appended_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnresolvedFilter:
    """Which orders; None lets every one through."""

    symbol: str | None = None
    account: str | None = None


def unresolved_report(
    connection: psycopg.Connection[Any],
    chosen: UnresolvedFilter,
    limit: int = LIMIT_DEFAULT,
    after: str | None = None,
) -> Report:
    """Return a page of the orders that are not in a definite state, oldest first, and the symbols they hold.

    ``after`` is the ``next`` of the page before. The orders that the broker has otherwise than the log, up to
    CONTRADICTED_MAX, are with every page. Raises UsageError for a limit out of bounds, and for a cursor, symbol or
    account that can't be.
    """
    arguments = {
        "symbol": None if chosen.symbol is None else check_symbol(chosen.symbol),
        "account": check_name("account", chosen.account),
    }
    page = page_arguments(limit, after)
    # One state of the database for page, what was tried, and sums.
    with connection.transaction():
        totals = rows(connection, "unresolved_totals", arguments)[0]
        found = rows(connection, "unresolved_page", arguments | page)
        shown, following = cut(found, limit, at="unresolved_since", key="execution_id")
        which = {
            "execution_ids": [row["execution_id"] for row in shown],
            "decision_ids": [row["decision_id"] for row in shown],
        }
        tried = rows(connection, "unresolved_tried", which)
        most = {"rows_max": CONTRADICTED_MAX}
        contradicted = rows(connection, "unresolved_contradicted", arguments | most)
    by_execution: dict[str, list[Report]] = {}
    for each in tried:
        by_execution.setdefault(each.pop("execution_id"), []).append(each)
    return {
        "filters": asdict(chosen) | arguments,
        "totals": totals | {"contradicted": len(contradicted)},
        "next": following,
        "unresolved": [
            row
            | {
                "tried": by_execution.get(row["execution_id"], []),
                "settle_command": settle_command(row["execution_id"], row["symbol"]),
            }
            for row in shown
        ],
        "contradicted": contradicted,
    }


def settle_command(execution_id: str, symbol: str | None) -> str:
    """Return the command by which a person settles an order; OUTCOME, WHO and WHY are the person's to say."""
    of_symbol = f" --symbol {symbol}" if symbol else ""
    return f'tradetrail order resolve {execution_id} OUTCOME{of_symbol} --as WHO --why "WHY"'


def unresolved_sheet(report: Report) -> Sheet:
    """Return the page's orders and then the contradicted ones, each with its section's name; lists are JSON."""
    return Sheet(COLUMNS, _flat(report))


def _flat(report: Report) -> Iterator[Report]:
    for section in ("unresolved", "contradicted"):
        for row in report[section]:
            yield {"section": section, **row}
