"""A window of events projected again, and the live rows that say otherwise mended in place."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from services.auditor.database.differences import TableComparison
from services.auditor.database.migrate import migrate
from services.auditor.rebuild.asked import Asked, record
from services.auditor.rebuild.desk import Desk, open_desk
from services.auditor.rebuild.judge import SPANS
from services.auditor.rebuild.mend import Mender, open_spans
from services.auditor.rebuild.progress import Shown
from services.auditor.rebuild.whole import check_version
from services.auditor.refilling.refill import Refill
from services.auditor.refilling.servers import Servers
from services.auditor.tables import TABLES
from services.auditor.verify.asked import Window
from services.auditor.verify.bounds import chosen
from services.auditor.verify.logged import Logged
from tradetrail.errors import UsageError
from tradetrail.log.reader import Place
from tradetrail.log.topics import Topics

Span = tuple[int, int]
"""Offsets of a partition, the first inclusive, the last exclusive."""


@dataclass(frozen=True, slots=True)
class Mended:
    """What the window contradicted, table by table; how many events it has; the act, and how many rows were changed."""

    compared: list[TableComparison]
    events: int
    act_id: str | None = None
    mended: int = 0


def rebuild_window(servers: Servers, asked: Asked, shown: Shown) -> Mended:
    """Project the events of a window again; mend the live rows that say otherwise if asked to.

    Only audited events are read. Raises as ``rebuild_whole`` does; what is mended by then stays mended, the rest is
    found by the same command again.
    """
    with open_desk(servers.dsn, servers.database.postgres_schema) as desk:
        desk.drop_leftovers()
        try:
            migrate(servers.dsn, desk.scratch)
            check_version(desk)
            spans = _spans(servers, asked.window, desk)
            act_id = record(servers.shared, asked, desk.live) if asked.apply else None
            return _rebuild(servers, desk, spans, act_id, shown)
        finally:
            desk.drop_scratch()


def _rebuild(
    servers: Servers, desk: Desk, spans: Mapping[Place, Span], act_id: str | None, shown: Shown
) -> Mended:
    letters = Topics.of(servers.shared).dead_letters
    # All of them: they tell what was refused, which today's version might read.
    refused = {p: end for p, end in desk.positions().items() if p[0] == letters and p not in spans}
    starts = {place: first for place, (first, _) in spans.items()}
    ends = {place: end for place, (_, end) in spans.items()}
    refill = Refill(servers.shared, servers.auditor, servers.dsn, desk.scratch, origin=desk.live)
    with closing(refill), shown.filling(starts, refused | ends) as moved:
        refill.begin_at(starts)
        refill.to(refused | ends, moved)
    desk.analyze(desk.scratch)
    open_spans(desk.connection)
    with desk.connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO pg_temp.{SPANS} VALUES (%s, %s, %s, %s)",
            [(*place, first, end - 1) for place, (first, end) in spans.items()],
        )
    shown.step("comparing the live tables with what the window says")
    mender = Mender(desk)
    compared = [mender.judge(table) for table in TABLES.values()]
    row = desk.count_events()
    mended = mender.mend() if act_id is not None else 0
    return Mended(compared, row, act_id, mended)


def _spans(servers: Servers, window: Window, desk: Desk) -> dict[Place, Span]:
    """Return the audited part of the window in each partition that has any. Raises UsageError when there is none."""
    positions = desk.positions()
    places = chosen(positions, window)
    starts = dict.fromkeys(places, window.first if isinstance(window.first, int) else 0)
    ends = {place: positions[place] for place in places}
    if isinstance(window.last, int):
        ends = {place: min(end, window.last + 1) for place, end in ends.items()}
    with closing(Logged(servers.shared)) as logged:
        if window.since is not None:
            for place, found in logged.offsets_at(window.since, places).items():
                starts[place] = ends[place] if found is None else found
        if window.until is not None:
            for place, found in logged.offsets_at(window.until, places).items():
                ends[place] = ends[place] if found is None else min(found, ends[place])
    spans = {place: (starts[place], ends[place]) for place in places if starts[place] < ends[place]}
    if not spans:
        raise UsageError(
            "the window holds no audited event; `tradetrail status` shows how far each partition is audited"
        )
    return spans
