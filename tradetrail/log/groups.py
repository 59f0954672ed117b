"""Who takes part in the executors' groups, as the broker knows it."""

from __future__ import annotations

from dataclasses import dataclass

from confluent_kafka import KafkaException

from tradetrail.log.kafka import REQUEST_TIMEOUT_S, open_admin, translate
from tradetrail.settings import SharedSettings


@dataclass(frozen=True, slots=True)
class Member:
    """One executor as its account's group knows it; ``instance`` is the name it gave itself."""

    member_id: str
    account: str
    instance: str
    host: str


def executors_group(topic_prefix: str, account: str) -> str:
    """Return the group in which an account's executors elect who acts."""
    return f"{topic_prefix}executor-{account}"


class Executors:
    """Asks who the executors of every account are, again and again over one connection."""

    def __init__(self, settings: SharedSettings) -> None:
        """Look for the groups under the prefix of ``settings``."""
        self._admin = open_admin(settings)
        self._prefix = executors_group(settings.topic_prefix, "")

    def read(self) -> dict[str, Member]:
        """Return every member by its id. Raises Retryable when the broker doesn't tell."""
        doing = "asking who the executors are"
        try:
            listed = self._admin.list_consumer_groups(request_timeout=REQUEST_TIMEOUT_S).result()
            if listed.errors:
                raise listed.errors[0]
            groups = [g.group_id for g in listed.valid if g.group_id.startswith(self._prefix)]
            if not groups:
                return {}
            told = self._admin.describe_consumer_groups(groups, request_timeout=REQUEST_TIMEOUT_S)
            described = [future.result() for future in told.values()]
        except KafkaException as error:
            raise translate(error, doing) from error
        return {
            member.member_id: Member(
                member.member_id,
                group.group_id.removeprefix(self._prefix),
                member.client_id,
                member.host,
            )
            for group in described
            for member in group.members
        }
