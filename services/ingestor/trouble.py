"""What ends a run: one exception with a code, for vendors' trouble and for ours."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from tradetrail.errors import TradetrailError
from tradetrail.redaction import hidden


class ErrorCode(StrEnum):
    """Why a run failed; docs/ingestor.md says what to do about each."""

    ABANDONED = "abandoned"
    """A crash or a kill cut the run off; the next start closed it."""
    VENDOR_UNREACHABLE = "vendor_unreachable"
    """No connection, or it broke before an answer began."""
    VENDOR_TIMEOUT = "vendor_timeout"
    """The answer did not come, or not to its end, in time."""
    ANSWER_CUT_OFF = "answer_cut_off"
    """The answer ended in the middle, or its compression is broken."""
    ANSWER_TOO_LARGE = "answer_too_large"
    """The answer is larger than the configured limit."""
    UNAUTHORIZED = "unauthorized"
    """401: the key is missing or wrong."""
    FORBIDDEN = "forbidden"
    """403: the plan lacks the data set, or is not active."""
    NOT_FOUND = "not_found"
    """404: the address is wrong, or the vendor moved it."""
    REDIRECTED = "redirected"
    """A redirect to another server, where our key is not sent, or in a circle."""
    RATE_LIMITED = "rate_limited"
    """429, with a longer wait than is waited for; or our own count says so, and nothing was asked."""
    VENDOR_ERROR = "vendor_error"
    """5xx: the vendor has trouble."""
    UNEXPECTED_STATUS = "unexpected_status"
    """Any other status than 200."""
    EMPTY_ANSWER = "empty_answer"
    """200 without a body, or without the rows that must be there."""
    NOT_JSON = "not_json"
    """200 with something else than JSON, such as an HTML page, or with JSON that is broken."""
    NOT_CSV = "not_csv"
    """200 with something else than the CSV file that is expected, such as an HTML page."""
    UNEXPECTED_SHAPE = "unexpected_shape"
    """JSON of another shape than documented, an object in place of a list, or deeply nested; CSV without a column."""
    MALFORMED_ROW = "malformed_row"
    """A row that is no object, or an object that names a field twice; a CSV line that does not fit its header."""
    PAGE_REPEATS = "page_repeats"
    """A page equal to the one before it: reading on would count rows twice."""
    TOO_MANY_PAGES = "too_many_pages"
    """More pages than the configured limit."""
    RUN_TOO_LARGE = "run_too_large"
    """More records than one transaction tells of; ask for a shorter window."""
    LOG_UNAVAILABLE = "log_unavailable"
    """Kafka or the schema registry failed during the run."""
    STOPPED = "stopped"
    """The process was asked to stop."""
    INTERNAL = "internal"
    """A defect of ours."""


class RunTrouble(TradetrailError):
    """Ends a run as failed; never retried by itself."""

    def __init__(self, code: ErrorCode, message: str, **details: Any) -> None:
        """Keep the code and facts beside the message, in which secrets are hidden: people read it in many places."""
        super().__init__(hidden(message))
        self.code = code
        self.details = details
