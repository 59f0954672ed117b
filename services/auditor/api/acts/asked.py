"""What people can ask for over HTTP: the same words, under the same rules, as on the command line."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from tradetrail.acts import halts, order_acts, ordering
from tradetrail.manual_orders import KEY_LENGTH_MAX, WHY_LENGTH_MAX, Submission
from tradetrail.operator_acts import (
    NAME_LENGTH_MAX,
    Asked,
    Fate,
    read_scope,
    replacement,
    resolution,
)
from tradetrail.person import Told, refused

_SYMBOL_LENGTH_MAX = 64


def _exact(number: Any) -> Any:
    if isinstance(number, str | int) and not isinstance(number, bool):
        return number
    raise ValueError('give what has decimals as text, such as "185.20", so that no digit is lost')


Number = Annotated[
    StrictStr | StrictInt,
    BeforeValidator(_exact),
    Field(description="As text, so that no digit is lost; a whole number may be a number."),
]


def _text(number: str | int | None) -> str | None:
    return None if number is None else str(number)


class ActRequest(BaseModel):
    """What every act has. An unknown word is refused: what was meant by it would not be done."""

    model_config = ConfigDict(extra="forbid")

    why: str = Field(
        max_length=WHY_LENGTH_MAX,
        description="The reason, in a line; recorded.",
        examples=["prices look wrong"],
    )
    key: str | None = Field(
        default=None,
        max_length=KEY_LENGTH_MAX,
        description="The key under which it counts once, where the header Idempotency-Key does not tell it.",
    )


class ResumeRequest(ActRequest):
    """Which halt ends."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"scope": "symbol:AAPL", "why": "prices are right again"}]}
    )

    scope: str = Field(
        max_length=2 * NAME_LENGTH_MAX,
        description="`everything`, `symbol:AAPL` or `strategy:NAME`. Resuming everything lifts every halt.",
        examples=["everything", "symbol:AAPL"],
    )

    def asked(self, told: Told) -> Asked:
        """Return the act. Raises UsageError with what is wrong with it."""
        return halts.resume(self.checked_scope(), told)

    def checked_scope(self) -> str:
        """Return the scope. Raises UsageError for what is none."""
        with refused():
            return read_scope(self.scope)


class HaltRequest(ResumeRequest):
    """What is halted."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"scope": "everything", "why": "prices look wrong"}]}
    )

    cancel_open: StrictBool = Field(
        default=False, description="Have the broker asked to cancel open orders of the scope, too."
    )

    def asked(self, told: Told) -> Asked:
        """Return the act. Raises UsageError with what is wrong with it."""
        return halts.halt(self.checked_scope(), told, cancel_open=self.cancel_open)


class OrderRequest(ActRequest):
    """A person's buy or sell."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"side": "buy", "symbol": "AAPL", "quantity": "10", "why": "index change"},
                {
                    "side": "sell",
                    "symbol": "AAPL",
                    "quantity": "10",
                    "limit_price": "190.00",
                    "time_in_force": "gtc",
                    "why": "target reached",
                },
            ]
        }
    )

    side: Literal["buy", "sell"] = Field(description="A sell is of what is held, never more.")
    symbol: str = Field(
        max_length=_SYMBOL_LENGTH_MAX, description="Such as AAPL or BRK.B.", examples=["AAPL"]
    )
    quantity: Number = Field(
        description="Shares; a fraction has at most nine decimals.", examples=["10"]
    )
    limit_price: Number | None = Field(
        default=None,
        description="USD a share, in the broker's steps; without it, at market.",
        examples=["185.20"],
    )
    time_in_force: Literal["day", "gtc"] = Field(
        default="day", description="For the day, or until cancelled."
    )

    def asked(self, told: Told) -> Submission:
        """Return the order. Raises UsageError with what is wrong with it."""
        numbers = (str(self.quantity), _text(self.limit_price))
        return ordering.order(self.side, self.symbol, *numbers, self.time_in_force, told)


class CancelRequest(ActRequest):
    """Which symbol an order is about, where its id is not recorded yet."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"why": "earnings tonight"}]})

    symbol: str | None = Field(
        default=None,
        max_length=_SYMBOL_LENGTH_MAX,
        description="Its symbol; spares the search for what the id stands for.",
        examples=["AAPL"],
    )

    def asked(self, wanted: str, told: Told) -> Asked:
        """Return the act on the order ``wanted``. Raises UsageError with what is wrong with it."""
        return order_acts.cancel(wanted, told)


class ReplaceRequest(CancelRequest):
    """What an open order is to become."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"limit_price": "186.10", "why": "chase"}]}
    )

    quantity: Number | None = Field(
        default=None,
        description="Size of the new order, whole shares; without it, what the old one has left.",
        examples=["5"],
    )
    limit_price: Number | None = Field(
        default=None, description="USD a share, in the broker's steps.", examples=["186.10"]
    )

    def asked(self, wanted: str, told: Told) -> Asked:
        """Return the act on the order ``wanted``. Raises UsageError with what is wrong with it."""
        with refused():
            change = replacement(_text(self.quantity), _text(self.limit_price))
        return order_acts.replace_order(wanted, change, told)


class ResolveRequest(CancelRequest):
    """What became of an order that nobody knows the fate of."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"outcome": "not-sent", "why": "the broker has no such order, by phone"},
                {"outcome": "filled", "quantity": 10, "price": "101.25", "why": "statement"},
            ]
        }
    )

    outcome: Fate = Field(description="How it ended.")
    quantity: Number | None = Field(default=None, description="Shares filled in all.")
    price: Number | None = Field(
        default=None, description="Their average price, USD a share.", examples=["101.25"]
    )
    broker_order_id: str | None = Field(
        default=None, max_length=NAME_LENGTH_MAX, description="The broker's id of it."
    )

    def asked(self, wanted: str, told: Told) -> Asked:
        """Return the act on the order ``wanted``. Raises UsageError with what is wrong with it."""
        numbers = (_text(self.quantity), _text(self.price))
        with refused():
            settled = resolution(self.outcome, *numbers, self.broker_order_id)
        return order_acts.resolve(wanted, settled, told)
