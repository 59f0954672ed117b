"""Orders of unknown fate: since when, what was tried, what the broker says, what they hold, and how to settle them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from tradetrail.reports.listing import Listing, Report
from tradetrail.reports.paging import check_name
from tradetrail.reports.queries import rows
from tradetrail.symbols import check_symbol

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


def settle_command(execution_id: str, symbol: str | None) -> str:
    """Return the command by which a person settles an order; OUTCOME, WHO and WHY are the person's to say."""
    of_symbol = f" --symbol {symbol}" if symbol else ""
    return f'tradetrail order resolve {execution_id} OUTCOME{of_symbol} --as WHO --why "WHY"'


def _arguments(chosen: UnresolvedFilter) -> Report:
    return {
        "symbol": None if chosen.symbol is None else check_symbol(chosen.symbol),
        "account": check_name("account", chosen.account),
    }


def _head(
    connection: psycopg.Connection[Any], chosen: UnresolvedFilter, arguments: Report
) -> Report:
    totals = rows(connection, "unresolved_totals", arguments)[0]
    most = {"rows_max": CONTRADICTED_MAX}
    contradicted = rows(connection, "unresolved_contradicted", arguments | most)
    return {
        "filters": asdict(chosen) | arguments,
        "totals": totals | {"contradicted": len(contradicted)},
        "contradicted": contradicted,
    }


def _with_what_was_tried(connection: psycopg.Connection[Any], orders: list[Report]) -> list[Report]:
    which = {
        "execution_ids": [order["execution_id"] for order in orders],
        "decision_ids": [order["decision_id"] for order in orders],
    }
    tried: dict[str, list[Report]] = {}
    for each in rows(connection, "unresolved_tried", which):
        tried.setdefault(each.pop("execution_id"), []).append(each)
    return [
        order
        | {
            "tried": tried.get(order["execution_id"], []),
            "settle_command": settle_command(order["execution_id"], order["symbol"]),
        }
        for order in orders
    ]


# Oldest first. The orders that the broker has otherwise than the log, up to CONTRADICTED_MAX, are with every page.
UNRESOLVED: Listing[UnresolvedFilter] = Listing(
    name="unresolved",
    columns=COLUMNS,
    at="unresolved_since",
    key="execution_id",
    arguments=_arguments,
    head=_head,
    query="unresolved_page",
    complete=_with_what_was_tried,
    besides=("contradicted",),
)
unresolved_report, unresolved_sheet = UNRESOLVED.report, UNRESOLVED.sheet
