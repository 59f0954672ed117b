"""One auditor that nothing disturbs, in this process: it writes a log that was read before into a schema of its own.

It joins no group and publishes nothing, so the log stays as it is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from services.auditor.entry import Entry
from services.auditor.progress import Progress
from services.auditor.reading.decoder import Decoder
from services.auditor.reading.quarantine import Quarantine
from services.auditor.reading.source import Source
from services.auditor.service import Auditor
from services.auditor.settings import AuditorSettings
from services.auditor.writing.store import Store
from tests.faults.auditor_log import RawLog
from tests.faults.plain_log import Place
from tradetrail.log.codec import Codec
from tradetrail.log.reader import Received
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Nothing disturbs it: what it tries again for longer than this it tries for ever.
_PATIENCE_S = 300.0


class _Told:
    """What an auditor needs of its source: the whole log as one batch."""

    def __init__(self, log: RawLog) -> None:
        """Begin at the beginning."""
        self._log = log
        self._deadline = time.monotonic() + _PATIENCE_S
        self.positions: dict[Place, int] = dict.fromkeys(log.ends, 0)

    def poll(self, *_: object) -> tuple[list[Received], dict[Place, int]]:
        """Return everything."""
        events = [
            Received(r.topic, r.partition, r.offset, r.key, r.value, _instant(r.millis))
            for found in self._log.messages.values()
            for r in found
        ]
        return events, dict(self._log.ends)

    def holds(self, place: Place) -> bool:
        """Tell whether it is one of ours: all are."""
        return True

    def advance(self, ends: dict[Place, int]) -> None:
        """Note how far it is."""
        self.positions.update(ends)

    def keep_alive(self) -> None:
        """Do nothing; called while a step is tried again. Raises TimeoutError when that takes too long."""
        if time.monotonic() > self._deadline:
            raise TimeoutError("an undisturbed auditor tries the same again and again")

    pause = resume = reposition = keep_alive


class _Silent:
    """Publishes no dead letter."""

    def publish(self, entries: Iterable[Entry]) -> None:
        """Do nothing."""
        for _ in entries:
            pass


def write_unbroken(log: RawLog, settings: SharedSettings, dsn: str, schema: str) -> None:
    """Let an undisturbed auditor write ``log`` into ``schema``, which has been made."""
    store = Store(dsn, schema, "tradetrail_writer")
    source = _Told(log)
    compacted = frozenset(s.name for s in Topics.of(settings).specs() if s.compacted)
    store.positions(source.positions)
    auditor = Auditor(
        AuditorSettings(),
        Decoder(Codec(settings.registry_url), compacted),
        cast(Source, source),
        store,
        cast(Quarantine, cast(Any, _Silent())),
        Progress(),
        threading.Event(),
    )
    try:
        auditor.step()
        # A full batch is written while the next is taken: there is none.
        auditor.step()
    finally:
        store.close()
    if source.positions != log.ends:
        raise RuntimeError("the undisturbed auditor did not come to the end of the log")


def _instant(millis: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=millis)
