"""The auditor's API on a seeded database, without the log: the app and its server as the auditor runs them.

python -m benchmarks.reports_api PORT    (of ``TRADETRAIL_POSTGRES_DSN`` and ``TRADETRAIL_POSTGRES_SCHEMA``)
"""

from __future__ import annotations

import signal
import sys
import threading

from services.auditor.api.app import AuditApi
from services.auditor.api.entrance.limits import Limits
from services.auditor.api.reports.answers import Answers
from services.auditor.api.reports.exports import Exports
from services.auditor.api.reports.reads import Reads
from services.auditor.api.server import Server
from services.auditor.composition import collect_seldom
from services.auditor.progress import Progress
from services.auditor.settings import AuditorSettings
from tradetrail.clock import SystemClock
from tradetrail.errors import Fatal
from tradetrail.events.generated import QueryRecorded
from tradetrail.log.stamp import Stamp
from tradetrail.reports.connection import DatabaseSettings, ReaderPool, open_reader
from tradetrail.settings import SharedSettings, load
from tradetrail.telemetry import configure_logging


def main(port: int) -> None:
    """Answer until asked to stop."""
    configure_logging(SharedSettings(log_level="warning"))
    settings, database = load(AuditorSettings), load(DatabaseSettings)
    collect_seldom()
    dsn, schema = database.postgres_dsn.get_secret_value(), database.postgres_schema
    role = settings.reader_role
    readers = ReaderPool(dsn, schema, role, settings.reader_connections_max)
    # Everyone may read and nobody is compliance, so no read is recorded.
    reads = Reads(_refuse, Stamp("auditor", "bench"), SystemClock())
    exports = Exports(lambda: open_reader(dsn, schema, role), settings.exports_max, reads)
    answers = Answers(readers, exports, reads)
    # As often as one likes: what is measured is an answer, not the gate before it.
    api = AuditApi(answers, Progress(), settings.ready_lag_age_s_max, None, Limits(0, 1))
    server = Server(api.app(), "127.0.0.1", port)
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    server.start(api.access)
    stop.wait()
    server.close()
    readers.close()


def _refuse(_read: QueryRecorded) -> None:
    raise Fatal("a read was to be recorded, but there is no log here")


if __name__ == "__main__":
    main(int(sys.argv[1]))
