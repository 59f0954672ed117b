"""The account of the simulated Alpaca: buying power, positions, splits, activities, assets, clock and calendar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import requests

from tests.contract.alpaca_client import TIMEOUT_S, Alpaca, stop
from tests.contract.alpaca_sdk import ClosePositionRequest, GetAssetsRequest, GetCalendarRequest

OPEN = "2020-08-25T13:31:00+00:00"
CLOSED = "2020-08-25T20:05:00+00:00"


def account(alpaca: Alpaca) -> tuple[str, str, str]:
    """Return cash, buying power and equity."""
    told = alpaca.trading.get_account()
    return told.cash, told.buying_power, told.equity


def test_open_buys_reserve_and_fills_spend(alpaca: Alpaca) -> None:
    limit = alpaca.placed(qty="100", type="limit", limit_price="90")
    assert account(alpaca) == ("100000", "91000", "100000")
    alpaca.placed(qty="10")  # at the market before the open: four percent over the last close, 101
    assert account(alpaca) == ("100000", "89949.6", "100000")
    alpaca.control(now=OPEN)
    assert account(alpaca) == ("98990", "89990", "100000")
    alpaca.call("DELETE", f"/orders/{limit['id']}")
    assert account(alpaca) == ("98990", "98990", "100000")
    alpaca.control(now=CLOSED)
    assert account(alpaca) == ("98990", "98990", "100010")


def test_a_sale_gives_nothing_back_before_it_fills(alpaca: Alpaca) -> None:
    alpaca.control(
        account={"cash": "0", "positions": {"ACME": {"qty": "10", "avg_entry_price": "90"}}}
    )
    alpaca.placed(side="sell", qty="4")
    assert account(alpaca) == ("0", "0", "1010")
    assert alpaca.trading.get_open_position("ACME").qty_available == "6"
    alpaca.control(now=OPEN)
    assert account(alpaca) == ("404", "404", "1010")


def test_a_queued_buy_that_the_open_made_too_dear_is_rejected(alpaca: Alpaca) -> None:
    alpaca.control(account={"cash": "230"}, now="2020-08-27T20:05:00+00:00")
    orders = [alpaca.placed("GAPS"), alpaca.placed("GAPS")]  # each reserves 104 over a close of 100
    alpaca.control(now="2020-08-28T13:31:00+00:00")  # the open is 120: the second can't be paid
    assert [alpaca.now(order)["status"] for order in orders] == ["filled", "rejected"]
    assert alpaca.events(orders[1]) == ["accepted", "new", "rejected"]
    assert account(alpaca)[:2] == ("110", "110")


def test_a_market_order_that_waits_over_a_split_buys_the_new_shares(alpaca: Alpaca) -> None:
    alpaca.control(account={"cash": "1056"}, now="2020-08-28T20:05:00+00:00")
    order = alpaca.placed("SPLT", qty="2")
    assert alpaca.book()["account"]["reserved"] == "865.28"
    alpaca.control(now="2020-08-31T13:31:00+00:00")
    assert alpaca.now(order)["status"] == "replaced"
    book = alpaca.book()
    assert [(fill["qty"], fill["price"]) for fill in book["fills"]] == [("8", "105")]
    assert book["account"]["cash"] == "216"


def test_margin_doubles_what_can_be_bought(start: Callable[..., Alpaca]) -> None:
    alpaca = start(multiplier=2)
    assert alpaca.trading.get_account().buying_power == "200000"
    assert alpaca.trading.get_account().multiplier == "2"
    alpaca.control(now=OPEN)
    alpaca.placed(qty="1000")
    assert account(alpaca) == ("-1000", "99000", "100000")
    alpaca.placed("SPLT", side="sell", qty="10")
    short = alpaca.trading.get_open_position("SPLT")
    assert (short.qty, short.side, short.market_value) == ("-10", "short", "-4020")
    assert account(alpaca) == ("3020", "94980", "100000")
    alpaca.placed("SPLT", side="buy", qty="10")
    assert account(alpaca) == ("-1000", "99000", "100000")
    stop(alpaca)


def test_a_position_and_its_gains(alpaca: Alpaca) -> None:
    alpaca.placed(qty="10")
    alpaca.control(now=CLOSED)
    position = alpaca.trading.get_open_position("ACME")
    assert (position.qty, position.avg_entry_price, position.cost_basis) == ("10", "101", "1010")
    assert (position.market_value, position.unrealized_pl) == ("1020", "10")
    assert (position.current_price, position.lastday_price) == ("102", "101")
    assert alpaca.trading.get_open_position(str(position.asset_id)).symbol == "ACME"
    assert [p.symbol for p in alpaca.trading.get_all_positions()] == ["ACME"]


def test_every_documented_field_of_account_position_and_asset_is_there(alpaca: Alpaca) -> None:
    alpaca.placed()
    alpaca.control(now=OPEN)
    for path, named in (
        (
            "/account",
            """id account_number status currency cash buying_power regt_buying_power sma accrued_fees
            non_marginable_buying_power options_buying_power equity last_equity portfolio_value multiplier
            long_market_value short_market_value initial_margin maintenance_margin last_maintenance_margin
            trading_blocked account_blocked transfers_blocked trade_suspended_by_user shorting_enabled
            created_at balance_asof""",
        ),
        (
            "/positions/ACME",
            """asset_id symbol exchange asset_class asset_marginable qty qty_available avg_entry_price side
            market_value cost_basis unrealized_pl unrealized_plpc unrealized_intraday_pl
            unrealized_intraday_plpc current_price lastday_price change_today""",
        ),
        (
            "/assets/ACME",
            """id class exchange symbol name status tradable marginable shortable easy_to_borrow fractionable
            maintenance_margin_requirement attributes""",
        ),
    ):
        assert set(named.split()) <= set(alpaca.call("GET", path).json())


def test_a_split_multiplies_the_position_and_divides_its_price(alpaca: Alpaca) -> None:
    alpaca.control(account={"positions": {"SPLT": {"qty": "2.5", "avg_entry_price": "400"}}})
    alpaca.control(now="2020-08-31T13:29:00+00:00")
    assert alpaca.trading.get_open_position("SPLT").qty == "2.5"
    alpaca.control(now="2020-08-31T13:31:00+00:00")
    position = alpaca.trading.get_open_position("SPLT")
    assert (position.qty, position.avg_entry_price, position.cost_basis) == ("10", "100", "1000")
    assert (position.market_value, position.lastday_price) == ("1050", "104")
    assert alpaca.book()["splits"] == [
        {
            "session_on": "2020-08-31",
            "symbol": "SPLT",
            "factor": "4",
            "qty_before": "2.5",
            "qty_after": "10",
        }
    ]


def test_orders_that_wait_over_a_split_are_replaced(alpaca: Alpaca) -> None:
    alpaca.control(now="2020-08-28T20:05:00+00:00")
    old = alpaca.placed("SPLT", qty="2", type="limit", limit_price="400", time_in_force="gtc")
    alpaca.control(now="2020-08-31T11:00:00+00:00")
    same_day = alpaca.placed("SPLT", qty="2", type="limit", limit_price="90")
    alpaca.control(now="2020-08-31T13:31:00+00:00")
    replaced = alpaca.now(old)
    new = alpaca.now({"id": replaced["replaced_by"]})
    assert (replaced["status"], new["qty"], new["limit_price"]) == ("replaced", "8", "100")
    assert alpaca.events(new) == ["pending_new", "new"]
    assert alpaca.now(same_day)["qty"] == "2"
    assert alpaca.book()["account"]["reserved"] == "980"


def test_closing_positions(alpaca: Alpaca) -> None:
    alpaca.control(
        account={
            "positions": {
                "ACME": {"qty": "10", "avg_entry_price": "90"},
                "SPLT": {"qty": "4", "avg_entry_price": "390"},
            }
        }
    )
    alpaca.control(now=OPEN)
    order = alpaca.trading.close_position("ACME", ClosePositionRequest(qty="4"))
    assert (order.side, order.qty, order.type) == ("sell", "4", "market")
    alpaca.trading.close_position("ACME", ClosePositionRequest(percentage="50"))
    assert alpaca.trading.get_open_position("ACME").qty == "3"
    answers = alpaca.trading.close_all_positions(cancel_orders=True)
    assert [(a.symbol, a.status) for a in answers] == [("ACME", 200), ("SPLT", 200)]
    assert alpaca.trading.get_all_positions() == []


def test_fills_are_listed_page_by_page(alpaca: Alpaca) -> None:
    alpaca.fault("partial_fill", fractions=["0.3", "0.2"])
    alpaca.placed(qty="10")
    alpaca.placed("SPLT", qty="2")
    alpaca.control(now=OPEN)

    def page(**query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = alpaca.call(
            "GET", "/account/activities/FILL", params=query
        ).json()
        return found

    fills = page(direction="asc")
    told = [(f["type"], f["qty"], f["cum_qty"], f["leaves_qty"]) for f in fills]
    assert told == [
        ("partial_fill", "3", "3", "7"),
        ("partial_fill", "2", "5", "5"),
        ("fill", "5", "10", "0"),
        ("fill", "2", "2", "0"),
    ]
    assert page() == fills[::-1]
    assert sorted(fills, key=lambda fill: str(fill["id"])) == fills
    first = page(direction="asc", page_size=3)
    assert first == fills[:3]
    assert page(direction="asc", page_size=3, page_token=first[-1]["id"]) == fills[3:]
    assert page(page_size=3, page_token=fills[1]["id"]) == fills[:1]
    assert page(after=fills[1]["transaction_time"], direction="asc") == fills[2:]
    mixed = alpaca.call("GET", "/account/activities", params={"activity_types": "FILL,DIV"})
    assert mixed.json() == fills[::-1]
    assert alpaca.call("GET", "/account/activities/DIV").json() == []
    assert alpaca.call("GET", "/account/activities/FILL?page_size=101").status_code == 422


def test_cash_in_the_book_is_the_sum_of_its_fills(alpaca: Alpaca) -> None:
    alpaca.placed(qty="12.345")
    alpaca.placed("SPLT", notional="777.77")
    alpaca.control(now=CLOSED)
    alpaca.placed(side="sell", qty="3.3")
    alpaca.control(now="2020-08-26T20:05:00+00:00")
    book = alpaca.book()
    changes = sum(Decimal(fill["cash_change"]) for fill in book["fills"])
    assert Decimal(book["account"]["cash"]) == Decimal(100_000) + changes
    assert len(book["fills"]) == 3


def test_assets(alpaca: Alpaca) -> None:
    asset = alpaca.trading.get_asset("ACME")
    assert (asset.symbol, asset.tradable, asset.fractionable) == ("ACME", True, True)
    assert alpaca.trading.get_asset(str(asset.id)).name == "ACME Incorporated"
    assert not alpaca.trading.get_asset("NOPRICE").tradable
    assert not alpaca.trading.get_asset("LATE").tradable
    assert len(alpaca.trading.get_all_assets(GetAssetsRequest(status="active"))) == 7
    assert alpaca.trading.get_all_assets(GetAssetsRequest(status="inactive")) == []


def test_a_symbol_without_prices_for_long_is_no_longer_tradable(alpaca: Alpaca) -> None:
    alpaca.control(now="2020-08-27T11:00:00+00:00")
    assert alpaca.trading.get_asset("HOLE").tradable
    alpaca.control(now="2020-09-03T11:00:00+00:00")
    assert not alpaca.trading.get_asset("HOLE").tradable
    assert alpaca.trading.get_asset("PNNY").tradable


def test_the_clock_stands_at_the_simulated_instant(alpaca: Alpaca) -> None:
    assert alpaca.call("GET", "/clock").json() == {
        "timestamp": "2020-08-25T07:00:00.000000000-04:00",
        "is_open": False,
        "next_open": "2020-08-25T09:30:00-04:00",
        "next_close": "2020-08-25T16:00:00-04:00",
    }
    alpaca.control(now=OPEN)
    clock = alpaca.trading.get_clock()
    assert clock.is_open
    assert clock.next_open.isoformat() == "2020-08-26T09:30:00-04:00"
    assert clock.next_close.isoformat() == "2020-08-25T16:00:00-04:00"
    alpaca.control(now="2020-08-29T12:00:00Z")
    assert alpaca.trading.get_clock().next_open.isoformat() == "2020-08-31T09:30:00-04:00"


def test_the_clock_moves_forward_only(alpaca: Alpaca) -> None:
    alpaca.control(now=OPEN)
    back = {"now": "2020-08-25T13:30:00+00:00"}
    answer = requests.post(f"{alpaca.url}/control", json=back, timeout=TIMEOUT_S)
    assert answer.status_code == 409
    clock = requests.get(f"{alpaca.url}/control/clock", timeout=TIMEOUT_S).json()
    assert clock == {"now": OPEN}


def test_the_calendar_knows_half_days(alpaca: Alpaca) -> None:
    days = alpaca.trading.get_calendar(
        GetCalendarRequest(start=date(2020, 11, 26), end=date(2020, 11, 30))
    )
    assert [(d.date.isoformat(), f"{d.close:%H:%M}") for d in days] == [
        ("2020-11-27", "13:00"),
        ("2020-11-30", "16:00"),
    ]


def test_portfolio_history_follows_the_closes(alpaca: Alpaca) -> None:
    alpaca.placed(qty="10")
    alpaca.control(now="2020-08-26T20:05:00+00:00")
    assert alpaca.trading.get_portfolio_history().equity == [100_010.0, 99_980.0]


def test_the_account_is_set_before_the_first_order_only(alpaca: Alpaca) -> None:
    alpaca.placed()
    body = {"account": {"cash": "5"}}
    answer = requests.post(f"{alpaca.url}/control", json=body, timeout=TIMEOUT_S)
    assert answer.status_code == 409


def test_control_names_what_it_does_not_understand(alpaca: Alpaca) -> None:
    for body, named in (
        ({"fault": {"kind": "flood"}}, "fault"),
        ({"fault": {"kind": "status", "status": 9}}, "fault.status.status"),
        ({"now": "2020-08-25T13:31:00"}, "now"),
        ({"nwo": "x"}, "nwo"),
    ):
        answer = requests.post(f"{alpaca.url}/control", json=body, timeout=TIMEOUT_S)
        assert answer.status_code == 422
        assert answer.json()["message"].startswith(named)
