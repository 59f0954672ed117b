"""What a person asks to be rebuilt, and the act that records it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from services.auditor.verify.asked import Window
from tradetrail.clock import open_clock
from tradetrail.errors import UsageError
from tradetrail.events.generated import OperatorAct
from tradetrail.log.codec import Codec
from tradetrail.log.producer import EventProducer, Outgoing
from tradetrail.log.provision import check_topology
from tradetrail.log.stamp import Stamp
from tradetrail.log.topics import Topics
from tradetrail.operator_acts import EVERYTHING, asked
from tradetrail.person import made_by
from tradetrail.settings import SharedSettings


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything or a window; whether to change anything, and who acts then and why."""

    window: Window = field(default_factory=Window)
    apply: bool = False
    who: str | None = None
    why: str | None = None
    drop_old: bool = False

    def __post_init__(self) -> None:
        """Raise UsageError for what does not fit together."""
        if self.apply and not (self.who and self.why):
            raise UsageError("--apply changes the audit database: say --as WHO and --why WHY")
        if self.drop_old and (not self.window.is_whole or not self.apply):
            raise UsageError(
                "--drop-old goes with --apply of a whole rebuild: nothing else leaves an old schema"
            )

    @property
    def arguments(self) -> dict[str, Any]:
        """Return it as the recorded act tells it."""
        return {**self.window.told, "drop_old": self.drop_old}


def record(shared: SharedSettings, wanted: Asked, schema: str) -> str:
    """Put the act on the control topic, before anything is changed; return its id.

    Raises UsageError for a person or reason that can't be recorded, or for a log that is not provisioned; Retryable
    while Kafka or the registry is away.
    """
    codec, topics = Codec(shared.registry_url), Topics.of(shared)
    if not check_topology(shared, codec, topics):
        raise UsageError("the log is not provisioned yet: run `tradetrail up`")
    scope = EVERYTHING if wanted.window.topic is None else f"topic:{wanted.window.topic}"
    arguments = wanted.arguments | {"schema": schema}
    act = made_by(
        (wanted.who or "", wanted.why or "", None),
        lambda *named: asked(OperatorAct.REBUILD, scope, named, arguments),
    )
    envelope = Stamp("auditor", shared.instance).envelope(open_clock(shared.clock_url).now())
    EventProducer(shared, codec).send([Outgoing(topics.control, scope, act.event(envelope))])
    return act.act_id
