"""Logs, health and metrics of a process, the same for every service.

Secrets never leave here: values of secret-looking keys are starred, at any depth, and so is every secret that this
process was given, wherever it stands in a line, a report or a metric.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Callable, MutableMapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from tradetrail.errors import UsageError
from tradetrail.redaction import STARS, hidden, hidden_body
from tradetrail.settings import SharedSettings

_SECRET_KEY = re.compile(
    r"(token|secret|password|passwd|authorization|api[-_]?key|key[-_]id|dsn)", re.I
)

log = structlog.get_logger(__name__)

HealthReport = Callable[[], tuple[bool, dict[str, Any]]]
"""Returns whether the service is ready, and what /health says."""


def redact(value: Any) -> Any:
    """Return ``value`` with stars under secret-looking keys, for known secrets, and for the user part of any URL."""
    if isinstance(value, dict):
        return {k: STARS if _SECRET_KEY.search(str(k)) else redact(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [redact(item) for item in value]
    if isinstance(value, BaseException):
        value = repr(value)
    return hidden(value) if isinstance(value, str) else value


def _redact_event(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key, value in event.items():
        event[key] = STARS if _SECRET_KEY.search(key) else redact(value)
    return event


def _hide_line(_logger: Any, _method: str, line: Any) -> str:
    return hidden(str(line))


def configure_logging(settings: SharedSettings) -> None:
    """Send structured logs to stderr: JSON for machines, or lines for people."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact_event,
            renderer,
            # Last, over the whole line: what a renderer spells out itself is covered too.
            _hide_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            getattr(logging, settings.log_level.upper())
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # What libraries log, and what ends a thread, would go to stderr as it is.
    logging.lastResort = _LibraryLog(logging.WARNING)
    threading.excepthook = _thread_ended


class _LibraryLog(logging.Handler):
    """Passes warnings of libraries on to our log."""

    def emit(self, record: logging.LogRecord) -> None:
        say = log.error if record.levelno >= logging.ERROR else log.warning
        try:
            said = record.getMessage()
        except (TypeError, ValueError):
            # A library's line whose arguments don't fit it; the words alone then.
            said = str(record.msg)
        problem = record.exc_info if record.exc_info and record.exc_info[0] else None
        say(said, logger=record.name, exc_info=problem)


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is SystemExit:
        return
    name = ended.thread.name if ended.thread else None
    log.error("a thread ended on an error", thread=name, exc_info=ended.exc_value)


class _HealthListener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.warning("a health request could not be answered", exc_info=True)


class HealthServer:
    """Serves /health (200 ready, 503 not) and /metrics on a thread of its own."""

    def __init__(self, host: str, port: int, report: HealthReport) -> None:
        """Bind at once, so that a taken port fails the start; port 0 picks a free one."""
        try:
            self._server = _HealthListener((host, port), _handler(report))
        except OSError as error:
            raise UsageError(
                f"can't listen on {host}:{port} ({error.strerror}); set TRADETRAIL_HTTP_PORT to a free port"
            ) from error
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, daemon=True, name="health"
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._server.server_close()


def _handler(report: HealthReport) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/health":
                ready, content = report()
                self._answer(
                    200 if ready else 503, "application/json", json.dumps(content).encode()
                )
            elif self.path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
            else:
                self._answer(404, "text/plain", b"only /health and /metrics here\n")

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            body, _ = hidden_body(body)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing per request: probes come every second."""

    return Handler
