"""A window of the log projected again and mended in place, and what is made again of events that the log has lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from services.auditor.settings import AuditorSettings
from services.auditor.verify.asked import Window
from tests import auditor_story as story
from tests.integration.auditor_harness import Audit
from tests.integration.rebuilding import (
    drop,
    execute,
    first_of,
    rebuild_here,
    rebuildable,
    refilled,
    schemas,
)
from tradetrail.errors import Fatal
from tradetrail.log.kafka import open_admin
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack


@pytest.fixture
def audit(log: SharedSettings, stack: Any) -> Iterator[Audit]:
    """Return an audit of this test's log in a schema of its own."""
    with rebuildable(log, stack.addresses.postgres_dsn) as made:
        yield made


def test_a_window_is_mended_in_place(audit: Audit) -> None:
    audit.send(story.placed_story())
    auditor = audit.start().wait_ready()
    audit.wait_audited()
    rows = audit.tables()
    megacap, default = (f"{audit.log.topic_prefix}{name}" for name in ("megacap", "default"))
    window = Window(megacap)
    report = rebuild_here(audit, window)
    assert report["differences"] == 0
    assert (
        report["events"]
        == audit.rows("SELECT count(*) FROM events WHERE topic = %(topic)s", topic=megacap)[0][0]
    )
    execute(
        audit,
        # A fact, a status, a fill and a stub's place, each as if its event had said so; and rows too many and too few.
        f"UPDATE trade_decisions SET quantity = quantity + 1 WHERE topic = '{megacap}'",
        f"UPDATE trade_decisions SET status = 'cancelled' WHERE topic = '{megacap}'",
        f"UPDATE trade_executions SET filled_at = filled_at + interval '1s' WHERE topic = '{megacap}'",
        f"UPDATE trade_executions SET filled_avg_price = 1 WHERE filled_avg_price > 0 AND topic = '{megacap}'",
        f"UPDATE trade_executions SET status_offset = NULL, status = NULL WHERE topic = '{megacap}'",
        f"DELETE FROM trade_execution_history WHERE topic = '{megacap}'",
        'INSERT INTO trade_executions (execution_id, status, topic, partition, "offset") '
        f"SELECT 'forged', 'filled', topic, partition, \"offset\" FROM events WHERE topic = '{megacap}' LIMIT 1",
    )
    altered = audit.tables()
    report = rebuild_here(audit, window)
    assert report["first"]["table"] == "trade_decisions"
    tables = {each["table"]: each for each in report["tables"]}
    assert tables["trade_execution_history"]["missing"] > 0
    assert tables["trade_executions"]["extra"] == 1
    assert tables["trade_decisions"]["different"] > 0
    assert audit.tables() == altered
    # What lies outside the window is not judged by it.
    assert rebuild_here(audit, Window(default))["differences"] == 0
    report = rebuild_here(audit, window, "ann")
    assert report["rows_mended"] > 0
    audit.wait_audited()
    mended = audit.tables()
    acts = mended.pop("operator_acts"), rows.pop("operator_acts")
    assert len(acts[0]) == len(acts[1]) + 1
    assert mended == rows
    assert schemas(audit) == {audit.schema}
    assert auditor.stop() == 0


def test_what_the_log_lost_comes_from_the_database(audit: Audit) -> None:
    audit.send(story.placed_story())
    audit.start().wait_ready()
    audit.wait_audited()
    admin = open_admin(audit.log)
    lost = {
        (topic, partition): end // 2
        for topic, partition, end in audit.rows(
            "SELECT topic, partition, next_offset FROM positions WHERE next_offset > 1"
        )
        if topic in audit.topics.trade() or topic == audit.topics.runs
    }
    cut = admin.delete_records([TopicPartition(*place, to) for place, to in lost.items()])
    assert {
        (tp.topic, tp.partition): answer.result().low_watermark for tp, answer in cut.items()
    } == lost
    with refilled(audit, AuditorSettings(batch_events_max=2)) as again:
        assert first_of(audit, again) is None
        drop(audit, again)
    with pytest.raises(Fatal, match="lost its newest"), refilled(audit, AuditorSettings(), 1000):
        pass
    # The newest of a partition whose older half is gone: the log still has it, so what it says is not in doubt.
    execute(
        audit,
        "UPDATE events SET value = value || '\\x00' WHERE event_id = (SELECT e.event_id FROM events e "
        "JOIN positions p USING (topic, partition) WHERE e.type = 'DisclosureRecorded' "
        'AND e."offset" >= p.next_offset / 2 ORDER BY e.topic, e.partition, e."offset" LIMIT 1)',
    )
    report = rebuild_here(audit, Window())
    assert report["first"]["table"] == "events"
    assert {each["table"]: each["different"] for each in report["tables"]}["events"] == 1
