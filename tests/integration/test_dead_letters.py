"""Dead letters that real auditors made are listed, shown and appended anew: once, and never out of order."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import Producer

from tests import auditor_story as story
from tests.integration.auditor_harness import Audit, audit_of
from tests.integration.fresh_log import fresh_log
from tests.integration.partial_registry import partial_registry
from tradetrail.cli.dead_letter_log import Requeuer
from tradetrail.cli.main import run
from tradetrail.errors import UsageError
from tradetrail.events.generated import DecisionMade, DisclosureRecorded, OperatorActed
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import open_producer
from tradetrail.log.reader import Received, read_all
from tradetrail.requeues import EventPlace, place_text
from tradetrail.settings import SharedSettings

pytestmark = pytest.mark.stack

# A step of another requeue, on a very busy machine.
HALTED_S_MAX = 180.0


@pytest.fixture(scope="module")
def audit(stack: Any) -> Iterator[Audit]:
    """Return an audit whose auditor met disclosures and decisions before the registry knew them, and runs on since."""
    log = fresh_log(stack)
    codec = Codec(log.registry_url)
    unknown = {codec.register(each.TYPE) for each in (DisclosureRecorded, DecisionMade)}
    with (
        partial_registry(log.registry_url, unknown) as registry,
        audit_of(log, stack.addresses.postgres_dsn) as audit,
    ):
        audit.send(
            [
                ("default", "IBM", story.disclosure("b", "IBM")),
                ("default", "IBM", story.ready("b", "IBM")),
                ("default", "F", story.disclosure("c", "F")),
                ("default", "F", story.disclosure("c", "F", version=2)),
                ("default", "GE", story.decision("e1", "GE")),
                ("default", "GE", story.decision("e2", "GE")),
                ("default", "T", story.decision("t", "T")),
                ("default", "T", story.submitting("t", "T")),
                ("default", "KO", story.decision("k", "KO")),
                ("reference", "NUL", replace(story.sector("NUL"), company_name="a\x00b")),
            ]
        )
        raw = open_producer(log)
        raw.produce(audit.topics.trade()[0], key=b"AAPL", value=b"\xffgarbage", partition=0)
        raw.flush(30)
        auditor = audit.start(REGISTRY_URL=registry)
        audit.wait_audited()
        assert auditor.stop() == 0
        audit.start()
        yield audit


@pytest.fixture
def cli(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> Audit:
    """Let commands of this process work on the audit."""
    for name, value in (
        ("KAFKA", audit.log.kafka),
        ("REGISTRY_URL", audit.log.registry_url),
        ("TOPIC_PREFIX", audit.log.topic_prefix),
        ("POSTGRES_DSN", audit.dsn),
        ("POSTGRES_SCHEMA", audit.schema),
    ):
        monkeypatch.setenv(f"TRADETRAIL_{name}", value)
    return audit


def letters(audit: Audit, key: str) -> list[EventPlace]:
    """Return where the events of ``key`` that could not be processed stand, in log order."""
    found = audit.rows(
        "SELECT source_topic, source_partition, source_offset FROM dead_letters WHERE source_key = %(key)s "
        "ORDER BY source_offset",
        key=key.encode(),
    )
    return [(topic, partition, offset) for topic, partition, offset in found]


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """Run a command and return its JSON."""
    assert run(["dead-letters", *words, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_letter_is_listed_shown_and_requeued_once(
    cli: Audit, capsys: pytest.CaptureFixture[str]
) -> None:
    (place,) = letters(cli, "IBM")
    listed = told(capsys, "list", "--event-key", "IBM")
    assert [(r["place"], r["reason_code"], r["status"]) for r in listed["dead_letters"]] == [
        (place_text(place), "unknown_schema", "waiting")
    ]
    shown = told(capsys, "show", place_text(place))
    record = story.disclosure("b", "IBM")
    assert shown["readable_now"] is True
    assert shown["content"]["record_id"] == record.record_id
    value = next(
        m.value for m in read_all(cli.log, [place[0]]) if (m.topic, m.partition, m.offset) == place
    )
    assert value is not None
    assert bytes.fromhex(shown["hex"].replace(" ", "")) == value
    words = ("requeue", place_text(place), "--as", "ann", "--why", "the schema is back")
    done = told(capsys, *words)
    cli.wait_audited()
    new = [m for m in read_all(cli.log, [place[0]]) if m.value == value]
    assert [place_text((m.topic, m.partition, m.offset)) for m in new] == [
        place_text(place),
        done["requeued_place"],
    ]
    kept = cli.rows("SELECT politician_name FROM congress_trades WHERE symbol = 'IBM'")
    assert kept == [("Nancy Pelosi",)]
    columns = cli.rows(
        "SELECT requeued_by, requeued_why, requeued_topic || '/' || requeued_partition || '/' || requeued_offset, "
        "requeued_at IS NOT NULL FROM dead_letters WHERE source_key = 'IBM'::bytea"
    )
    assert columns == [("ann", "the schema is back", done["requeued_place"], True)]
    acts = cli.rows("SELECT act, operator, why, scope FROM operator_acts")
    assert ("requeue", "ann", "the schema is back", place_text(place)) in acts
    again = told(capsys, "list", "--event-key", "IBM", "--status", "requeued")
    assert [r["requeued_place"] for r in again["dead_letters"]] == [done["requeued_place"]]
    assert run(["dead-letters", *words]) == 2
    said = capsys.readouterr().err
    assert "appended anew already" in said
    assert "by ann" in said
    assert len([m for m in read_all(cli.log, [place[0]]) if m.value == value]) == 2


def test_letters_requeued_in_their_order_all_come_back(audit: Audit) -> None:
    earlier, later = letters(audit, "GE")
    requeuer = Requeuer(audit.log)
    first = requeuer.requeue(earlier, "ann", "in order")
    second = requeuer.requeue(later, "ann", "in order")
    assert first.place < second.place
    audit.wait_audited()
    decided = audit.rows(
        "SELECT decision_id FROM trade_decisions WHERE symbol = 'GE' ORDER BY \"offset\""
    )
    assert decided == [(story.an_id("d", "e1"),), (story.an_id("d", "e2"),)]


class Halting(Requeuer):
    """Stands still at one step of a requeue, in a thread of its own, until it is let go."""

    def __init__(self, settings: SharedSettings, step: str) -> None:
        """Stand still at ``step``: before it takes over, with the partition taken over, or with so much sent."""
        super().__init__(settings)
        self.step = step
        self.stands, self.may_go_on = threading.Event(), threading.Event()
        self._sent = 0

    def _halt(self, step: str) -> None:
        if step == self.step:
            self.stands.set()
            assert self.may_go_on.wait(HALTED_S_MAX), f"never let go on from {step}"

    def _take_over(self, topic: str, partition: int) -> Producer:
        self._halt("nothing done")
        producer = super()._take_over(topic, partition)
        self._halt("taken over")
        return producer

    def _send(self, producer: Producer, source: Received, value: bytes) -> int:
        offset = super()._send(producer, source, value)
        self._sent += 1
        self._halt(("event sent", "act sent")[self._sent - 1])
        return offset


def test_of_requeues_of_one_letter_at_the_same_time_one_appends_it(audit: Audit) -> None:
    (place,) = letters(audit, "KO")
    # Whatever happens, who is halted is let go before the threads are waited for.
    with ThreadPoolExecutor() as threads, ExitStack() as held:
        halted = []
        for step in ("nothing done", "taken over", "event sent", "act sent"):
            requeuer = Halting(audit.log, step)
            held.callback(requeuer.may_go_on.set)
            future = threads.submit(requeuer.requeue, place, step, "at the same time")
            assert requeuer.stands.wait(HALTED_S_MAX), step
            assert not future.done(), future.exception()
            halted.append((requeuer, future))
        # All of them have begun, and each took over from who stood before it: the last one comes first.
        done = Requeuer(audit.log).requeue(place, "bob", "at the same time")
        refused = []
        for requeuer, future in halted:
            requeuer.may_go_on.set()
            error = future.exception(HALTED_S_MAX)
            assert isinstance(error, UsageError), (requeuer.step, error)
            refused.append(str(error))
    # Who had sent nothing yet sees what was done; the others were thrown out.
    assert all("appended anew already" in said for said in refused[:2]), refused[:2]
    assert all("took over; nothing was appended" in said for said in refused[2:]), refused[2:]
    logged = list(read_all(audit.log, [place[0]]))
    value = next(m.value for m in logged if (m.topic, m.partition, m.offset) == place)
    there = [(m.topic, m.partition, m.offset) for m in logged if m.value == value]
    assert there == [place, done.place]
    audit.wait_audited()
    acts = audit.rows(
        "SELECT operator FROM operator_acts WHERE scope = %(place)s", place=place_text(place)
    )
    assert acts == [("bob",)]
    assert len(audit.rows("SELECT 1 FROM trade_decisions WHERE symbol = 'KO'")) == 1


def test_what_a_later_event_rests_on_is_refused(audit: Audit) -> None:
    requeuer = Requeuer(audit.log)
    before, after = letters(audit, "F")
    requeuer.requeue(after, "ann", "the newer version first")
    with pytest.raises(UsageError, match="DisclosureRecorded at"):
        requeuer.requeue(before, "ann", "too late")
    (decision,) = letters(audit, "T")
    with pytest.raises(UsageError, match="OrderSubmitting at"):
        requeuer.requeue(decision, "ann", "it was sent all the same")
    acts = [
        event
        for event in (
            Codec(audit.log.registry_url).decode(m.value).event
            for m in read_all(audit.log, [decision[0]])
            if m.key == b"T"
        )
        if isinstance(event, OperatorActed)
    ]
    assert acts == []


def test_what_still_can_not_be_read_is_refused(
    cli: Audit, capsys: pytest.CaptureFixture[str]
) -> None:
    (junk,) = letters(cli, "AAPL")
    shown = told(capsys, "show", place_text(junk))
    assert (shown["reason_code"], shown["readable_now"]) == ("not_avro", False)
    assert shown["text"] == "\ufffdgarbage"
    (unstorable,) = letters(cli, "NUL")
    for place, why in ((junk, "still can't be read"), (unstorable, "tradetrail rebuild")):
        words = ("requeue", place_text(place), "--as", "ann", "--why", "x", "--yes")
        assert run(["dead-letters", *words]) == 2
        assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("nowhere", "is no dead letter's place"),
        ("t.megacap/0/x", "is no dead letter's place"),
        ("other.topic/0/1", "are not requeued"),
    ],
    ids=["no place", "no offset", "a foreign topic"],
)
def test_what_is_no_letter_is_refused(
    cli: Audit, capsys: pytest.CaptureFixture[str], place: str, why: str
) -> None:
    assert run(["dead-letters", "requeue", place, "--as", "ann", "--why", "x"]) == 2
    assert why in capsys.readouterr().err


def test_an_event_that_was_read_is_no_letter(
    cli: Audit, capsys: pytest.CaptureFixture[str]
) -> None:
    place = place_text((cli.topics.trade()[0], 0, 9_999))
    for words in (("requeue", place, "--as", "ann", "--why", "x"), ("show", place)):
        assert run(["dead-letters", *words]) == 2
        assert "there is no dead letter" in capsys.readouterr().err


def test_pages_and_filters_hold_together(cli: Audit, capsys: pytest.CaptureFixture[str]) -> None:
    whole = told(capsys, "list")
    assert whole["totals"]["dead_letters"] == len(whole["dead_letters"]) == 9
    assert whole["totals"]["reasons"] == {"unknown_schema": 7, "not_avro": 1, "not_storable": 1}
    paged, after = [], None
    for _ in range(9):
        more = () if after is None else ("--after", after)
        page = told(capsys, "list", "--limit", "3", *more)
        paged += [row["place"] for row in page["dead_letters"]]
        after = page["next"]
        if after is None:
            break
    assert paged == [row["place"] for row in whole["dead_letters"]]
    assert told(capsys, "list", "--reason", "not_avro")["totals"]["dead_letters"] == 1
    assert told(capsys, "list", "--topic", "none")["totals"]["dead_letters"] == 0
    assert told(capsys, "list", "--to", "2000-01-01")["totals"]["dead_letters"] == 0
    assert run(["dead-letters", "list"]) == 0
    assert "not_avro" in capsys.readouterr().out
