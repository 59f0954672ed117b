"""The control endpoint of the simulator; no key, never part of the vendor's API.

``GET /control/clock`` tells the simulated instant, ``GET /control`` the whole book. ``POST /control`` takes any of

- ``{"now": RFC3339}``: move the simulated instant, forward only (409 otherwise);
- ``{"fault": {"kind": …}}``: arm a fault (see ``faults``); ``{"clear_faults": true}`` disarms all, before arming;
- ``{"plan": "hobbyist"|"trader"}``, ``{"rate_limits": true|false}``;
- ``{"disclose": [V1 row, …]}``, ``{"amend": {"match": {…}, "set": {…}}}``, ``{"withdraw": {…}}``: the vendor adds rows,
  corrects those that have all fields of ``match``, or loses them, from this instant on.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from simulators.quiverquant.answers import Refusal
from simulators.quiverquant.catalogue import Catalogue
from simulators.quiverquant.edge import Account
from simulators.quiverquant.faults import Fault
from tradetrail.errors import UsageError


class Amendment(BaseModel):
    """A correction: rows with all fields of ``match`` get those of ``set``."""

    model_config = ConfigDict(extra="forbid")
    match: dict[str, Any] = Field(min_length=1)
    set: dict[str, Any] = Field(min_length=1)


class Command(BaseModel):
    """A body of ``POST /control``; several acts in one are done in the order of these fields."""

    model_config = ConfigDict(extra="forbid")
    now: AwareDatetime | None = None
    clear_faults: bool = False
    fault: Fault | None = None
    plan: Literal["hobbyist", "trader"] | None = None
    rate_limits: bool | None = None
    disclose: list[dict[str, Any]] = []
    amend: Amendment | None = None
    withdraw: dict[str, Any] | None = Field(default=None, min_length=1)


def control_routes(catalogue: Catalogue, account: Account) -> APIRouter:
    """Return the control endpoints over what the simulator knows."""
    router = APIRouter(prefix="/control")

    @router.get("/clock")
    async def clock() -> dict[str, str]:
        return {"now": _told(catalogue.now)}

    @router.get("")
    async def book() -> dict[str, Any]:
        return _book(catalogue, account)

    @router.post("")
    async def command(body: Command) -> dict[str, Any]:
        changed = _obey(body, catalogue, account)
        return {
            "now": _told(catalogue.now),
            "faults": account.faults.told(),
            "rows_changed": changed,
        }

    return router


def _obey(command: Command, catalogue: Catalogue, account: Account) -> int:
    """Do what a command says; return how many rows it added, corrected or withdrew."""
    if command.now is not None:
        if command.now < catalogue.now:
            detail = f"the clock moves forward only: it is {_told(catalogue.now)} already"
            raise Refusal(409, detail)
        catalogue.stand_at(command.now.astimezone(UTC))
    if command.clear_faults:
        account.faults.clear()
    if command.fault is not None:
        account.faults.arm(command.fault)
    if command.plan is not None:
        account.plan = command.plan
    if command.rate_limits is not None:
        account.limits.is_on = command.rate_limits
    changed = len(command.disclose)
    try:
        catalogue.disclose(command.disclose)
    except UsageError as error:
        raise Refusal(422, str(error)) from error
    if command.amend is not None:
        changed += catalogue.amend(command.amend.match, command.amend.set)
    if command.withdraw is not None:
        changed += catalogue.withdraw(command.withdraw)
    return changed


def _book(catalogue: Catalogue, account: Account) -> dict[str, Any]:
    newest = catalogue.congress[0][1].reported_on.isoformat() if catalogue.congress else None
    return {
        "simulator": "quiverquant",
        "now": _told(catalogue.now),
        "plan": account.plan,
        "rate_limits": account.limits.told(),
        "faults": account.faults.told(),
        "visible": {
            "congress": dict(Counter(str(row.fields["House"]) for _, row in catalogue.congress)),
            "congress_rows": len(catalogue.congress),
            "congress_newest_report": newest,
            "insiders": len(catalogue.insiders),
            "committees_as_of": catalogue.snapshot().as_of.isoformat(),
        },
        "rows_over_all_time": catalogue.totals,
        "requests": account.told(),
    }


def _told(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()
