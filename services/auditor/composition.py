"""Puts the auditor together: the one place that knows every part."""

from __future__ import annotations

import gc
import threading

from services.auditor import breakpoints
from services.auditor.api.acts.threads import ActThreads
from services.auditor.api.app import AuditApi
from services.auditor.api.entrance.identities import identities_of
from services.auditor.api.entrance.limits import Limits
from services.auditor.api.reports.answers import Answers
from services.auditor.api.reports.exports import Exports
from services.auditor.api.reports.reads import ReadLog, Reads
from services.auditor.api.server import Server
from services.auditor.api.settings import ApiSettings, check_exposure
from services.auditor.database.migrate import migrate
from services.auditor.progress import Progress
from services.auditor.reading.decoder import Decoder
from services.auditor.reading.quarantine import Quarantine
from services.auditor.reading.source import Source
from services.auditor.service import Auditor
from services.auditor.settings import AuditorSettings
from services.auditor.writing.store import Store
from tradetrail.acts.log import Log
from tradetrail.clock import open_clock
from tradetrail.errors import UsageError
from tradetrail.log.codec import Codec
from tradetrail.log.configuration import Stamp
from tradetrail.log.producer import EventProducer
from tradetrail.log.provision import begin
from tradetrail.log.straight import Form
from tradetrail.log.topics import Topics
from tradetrail.reports.connection import DatabaseSettings, ReaderPool, open_reader
from tradetrail.settings import SharedSettings, configuration, load

# Containers made and kept, before Python looks for cycles among them: several batches' worth.
_GARBAGE_EVERY = 1_000_000


def collect_seldom() -> None:
    """Let Python look for cycles seldom: batches are many objects without any, and looking took a sixth of the time."""
    gc.freeze()
    gc.set_threshold(_GARBAGE_EVERY, 20, 20)


def migrate_database(_shared: SharedSettings, _stop: threading.Event) -> None:
    """Bring the audit schema up to date."""
    database = load(DatabaseSettings)
    migrate(database.postgres_dsn.get_secret_value(), database.postgres_schema)


def run(shared: SharedSettings, stop: threading.Event) -> None:
    """Record the configuration, then audit and answer until asked to stop."""
    settings, database = load(AuditorSettings), load(DatabaseSettings)
    access = load(ApiSettings)
    check_exposure(access, shared.http_host)
    identities = identities_of(access)
    try:
        breakpoints.arm(settings.die_at)
    except ValueError as error:
        raise UsageError(f"TRADETRAIL_AUDITOR_DIE_AT: {error}") from error
    dsn, schema = database.postgres_dsn.get_secret_value(), database.postgres_schema
    topics, clock = Topics.of(shared), open_clock(shared.clock_url)
    codec, stamp = Codec(shared.registry_url), Stamp("auditor", shared.instance)
    producer = EventProducer(shared, codec)
    content = configuration(settings, database, access)
    begin(shared, codec, topics, stamp, clock, content)
    collect_seldom()
    progress = Progress()
    store = Store(dsn, schema, settings.writer_role)
    source = Source(shared, topics.all(), store.positions, progress)
    auditor = Auditor(
        settings,
        Decoder(
            Codec(shared.registry_url, Form.TEXTS),
            frozenset(spec.name for spec in topics.specs() if spec.compacted),
        ),
        source,
        store,
        Quarantine(producer, topics, stamp, clock),
        progress,
        stop,
    )
    readers = ReaderPool(dsn, schema, settings.reader_role, settings.reader_connections_max)
    limits = Limits(access.api_rate_per_s, access.api_burst)
    reads = Reads(ReadLog(producer, topics).publish, stamp, clock)
    exports = Exports(
        lambda: open_reader(dsn, schema, settings.reader_role), settings.exports_max, reads
    )
    answers = Answers(readers, exports, reads)
    acts = ActThreads(Log(shared, codec, topics, stamp))
    api = AuditApi(answers, progress, settings.ready_lag_age_s_max, identities, limits, acts)
    server = Server(api.app(), shared.http_host, shared.http_port, access.api_proxies)
    server.start(api.access)
    try:
        auditor.run()
    finally:
        acts.close()
        server.close()
        readers.close()
