"""A vendor call as events: redacted request, compressed body, hash, chunks. The same for every service.

Bodies are kept byte for byte; what is secret in a request never reaches an event. A vendor that echoes a secret of ours
is the one exception: the secret is replaced by stars before the body is kept and hashed, and the event counts it.
"""

from __future__ import annotations

import gzip
import hashlib
from datetime import datetime
from typing import Any

from tradetrail.events.generated import ApiCallRecorded, BodyEncoding, CallPurpose, Cause
from tradetrail.exchange import Exchange
from tradetrail.ids import derive_id
from tradetrail.log.configuration import Stamp
from tradetrail.redaction import hidden, hidden_body
from tradetrail.settings import canonical_json
from tradetrail.telemetry import redact

# A chunk and the other fields stay well below the largest event.
CHUNK_BYTES_MAX = 512 << 10
# Below this the gzip header costs more than compression gains.
_COMPRESS_FROM_BYTES = 128


def call_events(
    stamp: Stamp,
    now: datetime,
    *,
    call_id: str,
    purpose: CallPurpose,
    vendor: str,
    method: str,
    endpoint: str,
    request: dict[str, Any],
    status_code: int | None,
    error: str | None,
    body: bytes | None,
    records_returned: int | None,
    rate_limit_remaining: int | None,
    duration_us: int,
    vendor_request_id: str | None,
    body_size_bytes: int | None = None,
    body_redactions: int = 0,
    run_id: str | None = None,
    decision_id: str | None = None,
    execution_id: str | None = None,
    symbol: str | None = None,
    cause: Cause | None = None,
) -> list[ApiCallRecorded]:
    """Return the events of one vendor call, one per chunk of its body, at least one.

    ``now`` is when it was sent (injected clock). ``request`` holds ``query``, ``headers`` and ``body`` as far as there
    are any; values under secret-looking keys are starred, at any depth. ``body`` is the answer as received, None when
    no answer came; an edge that has hidden secrets in it already says what size came and how often it hid one. Event
    ids are functions of ``call_id`` and the chunk.
    """
    size = len(body or b"") if body_size_bytes is None else body_size_bytes
    if body is not None:
        body, more = hidden_body(body)
        body_redactions += more
    encoding, encoded = _encode(body)
    chunks = _chunks(encoded)
    return [
        ApiCallRecorded(
            event_id=str(derive_id("api-call", call_id, index)),
            **stamp.envelope(now),
            cause=cause,
            symbol=symbol,
            story_id=decision_id or run_id,
            call_id=call_id,
            purpose=purpose,
            run_id=run_id,
            decision_id=decision_id,
            execution_id=execution_id,
            vendor=vendor,
            method=method.upper(),
            endpoint=hidden(endpoint.partition("?")[0]),
            request=canonical_json(redact(request)),
            requested_at=now,
            status_code=status_code,
            error=error and hidden(error),
            request_size_bytes=_size_bytes(request.get("body")),
            response_size_bytes=size,
            records_returned=records_returned,
            rate_limit_remaining=rate_limit_remaining,
            duration_us=duration_us,
            vendor_request_id=vendor_request_id and hidden(vendor_request_id),
            body=chunk,
            body_encoding=encoding,
            body_sha256=None if body is None else hashlib.sha256(body).hexdigest(),
            chunk_index=index,
            chunk_count=len(chunks),
            body_redactions=body_redactions,
        )
        for index, chunk in enumerate(chunks)
    ]


def exchange_events(
    stamp: Stamp,
    now: datetime,
    exchange: Exchange,
    *,
    call_id: str,
    purpose: CallPurpose,
    decision_id: str | None,
    symbol: str | None,
    cause: Cause | None,
    execution_id: str | None = None,
) -> list[ApiCallRecorded]:
    """Return the events of one exchange with Alpaca, as ``call_events`` does; its headers tell of the rate limit."""
    remaining = exchange.headers.get("x-ratelimit-remaining", "")
    return call_events(
        stamp,
        now,
        call_id=call_id,
        purpose=purpose,
        vendor="alpaca",
        method=exchange.method,
        endpoint=exchange.endpoint,
        request=exchange.request,
        status_code=exchange.status_code,
        error=exchange.error,
        body=exchange.body,
        records_returned=None,
        rate_limit_remaining=int(remaining) if remaining.isdigit() else None,
        duration_us=exchange.duration_us,
        vendor_request_id=exchange.headers.get("x-request-id"),
        decision_id=decision_id,
        execution_id=execution_id,
        symbol=symbol,
        cause=cause,
    )


def joined_body(chunks: list[ApiCallRecorded]) -> bytes | None:
    """Return the answer's body from all chunks of one call, in any order; None when there was no answer.

    Raises ValueError when a chunk is missing or the hash differs.
    """
    ordered = sorted(chunks, key=lambda chunk: chunk.chunk_index)
    first = ordered[0]
    if [chunk.chunk_index for chunk in ordered] != list(range(first.chunk_count)):
        raise ValueError(
            f"call {first.call_id}: not every one of {first.chunk_count} chunks is here"
        )
    if first.body_sha256 is None:
        return None
    encoded = b"".join(chunk.body or b"" for chunk in ordered)
    body = gzip.decompress(encoded) if first.body_encoding is BodyEncoding.GZIP else encoded
    if hashlib.sha256(body).hexdigest() != first.body_sha256:
        raise ValueError(f"call {first.call_id}: the body's hash differs from the recorded one")
    return body


def _encode(body: bytes | None) -> tuple[BodyEncoding, bytes | None]:
    if body is None or len(body) < _COMPRESS_FROM_BYTES:
        return BodyEncoding.IDENTITY, body
    # A fixed time in the header: the same body, the same bytes.
    return BodyEncoding.GZIP, gzip.compress(body, compresslevel=6, mtime=0)


def _chunks(encoded: bytes | None) -> list[bytes | None]:
    if not encoded:
        return [encoded]
    return [encoded[at : at + CHUNK_BYTES_MAX] for at in range(0, len(encoded), CHUNK_BYTES_MAX)]


def _size_bytes(body: Any) -> int:
    if body is None:
        return 0
    if isinstance(body, bytes):
        return len(body)
    return len((body if isinstance(body, str) else canonical_json(body)).encode())
