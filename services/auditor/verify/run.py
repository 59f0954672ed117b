"""One verification from its captured beginning to its end. Steps, in order:

1. ask Kafka how far the auditors said they are; 2. read the database's positions, and what stands past them, in one
snapshot; 3. ask the log where it begins and ends; 4. judge positions and schemas; 5. compare the events of each
partition up to its position; 6. compare the tables with what the log gives.

A live auditor may go on all the while: nothing past the captured positions is judged.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from services.auditor.refilling.servers import Servers
from services.auditor.verify.asked import Asked, Window
from services.auditor.verify.bounds import Judged, Span, chosen, judged
from services.auditor.verify.events import Comparison, Partition, Tally
from services.auditor.verify.findings import Code, Findings, at
from services.auditor.verify.logged import Extent, Logged
from services.auditor.verify.progress import Shown, showing
from services.auditor.verify.projection import Projection
from services.auditor.verify.report import Report, make_report
from services.auditor.verify.schemas import Schemas, check_schemas
from services.auditor.verify.scratch import opened
from services.auditor.verify.state import Progressed, StateFile
from services.auditor.verify.stored import Beginning, Stored
from services.auditor.verify.tables import TableTally
from tradetrail.errors import UsageError
from tradetrail.log.codec import Codec
from tradetrail.log.reader import Place, places_of
from tradetrail.log.topics import Topics
from tradetrail.reports.connection import open_reader
from tradetrail.settings import SharedSettings

# How often the state file is written while a partition is compared: what an interruption may cost again.
_KEEP_EVERY_EVENTS = 20_000


def verify(servers: Servers, asked: Asked, state_path: Path | None = None) -> Report:
    """Verify what was ``asked`` and return the report.

    Raises Retryable or Unreachable while a server is away, UsageError for what can't be asked. Interrupted, it leaves
    its progress in the file ``state_path``, and goes on from there the next time.
    """
    started = time.monotonic()
    topics = Topics.of(servers.shared)
    with _sides(servers) as (logged, stored):
        there = places_of(servers.shared, topics.all())
        hints = logged.hints(chosen(there, asked.window))
        beginning = stored.begin()
        names = sorted({*topics.all(), *(topic for topic, _ in beginning.positions)})
        extents = logged.extents(names)
        file = StateFile(state_path, _identity(servers.shared, logged, beginning, asked))
        resumed = file.read()
        run = _Run(servers, asked, logged, stored, beginning, extents, resumed, file)
        with showing() as shown:
            run.positions(hints)
            run.schemas()
            run.events(shown)
            if not asked.events_only:
                run.tables(shown)
    file.remove()
    return make_report(
        asked,
        beginning.identity,
        run.partitions,
        run.table_tallies,
        run.tables_skipped_because,
        run.schemas_checked,
        run.findings,
        resumed,
        time.monotonic() - started,
    )


class _Run:
    """The parts of a run and what they found."""

    def __init__(
        self,
        servers: Servers,
        asked: Asked,
        logged: Logged,
        stored: Stored,
        beginning: Beginning,
        extents: Mapping[Place, Extent],
        resumed: Progressed | None,
        file: StateFile,
    ) -> None:
        self._servers, self._asked = servers, asked
        self._logged, self._stored, self._file = logged, stored, file
        self._beginning, self._extents = beginning, extents
        # A copy: the report tells what was there before.
        self._progress = copy.deepcopy(resumed) or Progressed()
        self._codec = Codec(servers.shared.registry_url)
        topics = Topics.of(servers.shared)
        self._compacted = {spec.name for spec in topics.specs() if spec.compacted}
        self.findings = Findings(asked.findings_max)
        self.schemas_checked = Schemas()
        self.table_tallies: list[TableTally] = []
        self.tables_skipped_because: str | None = None
        places = {*extents, *beginning.positions, *beginning.beyond}
        wanted = chosen(places, asked.window)
        if not wanted:
            raise UsageError(f"neither log nor database has {asked.window.topic}; check the name")
        spans = _spans(asked.window, wanted, extents, logged, stored)
        good = self._progress.good_to
        self.partitions: list[tuple[Judged, Tally]] = [
            (judged(p, beginning.positions, extents, spans[p], good.get(p)), Tally())
            for p in wanted
        ]

    def positions(self, hints: Mapping[Place, int]) -> None:
        for partition, tally in self.partitions:
            place, position, end = partition.place, partition.position, partition.extent.end
            if position > end:
                self.findings.add(
                    at(
                        Code.POSITION_BEYOND_LOG,
                        place,
                        log=f"ends at {end}",
                        database=f"{position}",
                    )
                )
                tally.differences += 1
            if (hint := hints.get(place, 0)) > position:
                said = f"an auditor was at {hint}"
                self.findings.add(
                    at(Code.POSITION_SET_BACK, place, log=said, database=f"{position}")
                )

    def schemas(self) -> None:
        self.schemas_checked = check_schemas(
            self._codec, self._beginning.schemas, self.findings.add
        )

    def events(self, shown: Shown) -> None:
        comparison = Comparison(
            self._codec,
            self._beginning.schemas,
            self.findings.add,
            self._stored.was_refused,
            self._logged.low,
        )
        for partition, tally in self.partitions:
            self._partition(comparison, partition, tally, shown)

    def tables(self, shown: Shown) -> None:
        """Compare the tables with what the log gives."""
        if (why := self.schemas_checked.unverified_because) is not None:
            self.tables_skipped_because = why
            return
        judged = [partition for partition, _ in self.partitions]
        projection = Projection(self._servers.shared, self._servers.auditor, self._asked.window)
        with opened(self._servers.database) as scratch:
            self._progress.scratch = scratch.take(self._progress.scratch)
            self._file.write(self._progress)
            try:
                self.table_tallies = projection.verify(
                    scratch, judged, self._extents, self.findings, shown
                )
            except BaseException:
                if not self._file.keeps:
                    scratch.drop()
                raise
            scratch.drop()

    def _partition(
        self, comparison: Comparison, partition: Judged, tally: Tally, shown: Shown
    ) -> None:
        place = partition.place
        topic = Partition(place, partition.extent.low, place[0] in self._compacted)
        log = self._logged.read(place, partition.log_start, partition.log_end)
        rows = self._stored.read(place, partition.start, partition.end)
        counted = 0
        try:
            with shown.part(
                f"{place[0]}/{place[1]}", max(partition.log_end, 0), "offsets"
            ) as moved:
                for offset in comparison.walk(topic, log, rows, tally):
                    moved(offset + 1)
                    if tally.good_to is not None and tally.good >= counted + _KEEP_EVERY_EVENTS:
                        counted = self._keep(place, tally.good_to, tally, counted)
        finally:
            if tally.good_to is not None:
                self._keep(place, tally.good_to, tally, counted)
        self._beyond(partition, tally)

    def _keep(self, place: Place, good_to: int, tally: Tally, counted: int) -> int:
        """Keep how far a partition is good; return how many of its events are counted by now."""
        self._progress.good_to[place] = good_to
        self._progress.events += tally.good - counted
        self._file.write(self._progress)
        return tally.good

    def _beyond(self, partition: Judged, tally: Tally) -> None:
        beyond = self._beginning.beyond.get(partition.place)
        if beyond is None or self._asked.window.last is not None:
            return
        for offset in beyond.offsets:
            said = f"is at offset {offset}, the position is {partition.position}"
            self.findings.add(
                at(Code.EVENT_BEYOND_POSITION, partition.place, offset, database=said)
            )
        self.findings.count(Code.EVENT_BEYOND_POSITION, beyond.count - len(beyond.offsets))
        tally.differences += beyond.count


@contextmanager
def _sides(servers: Servers) -> Iterator[tuple[Logged, Stored]]:
    logged = Logged(servers.shared)
    try:
        schema, role = servers.database.postgres_schema, servers.auditor.reader_role
        with open_reader(servers.dsn, schema, role) as connection:
            yield logged, Stored(connection)
    finally:
        logged.close()


def _identity(
    shared: SharedSettings, logged: Logged, beginning: Beginning, asked: Asked
) -> dict[str, object]:
    return {
        **beginning.identity,
        "cluster": logged.cluster,
        "topic_prefix": shared.topic_prefix,
        "window": asked.window.told,
    }


def _spans(
    window: Window,
    places: list[Place],
    extents: Mapping[Place, Extent],
    logged: Logged,
    stored: Stored,
) -> dict[Place, Span]:
    """Return the window's offsets in each partition."""
    if window.since is None and window.until is None:
        first = window.first if isinstance(window.first, int) else None
        last = window.last + 1 if isinstance(window.last, int) else None
        return dict.fromkeys(places, Span(first, last))
    there = [place for place in places if place in extents]
    begins = logged.offsets_at(window.since, there) if window.since else {}
    ends = logged.offsets_at(window.until, there) if window.until else {}
    spans = {}
    for place in places:
        start: int | None = None
        if window.since is not None:
            low, end = (extents[place].low, extents[place].end) if place in extents else (0, 0)
            found = begins.get(place)
            start = end if found is None else found
            if start <= low and (older := stored.first_since(place, window.since, low)) is not None:
                start = older
        spans[place] = Span(start, ends.get(place))
    return spans
