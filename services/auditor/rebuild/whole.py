"""A whole schema again from the log, beside the live one while the auditors go on; compared, and swapped if asked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from services.auditor.database.compare import compare
from services.auditor.database.differences import TableComparison
from services.auditor.database.migrate import migrate
from services.auditor.rebuild.asked import Asked, record
from services.auditor.rebuild.desk import Desk, open_desk
from services.auditor.rebuild.progress import Shown
from services.auditor.rebuild.swap import check_swap, prepare, rename
from services.auditor.refilling.kept import connect
from services.auditor.refilling.refill import Refill
from services.auditor.refilling.servers import Servers
from tradetrail.errors import UsageError
from tradetrail.log.reader import Place

# So few offsets behind the auditors are read in about a second, which they can wait.
CATCH_UP_OFFSETS = 5_000
# Each round reads what the auditors wrote during the last one; a log that outruns us is waited for under the lock.
CATCH_UP_ROUNDS_MAX = 20


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was compared; the act that was recorded; the name of the old schema, and whether it is still there."""

    compared: list[TableComparison]
    act_id: str | None = None
    old_schema: str | None = None
    old_kept: bool = True


def rebuild_whole(servers: Servers, asked: Asked, shown: Shown) -> Rebuilt:
    """Rebuild everything as asked; without ``apply`` nothing that anyone uses is changed.

    Raises Fatal when another rebuild runs, UsageError for a schema that can't be rebuilt as asked, Retryable or
    Unreachable when a server stays away. Whatever is raised before the swap's commit, the live schema is untouched.
    """
    with open_desk(servers.dsn, servers.database.postgres_schema) as desk:
        desk.drop_leftovers()
        try:
            return _rebuild(servers, asked, desk, shown)
        finally:
            desk.drop_scratch()


def check_version(desk: Desk) -> None:
    """Raise UsageError when the live schema is at another migration than the scratch schema, which is at ours."""
    if desk.version(desk.live) != (newest := desk.version(desk.scratch)):
        raise UsageError(
            f"schema {desk.live} is at migration {desk.version(desk.live)}, this program makes {newest}: run "
            "python -m services.auditor --migrate, or the program of that version"
        )


def _rebuild(servers: Servers, asked: Asked, desk: Desk, shown: Shown) -> Rebuilt:
    migrate(servers.dsn, desk.scratch)
    check_version(desk)
    act_id = None
    if asked.apply:
        check_swap(desk)
        act_id = record(servers.shared, asked, desk.live)
        shown.step(f"recorded as act {act_id}")
    origin = desk.live
    with closing(
        Refill(servers.shared, servers.auditor, servers.dsn, desk.scratch, origin=origin)
    ) as refill:
        shown.step(f"filling schema {desk.scratch} from the log; the auditors go on")
        _catch_up(desk, refill, shown)
        desk.analyze(desk.scratch)
        _catch_up(desk, refill, shown)
        compared = _compare(servers.dsn, desk, refill, shown)
        if not asked.apply:
            return Rebuilt(compared)
        _catch_up(desk, refill, shown)
        with desk.positions_held() as positions:
            refill.to(positions)
            prepare(desk)
            old = rename(desk)
    shown.step(f"swapped: {desk.live} is the rebuilt schema, the one before is {old}")
    kept = not asked.drop_old or not desk.drop(old)
    return Rebuilt(compared, act_id, old, kept)


def _catch_up(desk: Desk, refill: Refill, shown: Shown) -> None:
    done: dict[Place, int] = refill.positions()
    for _ in range(CATCH_UP_ROUNDS_MAX):
        ends = desk.positions()
        if _offsets_between(done, ends) <= CATCH_UP_OFFSETS and done:
            return
        with shown.filling(done, ends) as moved:
            refill.to(ends, moved)
        done = ends


def _offsets_between(starts: Mapping[Place, int], ends: Mapping[Place, int]) -> int:
    return sum(max(end - starts.get(place, 0), 0) for place, end in ends.items())


def _compare(dsn: str, desk: Desk, refill: Refill, shown: Shown) -> list[TableComparison]:
    """Compare both schemas as they stand at exactly the same positions; the auditors go on during the comparison."""
    with connect(dsn) as snapshot:
        with desk.positions_held() as positions:
            refill.to(positions)
            snapshot.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # The first query takes the snapshot: what comes after it is not seen.
            snapshot.execute("SELECT count(*) FROM pg_class")
        shown.step("comparing with the live schema, every table, row and column")
        with shown.comparing() as told:
            return compare(snapshot, desk.live, desk.scratch, told=told)
