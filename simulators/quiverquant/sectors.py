"""The file of company sectors that a desk would give: CSV, no key, the same on every day."""

from __future__ import annotations

import csv
import io

from fastapi import APIRouter, Response

from simulators.quiverquant.answers import NOT_FOUND_HTML, ROWS_HEADER, html_answer
from simulators.quiverquant.catalogue import Catalogue
from tradetrail.errors import UsageError

SECTORS_PATH = "/sectors.csv"
_HEADER = ("symbol", "name", "sector", "industry")


def sector_routes(catalogue: Catalogue) -> APIRouter:
    """Return the file over ``catalogue``; a company whose sector is not known has none in its row."""
    router = APIRouter()

    @router.get(SECTORS_PATH)
    async def sectors() -> Response:
        try:
            companies = catalogue.companies()
        except UsageError:
            # A folder of disclosures alone does as well: it has no such file.
            return html_answer(NOT_FOUND_HTML, 404)
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(_HEADER)
        rows.writerows((c.symbol, c.name, c.sector or "", c.industry or "") for c in companies)
        headers = {ROWS_HEADER: str(len(companies))}
        return Response(text.getvalue().encode(), headers=headers, media_type="text/csv")

    return router
