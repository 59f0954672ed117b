"""Who acts for the account: whoever owns the one partition of the account topic within the account's group."""

from __future__ import annotations

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from tradetrail.errors import Fatal, Retryable
from tradetrail.log.kafka import open_consumer, translate
from tradetrail.settings import SharedSettings

log = structlog.get_logger(__name__)


class Lost(Retryable):
    """This process is no longer the account's executor; it must forget what it knows and stand by."""


class Election:
    """Membership in the account's group. All calls from one thread."""

    def __init__(self, settings: SharedSettings, group: str, topic: str) -> None:
        """Join the group at the first ``poll``."""
        self.group = group
        self.consumer: Consumer = open_consumer(settings, group)
        self._owns = False
        self.consumer.subscribe(
            [topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    def poll(self, timeout_s: float) -> bool:
        """Serve the group's business and return whether this process is the owner now."""
        try:
            message = self.consumer.poll(timeout_s)
        except KafkaException as error:
            raise translate(error, f"taking part in group {self.group}") from error
        trouble = message.error() if message is not None else None
        if trouble is not None and trouble.fatal():
            raise Fatal(f"group {self.group}: {trouble.str()}")
        return self._owns

    def hold(self) -> None:
        """Raise Lost unless this process still is the owner."""
        if not self.poll(0):
            raise Lost(f"another member of group {self.group} took the account over")

    def close(self) -> None:
        """Leave the group, so that a standby takes over at once."""
        self.consumer.close()

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign(partitions)
        # The partition is only a token: what is in it is read by others.
        consumer.pause(partitions)
        self._owns = self._owns or bool(partitions)

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if partitions:
            self._owns = False
        consumer.incremental_unassign(partitions)
