"""The tables' part of a verification: project again, take one snapshot of both schemas, compare table by table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.auditor.settings import AuditorSettings
from services.auditor.verify.asked import Window
from services.auditor.verify.bounds import Judged
from services.auditor.verify.derived import TRADES, compare_trades
from services.auditor.verify.excuses import Excuses, of_whole, of_window
from services.auditor.verify.findings import Findings
from services.auditor.verify.logged import Extent
from services.auditor.verify.progress import Shown
from services.auditor.verify.rows_sql import Side
from services.auditor.verify.scratch import Scratch
from services.auditor.verify.tables import TableTally, compare_table, tables
from tradetrail.log.reader import Place
from tradetrail.log.topics import Topics
from tradetrail.settings import SharedSettings


@dataclass(frozen=True, slots=True)
class Projection:
    """What is projected again, by which settings."""

    shared: SharedSettings
    settings: AuditorSettings
    window: Window

    def verify(
        self,
        scratch: Scratch,
        judged: Sequence[Judged],
        extents: Mapping[Place, Extent],
        findings: Findings,
        shown: Shown,
    ) -> list[TableTally]:
        """Compare every table; rows that differ go to ``findings``.

        Raises Retryable and Unreachable while a server is away.
        """
        ends = {each.place: each.log_end for each in judged if each.log_end > 0}
        starts = {each.place: each.window_start for each in judged if each.window_start > 0}
        if not self.window.is_whole:
            # Why an event was refused stands in its dead letter, wherever that is.
            letters = Topics.of(self.shared).dead_letters
            live = scratch.positions(scratch.live)
            for place in (place for place in extents if place[0] == letters):
                starts.pop(place, None)
                ends[place] = min(extents[place].end, live.get(place, 0))
        with shown.part("projecting again", sum(ends.values()), "offsets") as moved:
            at: dict[Place, int] = {}

            def heard(place: Place, offset: int) -> None:
                at[place] = offset
                moved(sum(at.values()))

            scratch.fill(self.shared, self.settings, starts, ends, heard)
        connection = scratch.connection
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            excuses = self._excuses(scratch, judged, ends)
            tallies = []
            for table in tables():
                side = Side(table, scratch.live, scratch.name, excuses)
                with shown.part(table.name, None, "rows") as moved:
                    tallies.append(compare_table(connection, side, excuses, findings, moved))
            with shown.part(TRADES, None, "rows") as moved:
                tallies.append(compare_trades(connection, scratch.live, findings, moved))
        return tallies

    def _excuses(
        self, scratch: Scratch, judged: Sequence[Judged], ends: Mapping[Place, int]
    ) -> Excuses:
        now = scratch.positions(scratch.live)
        if self.window.is_whole:
            return of_whole(ends, now)
        return of_window(judged, now)
