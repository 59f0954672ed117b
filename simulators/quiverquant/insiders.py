"""The insiders endpoint: Form 4 rows, page by page. There is no bulk or historical one; backfill goes by ``date``.

``date`` selects the day of the filing (``fileDate``), ``uploaded`` the day of the vendor's receipt.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from simulators.quiverquant.answers import rows_answer
from simulators.quiverquant.catalogue import Catalogue
from simulators.quiverquant.parameters import PAGE_SIZE_DEFAULT, day_of, flag_of, page_of, text_of

# What limit_codes keeps: open-market purchases and sales.
_MARKET_CODES = frozenset({"P", "S"})


def insider_routes(catalogue: Catalogue) -> APIRouter:
    """Return the insiders endpoint over ``catalogue``."""
    router = APIRouter(prefix="/beta")

    @router.get("/live/insiders")
    async def live(request: Request) -> Response:
        wanted = request.query_params
        filed_on, uploaded_on = day_of(wanted, "date"), day_of(wanted, "uploaded")
        ticker = (text_of(wanted, "ticker") or "").casefold()
        only_market = flag_of(wanted, "limit_codes")
        rows = [
            row.fields
            for row in catalogue.insiders
            if (filed_on is None or row.filed_on == filed_on)
            and (
                uploaded_on is None
                or str(row.fields.get("uploaded") or "").startswith(uploaded_on.isoformat())
            )
            and (not ticker or str(row.fields["Ticker"]).casefold() == ticker)
            and (not only_market or row.fields["TransactionCode"] in _MARKET_CODES)
        ]
        return rows_answer(rows[page_of(wanted) or slice(0, PAGE_SIZE_DEFAULT)])

    return router
