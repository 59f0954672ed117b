"""The Trading API under /v2, its part that only tells: account, activities, assets, clock and calendar."""

from __future__ import annotations

from datetime import date, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.alpaca import listing, refusals, wire
from simulators.alpaca.answers import answer, json_object
from simulators.alpaca.broker import Broker
from simulators.alpaca.instants import eastern, to_datetime, to_ns
from simulators.alpaca.routing import Endpoint, routes
from tradetrail import sessions

# Source: SEC rule 15c6-1: the day after the trade from this day on, two days after before it.
NEXT_DAY_SETTLEMENT_FROM = date(2024, 5, 28)


class AccountApi:
    """The endpoints, over one broker."""

    def __init__(self, broker: Broker) -> None:
        """Serve ``broker``."""
        self._broker = broker

    def routes(self) -> list[Route]:
        """Return the routes."""
        table: list[tuple[str, str, Endpoint]] = [
            ("GET", "/account", self.get_account),
            ("GET", "/account/configurations", self.get_configuration),
            ("PATCH", "/account/configurations", self.patch_configuration),
            ("GET", "/account/activities", self.get_activities),
            ("GET", "/account/activities/{activity_type}", self.get_activities),
            ("GET", "/account/portfolio/history", self.get_portfolio_history),
            ("GET", "/assets", self.get_assets),
            ("GET", "/assets/{symbol_or_id}", self.get_asset),
            ("GET", "/clock", self.get_clock),
            ("GET", "/calendar", self.get_calendar),
        ]
        return routes("/v2", table)

    async def get_account(self) -> Response:
        """Tell the account."""
        broker = self._broker
        return answer(
            wire.account_json(broker.book, broker.rules, broker.market, broker.created_ns)
        )

    async def get_configuration(self) -> Response:
        """Tell the account's settings."""
        rules = self._broker.rules
        return answer(
            {
                "fractional_trading": True,
                "max_margin_multiplier": str(self._broker.book.multiplier),
                "no_shorting": not rules.shorting_enabled,
                "suspend_trade": rules.trade_suspended_by_user,
                "trade_confirm_email": "none",
                "ptp_no_exception_entry": False,
                "max_options_trading_level": None,
            }
        )

    async def patch_configuration(self, request: Request) -> Response:
        """Suspend or resume trading by the user's wish, or forbid shorting."""
        body = json_object(await request.body())
        if "suspend_trade" in body:
            self._broker.rules.trade_suspended_by_user = body["suspend_trade"] is True
        if "no_shorting" in body:
            is_allowed = body["no_shorting"] is not True and self._broker.book.multiplier > 1
            self._broker.rules.shorting_enabled = is_allowed
        return await self.get_configuration()

    async def get_activities(self, request: Request, activity_type: str = "") -> Response:
        """List fills; other kinds of activity do not happen here."""
        wanted = activity_type or request.query_params.get("activity_types", "")
        if wanted and "FILL" not in wanted.split(","):
            return answer([])
        fills = listing.list_fills(self._broker.book, request.query_params)
        return answer([wire.activity_json(fill) for fill in fills])

    async def get_portfolio_history(self) -> Response:
        """Tell the equity at each close so far (one month by day, whatever is asked for)."""
        closes = sorted(self._broker.book.equity_by_session.items())[-31:]
        base = closes[0][1] if closes else self._broker.book.starting_cash
        gains = [value - base for _, value in closes]
        return answer(
            {
                "timestamp": [to_ns(sessions.session_close(d)) // 1_000_000_000 for d, _ in closes],
                "equity": [float(value) for _, value in closes],
                "profit_loss": [float(gain) for gain in gains],
                "profit_loss_pct": [float(gain / base) if base else 0.0 for gain in gains],
                "base_value": float(base),
                "timeframe": "1D",
            }
        )

    async def get_assets(self, request: Request) -> Response:
        """List assets."""
        query = request.query_params
        if query.get("asset_class", "us_equity") not in ("us_equity", ""):
            return answer([])
        found = (
            wire.asset_json(asset, self._broker.rules, self._broker.market)
            for asset in self._broker.market.assets()
        )
        return answer(
            [
                asset
                for asset in found
                if query.get("status", "") in ("", "all", asset["status"])
                and query.get("exchange", "") in ("", asset["exchange"])
                and not query.get("attributes")
            ]
        )

    async def get_asset(self, symbol_or_id: str) -> Response:
        """Tell one asset."""
        asset = self._broker.market.asset(symbol_or_id)
        if asset is None:
            raise refusals.missing(f"asset not found for {symbol_or_id}")
        return answer(wire.asset_json(asset, self._broker.rules, self._broker.market))

    async def get_clock(self) -> Response:
        """Tell the simulated time and the next open and close."""
        market, now_ns = self._broker.market, self._broker.now_ns
        today = sessions.new_york_date(to_datetime(now_ns))
        upcoming = sessions.session_on_or_after(today)
        if to_ns(sessions.session_close(upcoming)) <= now_ns:
            upcoming = sessions.next_session(upcoming)
        is_open = market.open_session is not None
        opening = sessions.next_session(upcoming) if is_open else upcoming
        return answer(
            {
                "timestamp": eastern(now_ns),
                "is_open": is_open,
                "next_open": eastern(to_ns(sessions.session_open(opening)), fraction=False),
                "next_close": eastern(to_ns(sessions.session_close(upcoming)), fraction=False),
            }
        )

    async def get_calendar(self, start: str = "", end: str = "") -> Response:
        """List sessions; without bounds, all that the calendar knows."""
        try:
            first = date.fromisoformat(start[:10]) if start else sessions.first_session()
            last = date.fromisoformat(end[:10]) if end else sessions.last_session()
        except ValueError as error:
            raise refusals.invalid("start and end must be dates") from error
        return answer([_calendar_day(day) for day in sessions.sessions(first, last)])


def _calendar_day(day: date) -> dict[str, str]:
    opens = sessions.session_open(day).astimezone(sessions.NEW_YORK)
    closes = sessions.session_close(day).astimezone(sessions.NEW_YORK)
    settlement = day
    try:
        for _ in range(1 if day >= NEXT_DAY_SETTLEMENT_FROM else 2):
            settlement = sessions.next_session(settlement)
    except ValueError:  # past the calendar's end: the nearest weekday is as good a guess as any
        settlement += timedelta(days=1)
    return {
        "date": day.isoformat(),
        "open": f"{opens:%H:%M}",
        "close": f"{closes:%H:%M}",
        "session_open": "0400",
        "session_close": "2000",
        "settlement_date": settlement.isoformat(),
    }
