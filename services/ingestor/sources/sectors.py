"""Company sectors from a CSV file that a desk gives by its address: no vendor of ours tells them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from services.ingestor.rows.sectors import MalformedRow, SectorTable, read_rows, read_sectors
from services.ingestor.settings import IngestorSettings, SectorsSettings
from services.ingestor.sources.answers import quote, refusal
from services.ingestor.sources.http import Exchange, HttpEdge
from services.ingestor.sources.pace import Pace
from services.ingestor.sources.quiver import limits
from services.ingestor.sources.vendor import CallLog, Vendor
from services.ingestor.trouble import ErrorCode, RunTrouble
from tradetrail.events.generated import CallPurpose

# How a page and JSON begin, and no header.
_MARKUP = (b"<", b"{", b"[")


class SectorSource:
    """The file."""

    def __init__(self, own: IngestorSettings, settings: SectorsSettings) -> None:
        """Read the file at the configured address, which must be set."""
        address = urlsplit(settings.url)
        self._path = address.path or "/"
        self._query = dict(parse_qsl(address.query, keep_blank_values=True))
        self._vendor = Vendor(
            HttpEdge(f"{address.scheme}://{address.netloc}", None, limits(own), accept="text/csv"),
            "sectors",
            CallPurpose.REFERENCE,
            Pace((), own.pace_wait_s_max, own.retry_after_s_max),
            read=rows_of,
        )

    @property
    def waiting(self) -> str | None:
        """Return what is being waited for before the file is asked for again; None when nothing is."""
        return self._vendor.waiting

    def fetch(self, calls: CallLog) -> tuple[str, SectorTable]:
        """Return the call and what the file tells. Raises RunTrouble for one that tells of no sector at all."""
        answer = self._vendor.ask(calls, self._path, self._query)
        table = read_sectors(answer.content)
        if not table.sectors:
            raise RunTrouble(
                ErrorCode.EMPTY_ANSWER,
                f"{self._path}: none of {table.rows} rows has a symbol and a sector; look at the file",
                call_id=answer.call_id,
            )
        return answer.call_id, table


def rows_of(base_url: str, exchange: Exchange) -> tuple[Any, RunTrouble | None]:
    """Return the rows of a CSV answer, or the trouble that there are none."""
    if trouble := refusal(base_url, exchange):
        return None, trouble
    body = exchange.body or b""
    if body.lstrip()[:1] in _MARKUP:
        return None, _trouble(ErrorCode.NOT_CSV, base_url, exchange, "a page or JSON", body)
    try:
        text = body.decode("utf-8-sig")
        # The last line's end is the only sign that the file came whole.
        if not text.endswith(("\n", "\r")):
            return None, _trouble(
                ErrorCode.ANSWER_CUT_OFF,
                base_url,
                exchange,
                "a last line without its end",
                body[-80:],
            )
        return read_rows(text), None
    except UnicodeDecodeError as error:
        code, what = ErrorCode.NOT_CSV, f"bytes that are no UTF-8 ({error.reason})"
    except MalformedRow as error:
        code, what = ErrorCode.MALFORMED_ROW, str(error)
    except ValueError as error:
        code, what = ErrorCode.UNEXPECTED_SHAPE, f"no CSV of sectors: {error}"
    return None, _trouble(code, base_url, exchange, what, body)


def _trouble(
    code: ErrorCode, base_url: str, exchange: Exchange, what: str, quoted: bytes
) -> RunTrouble:
    message = f"{base_url}{exchange.path} answered 200 with {what}: {quote(quoted)}"
    return RunTrouble(code, message, endpoint=exchange.path, status_code=exchange.status_code)
