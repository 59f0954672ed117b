"""How far back the executor looks: where a start begins to read, and what the book may forget.

Whatever is unfinished stands at or after the group's committed offsets. Of what is over, only so much counts as the
daily limits, the order rate, the duplicate window and the comparison with the broker look back on.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from confluent_kafka import Consumer, KafkaException, TopicPartition

from services.executor.settings import RATE_WINDOW_S_MAX, ExecutorSettings
from services.executor.state.book import Book
from tradetrail.errors import Fatal
from tradetrail.log.kafka import REQUEST_TIMEOUT_S, translate
from tradetrail.log.reader import Place, places_of
from tradetrail.log.window_start import starts_since
from tradetrail.sessions import new_york, new_york_date
from tradetrail.settings import SharedSettings

# The services' clocks differ, so events stand in the log not quite in the order of their times.
CLOCK_MARGIN = timedelta(hours=1)


class LookBack:
    """The border behind which what is over doesn't count any more, for one activation."""

    def __init__(self, limits: ExecutorSettings) -> None:
        """Look back as far as ``limits`` ask for."""
        self._reach = max(
            timedelta(seconds=limits.duplicate_window_s),
            timedelta(hours=limits.reconcile_look_back_h),
            timedelta(seconds=RATE_WINDOW_S_MAX),
        )
        self._forgot_on: object = None

    def border(self, now: datetime) -> datetime:
        """Return the instant, UTC, since which everything counts."""
        midnight = new_york(new_york_date(now), time(0))
        return min(midnight, now - self._reach) - CLOCK_MARGIN

    def begin(
        self, settings: SharedSettings, group: Consumer, topics: Iterable[str], now: datetime
    ) -> dict[Place, int]:
        """Return where to begin reading each partition of ``topics``; from 0 where ``group`` has committed nothing.

        Raises Retryable while the broker is away.
        """
        committed = _committed(group, places_of(settings, topics))
        known = {place: offset for place, offset in committed.items() if offset > 0}
        found = starts_since(settings, known, self.border(now)) if known else {}
        return {place: found.get(place, 0) for place in committed}

    def forget(self, book: Book, now: datetime) -> None:
        """Let ``book`` forget what is behind the border, once a day of New York."""
        today = new_york_date(now)
        if today != self._forgot_on:
            book.forget(self.border(now))
            self._forgot_on = today


def demand_whole(book: Book, group: str) -> None:
    """Raise Fatal when a fold to the end of the log left an open order without its decision."""
    strays = book.strays()
    if strays:
        ids = ", ".join(each.execution_id for each in strays[:5])
        raise Fatal(
            f"the log has {len(strays)} open orders ({ids}) whose decisions stand before the committed offsets of "
            f"group {group}: someone moved them. Delete the group's offsets (kafka-consumer-groups --delete-offsets), "
            "and the next start reads the log from its beginning"
        )


def _committed(group: Consumer, places: Iterable[Place]) -> dict[Place, int]:
    wanted = [TopicPartition(topic, partition) for topic, partition in places]
    try:
        found = group.committed(wanted, timeout=REQUEST_TIMEOUT_S)
        if failed := [each for each in found if each.error is not None]:
            raise KafkaException(failed[0].error)
    except KafkaException as error:
        raise translate(error, "asking for the executors' committed offsets") from error
    return {(each.topic, each.partition): max(0, each.offset) for each in found}
