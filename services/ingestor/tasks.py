"""The tasks: what each one fetches, from where, and in which order those of one slot run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tradetrail.tasks import DATA_SOURCES


class Kind(Enum):
    """What a task does."""

    COMMITTEES = "committees"
    CONGRESS = "congress"
    INSIDER = "insider"
    MAINTENANCE = "maintenance"
    SECTORS = "sectors"


@dataclass(frozen=True, slots=True)
class Task:
    """A task by name; runs of one ``data_source`` never overlap."""

    name: str
    data_source: str
    kind: Kind


# In the order in which tasks of one slot run: reference facts first, so that decisions of the day can use them.
_KINDS = {
    "data_fetch:committees": Kind.COMMITTEES,
    "data_fetch:sectors": Kind.SECTORS,
    "data_fetch:congress_daily": Kind.CONGRESS,
    "data_fetch:insider_daily": Kind.INSIDER,
    "maintenance:daily": Kind.MAINTENANCE,
}
TASKS = {name: Task(name, DATA_SOURCES[name], kind) for name, kind in _KINDS.items()}
_OF_KIND = {task.kind: task for task in TASKS.values()}


def task_of(kind: Kind) -> Task:
    """Return the task of that kind."""
    return _OF_KIND[kind]
