"""The tasks: what each one fetches, from where, and in which order those of one slot run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a task does."""

    COMMITTEES = "committees"
    CONGRESS = "congress"
    INSIDER = "insider"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class Task:
    """A task by name; runs of one ``data_source`` never overlap."""

    name: str
    data_source: str
    kind: Kind


# In the order in which tasks of one slot run: reference facts first, so that decisions of the day can use them.
TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task("data_fetch:committees", "congress_legislators_committees", Kind.COMMITTEES),
        Task("data_fetch:congress_daily", "quiverquant_congress", Kind.CONGRESS),
        Task("data_fetch:insider_daily", "quiverquant_insider", Kind.INSIDER),
        Task("maintenance:daily", "maintenance", Kind.MAINTENANCE),
    )
}
