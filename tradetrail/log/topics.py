"""The topics of the log: their names, and which one holds a symbol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tradetrail.errors import UsageError
from tradetrail.settings import SharedSettings, SymbolGroup

# The largest event we send, and the largest a dead letter may be (an event of that size and its wrapper).
EVENT_BYTES_MAX = 1 << 20
DEAD_LETTER_BYTES_MAX = 2 << 20


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic as it must exist. ``compacted`` topics keep the newest value per key, others everything."""

    name: str
    partitions: int
    compacted: bool = False
    message_bytes_max: int = EVENT_BYTES_MAX + (EVENT_BYTES_MAX >> 2)


@dataclass(frozen=True, slots=True)
class Topics:
    """All topics under one prefix. A symbol's group is the first whose patterns fit it."""

    prefix: str
    groups: tuple[SymbolGroup, ...]
    run_partitions: int = 1
    _topic_of: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, settings: SharedSettings) -> Topics:
        """Return the topics that ``settings`` describe; UsageError when groups contradict each other."""
        topics = cls(settings.topic_prefix, settings.symbol_groups, settings.run_partitions)
        names = [group.name for group in topics.groups]
        reserved = {spec.name.removeprefix(topics.prefix) for spec in topics._fixed()}
        if clash := (set(names) & reserved) | {n for n in names if names.count(n) > 1}:
            raise UsageError(
                f"symbol groups {sorted(clash)}: each name once, and none of {sorted(reserved)}"
            )
        if not any("*" in group.patterns for group in topics.groups):
            raise UsageError('symbol groups: one group needs the pattern "*" for all other symbols')
        return topics

    def for_symbol(self, symbol: str) -> str:
        """Return the topic that holds every event of ``symbol``."""
        if symbol not in self._topic_of:
            group = next(g for g in self.groups if g.holds(symbol))
            self._topic_of[symbol] = self.prefix + group.name
        return self._topic_of[symbol]

    def trade(self) -> list[str]:
        """Return the topics of the symbol groups."""
        return [self.prefix + group.name for group in self.groups]

    @property
    def runs(self) -> str:
        """Run life cycle, API calls of runs, records without a usable symbol; key: task name."""
        return self.prefix + "runs"

    @property
    def control(self) -> str:
        """Operator acts on more than one symbol, acknowledgements, configurations; one partition."""
        return self.prefix + "control"

    @property
    def reference(self) -> str:
        """Committee seats and sectors; key: politician or company."""
        return self.prefix + "reference"

    @property
    def account(self) -> str:
        """Who is the active executor; account-wide facts; key: account."""
        return self.prefix + "account"

    @property
    def executor_state(self) -> str:
        """Open executions, compacted; key: execution id."""
        return self.prefix + "executor-state"

    @property
    def audit(self) -> str:
        """What the auditor states itself; key: subject."""
        return self.prefix + "audit"

    @property
    def checkpoints(self) -> str:
        """Signed checkpoints; key: topic-partition."""
        return self.prefix + "checkpoints"

    @property
    def dead_letters(self) -> str:
        """Events that could not be processed; key: source topic-partition."""
        return self.prefix + "dead-letters"

    @property
    def ingestor_state(self) -> str:
        """Content hash and version of each known record, compacted; key: record id."""
        return self.prefix + "ingestor-state"

    def all(self) -> list[str]:
        """Return every topic's name, symbol groups first."""
        return [spec.name for spec in self.specs()]

    def specs(self) -> Sequence[TopicSpec]:
        """Return every topic as it must exist."""
        return [TopicSpec(self.prefix + g.name, g.partitions) for g in self.groups] + self._fixed()

    def _fixed(self) -> list[TopicSpec]:
        return [
            TopicSpec(self.runs, self.run_partitions),
            TopicSpec(self.control, 1),
            TopicSpec(self.reference, 1),
            TopicSpec(self.account, 1),
            TopicSpec(self.executor_state, 1, compacted=True),
            TopicSpec(self.audit, 1),
            TopicSpec(self.checkpoints, 1),
            TopicSpec(self.dead_letters, 1, message_bytes_max=DEAD_LETTER_BYTES_MAX),
            TopicSpec(self.ingestor_state, 1, compacted=True),
        ]
