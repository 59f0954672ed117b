"""A decision is reconstructed from the audit database alone: an older schema, long ago, nothing else running."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import fastavro
import psycopg
import pyarrow.parquet
import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from fastavro.schema import parse_schema

from tests import auditor_story as story
from tests.free_port import free_port
from tests.integration.auditor_harness import Audit, audit_of
from tests.integration.fresh_log import fresh_log
from tests.known_story import Told, after, before
from tradetrail.cli.main import run
from tradetrail.events import Event, to_datum
from tradetrail.events import generated as e
from tradetrail.events.schemas import FOLDER
from tradetrail.log.codec import Codec
from tradetrail.log.kafka import open_producer
from tradetrail.reports.connection import prepare_reader
from tradetrail.reports.encode import to_json
from tradetrail.reports.event import COLUMNS, event_report

pytestmark = pytest.mark.stack

OLDER = {
    "tradetrail.events.DecisionMade": FOLDER / "released" / "DecisionMade.1.avsc",
    "tradetrail.events.DecisionDeclined": FOLDER / "released" / "DecisionDeclined.1.avsc",
}
SINCE_ADDED = ("reference_through", "api_call_ids")
ANSWER = b'[{"Ticker": "AAPL"}]'
Ask = Callable[..., Any]


@dataclass
class Left:
    """What is left: the database. And for comparison what was written, and what the auditor said while it ran."""

    audit: Audit
    rationales: dict[str, Any] = field(default_factory=dict)
    places: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)

    def words(self, name: str) -> tuple[str, ...]:
        """Return the command's words for the event of a decision."""
        topic, partition, offset = self.places[name]
        return ("event", topic, str(partition), str(offset))


class OlderRelease:
    """Writes to the log as a release from before would have: decisions by the first version of their schemas."""

    def __init__(self, audit: Audit) -> None:
        """Register the older schemas beside today's."""
        self._audit = audit
        self._codec = Codec(audit.log.registry_url)
        self._producer = open_producer(audit.log)
        self._schemas = {name: json.loads(path.read_text()) for name, path in OLDER.items()}
        with SchemaRegistryClient({"url": audit.log.registry_url}) as registry:
            self._ids = {
                name: registry.register_schema(name, Schema(json.dumps(schema), "AVRO"))
                for name, schema in self._schemas.items()
            }

    def send(self, topic: str, key: str, value: bytes | None) -> tuple[str, int, int]:
        """Append bytes; return where they landed."""
        landed: list[Any] = []
        self._producer.produce(
            self._audit.log.topic_prefix + topic,
            key=key.encode(),
            value=value,
            on_delivery=lambda error, message: landed.append(error or message),
        )
        assert self._producer.flush(60) == 0
        (message,) = landed
        return message.topic(), message.partition(), message.offset()

    def encode(self, event: Event) -> bytes:
        """Return an event's bytes, by the older schema where there is one."""
        schema = self._schemas.get(event.TYPE)
        if schema is None:
            return self._codec.encode(event)
        buffer = io.BytesIO(b"\0" + self._ids[event.TYPE].to_bytes(4, "big"))
        buffer.seek(5)
        fastavro.schemaless_writer(buffer, parse_schema(schema), to_datum(event))
        return buffer.getvalue()


def answered() -> dict[str, e.ApiCallRecorded]:
    """Return two answers that were cut into three events each, of the second without its middle."""
    found = {}
    for name in ("cut", "torn"):
        call = replace(story.api_call(name), chunk_count=3, response_size_bytes=len(ANSWER))
        call = replace(call, body_sha256=hashlib.sha256(ANSWER).hexdigest(), run_id=None)
        for index in range(3):
            part = ANSWER[7 * index : 7 * (index + 1)]
            event_id = story.an_id("call", name, index)
            found[f"{name}-{index}"] = replace(
                call, event_id=event_id, chunk_index=index, body=part
            )
    del found["torn-1"]
    return found


@pytest.fixture(scope="module")
def left(stack: Any) -> Iterator[Left]:
    """Return the database of a story whose decisions an older release wrote; its auditor has stopped."""
    told = Told()
    with audit_of(fresh_log(stack), stack.addresses.postgres_dsn) as audit:
        for placed in (before(), after()):
            told.add(placed, audit.send(placed))
        left, release = Left(audit), OlderRelease(audit)
        for topic, key, event in told.decided():
            place = release.send(topic, key, release.encode(event))
            decision_id = getattr(event, "decision_id", None)
            if event.TYPE in OLDER and decision_id:
                left.places[decision_id] = place
                left.rationales[decision_id] = plain(to_datum(event)["rationale"])
        for name, call in answered().items():
            left.places[name] = release.send("runs", "congress", release.encode(call))
        left.places["broken"] = release.send("megacap", "AAPL", b"garbage")
        left.places["deleted"] = release.send("ingestor-state", "gone", None)
        auditor = audit.start().wait_ready()
        audit.wait_audited()
        for accept in ("application/json", "text/csv", "text/html"):
            path = "/reports/events/" + "/".join(left.words(made())[1:])
            left.answers[accept] = auditor.get(path, accept).text
        for name, part in (("cut", "cut-1"), ("torn", "torn-0")):
            url = "/reports/events/" + "/".join(left.words(part)[1:])
            left.answers[name] = auditor.get(url, "text/html").text
        left.answers["missing"] = auditor.get(path.rpartition("/")[0] + "/999999").text
        assert auditor.stop() == 0
        yield left


@pytest.fixture
def ask(left: Left, monkeypatch: pytest.MonkeyPatch, capsysbinary: Any) -> Ask:
    """Return ``tradetrail report …`` with Kafka, registry and clock at ports where nobody listens; it gives JSON."""
    for name in ("REGISTRY_URL", "CLOCK_URL"):
        monkeypatch.setenv(f"TRADETRAIL_{name}", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("TRADETRAIL_KAFKA", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("TRADETRAIL_POSTGRES_DSN", left.audit.dsn)
    monkeypatch.setenv("TRADETRAIL_POSTGRES_SCHEMA", left.audit.schema)

    def asked(*words: str, code: int = 0) -> Any:
        assert run(["report", *words, "--format", "json"]) == code
        return json.loads(capsysbinary.readouterr().out, parse_float=Decimal)

    return asked


def made() -> str:
    return story.an_id("d", "d1")


def place_of(part: dict[str, Any]) -> tuple[str, int, int]:
    return part["topic"], part["partition"], part["offset"]


def plain(value: Any) -> Any:
    """Return a value as it reads back from JSON."""
    return json.loads(to_json(value), parse_float=Decimal)


both_answers = pytest.mark.parametrize("name", ["d1", "n1"], ids=["made", "declined"])


@both_answers
def test_the_rationale_is_told_as_it_was_decided(left: Left, ask: Ask, name: str) -> None:
    decision_id = story.an_id("d", name)
    told = ask("decision", decision_id)["decision"]
    sources = told["rationale"]["source_data"]
    # The ids of the records stand by themselves as well, for queries.
    assert sources.pop("quiver_trade_ids") == [r["record_id"] for r in sources["records"]]
    assert told["rationale"] == left.rationales[decision_id]
    assert told["rationale"]["rules"]
    assert datetime.now(UTC) - datetime.fromisoformat(told["created_at"]) > timedelta(days=183)


@both_answers
def test_what_was_known_is_told_as_it_was_decided(left: Left, ask: Ask, name: str) -> None:
    decision_id = story.an_id("d", name)
    known, rationale = ask("known-at", decision_id), left.rationales[decision_id]
    for context in ("market_context", "portfolio_context"):
        assert known[context] == rationale[context]
    keys = ("record_id", "version", "topic", "partition", "offset", "person", "direction")
    assert [[row[key] for key in keys] for row in known["records"] if row["used"]] == [
        [row[key] for key in keys] for row in rationale["source_data"]["records"]
    ]
    assert known["missing_records"] == []


@both_answers
def test_the_exact_bytes_say_what_was_decided(left: Left, ask: Ask, name: str) -> None:
    decision_id = story.an_id("d", name)
    told = ask(*left.words(decision_id))
    assert told["content"]["rationale"] == left.rationales[decision_id]
    # As they were written: nothing that a later version of the schema would have added.
    assert not set(SINCE_ADDED) & set(told["content"])
    event = told["event"]
    assert (event["schema_version"], event["hash_fits"], event["copies"]) == (1, True, 1)
    assert event["schema_name"] in OLDER
    assert event["recomputed_hash"] == event["hash"]
    assert len(bytes.fromhex(told["value_hex"])) == event["size_bytes"]


def test_people_with_tools_of_their_own_read_the_same_bytes(left: Left) -> None:
    with psycopg.connect(left.audit.dsn, autocommit=True) as connection:
        prepare_reader(connection, left.audit.schema, "tradetrail_compliance")
        found = connection.execute(
            "SELECT e.value, s.schema FROM events e JOIN schemas s USING (schema_id) "
            'WHERE (e.topic, e.partition, e."offset") = (%s, %s, %s)',
            left.places[made()],
        ).fetchone()
    assert found is not None
    buffer = io.BytesIO(found[0][5:])
    read = fastavro.schemaless_reader(buffer, parse_schema(json.loads(found[1])), None)
    assert isinstance(read, dict)
    assert plain(read["rationale"]) == left.rationales[made()]


def test_every_form_and_the_page_say_the_same(left: Left, ask: Ask, tmp_path: Any) -> None:
    words, whole = left.words(made()), ask(*left.words(made()))
    assert json.loads(left.answers["application/json"], parse_float=Decimal) == whole
    (row,) = csv.DictReader(io.StringIO(left.answers["text/csv"]))
    target = tmp_path / "event.parquet"
    assert run(["report", *words, "--format", "parquet", "-o", str(target)]) == 0
    (cells,) = pyarrow.parquet.read_table(target).to_pylist()
    assert {name: cells[name] or "" for name in cells} == row
    assert tuple(row) == COLUMNS
    assert json.loads(row["content"], parse_float=Decimal) == whole["content"]
    people = tmp_path / "event.txt"
    assert run(["report", *words, "-o", str(people)]) == 0
    for text in (left.answers["text/html"], people.read_text()):
        for word in (
            whole["event"]["hash"],
            "DecisionMade",
            "version 1",
            "gives the recorded hash",
        ):
            assert word.replace("gives", "give") in text
    assert "script" not in left.answers["text/html"]


def test_what_says_nothing_is_told_with_the_reason(left: Left, ask: Ask) -> None:
    broken = ask(*left.words("broken"))
    assert (broken["content"], broken["event"]["type"]) == (None, None)
    assert broken["event"]["reason_code"] == "not_avro"
    assert broken["unreadable_because"] == broken["event"]["reason"]
    assert bytes.fromhex(broken["value_hex"]) == b"garbage"
    deleted = ask(*left.words("deleted"))
    assert (deleted["value_hex"], deleted["event"]["size_bytes"]) == (None, None)
    assert deleted["event"]["key"] == "gone"
    assert "deletes" in deleted["unreadable_because"]
    assert broken["event"]["hash_fits"]
    assert deleted["event"]["hash_fits"]


def test_a_place_where_nothing_stands_is_a_clear_problem(
    left: Left, ask: Ask, capsysbinary: Any
) -> None:
    problem = json.loads(left.answers["missing"])
    assert (problem["status"], "no event at" in problem["detail"]) == (404, True)
    topic = left.places[made()][0]
    for words in ((topic, "0", "999999"), ("a\x00", "0", "0"), (topic, "0", str(1 << 63))):
        assert run(["report", "event", *words]) == 2
    said = capsysbinary.readouterr().err
    assert b"no event at" in said
    assert b"Traceback" not in said


@pytest.mark.parametrize("index", range(3))
def test_an_answer_that_was_cut_is_joined_from_any_of_its_events(
    left: Left, ask: Ask, index: int
) -> None:
    told = ask(*left.words(f"cut-{index}"))
    assert told["body"] == ANSWER.decode()
    assert (told["content"]["chunk_index"], told["event"]["hash_fits"]) == (index, True)
    assert [place_of(part) for part in told["body_parts"]] == [
        left.places[f"cut-{each}"] for each in range(3)
    ]
    assert [part["chunk_index"] for part in told["body_parts"]] == [0, 1, 2]


def test_an_answer_that_lacks_a_part_names_those_there_are(left: Left, ask: Ask) -> None:
    told = ask(*left.words("torn-2"))
    assert told["body"] is None
    assert [place_of(part) for part in told["body_parts"]] == [
        left.places["torn-0"],
        left.places["torn-2"],
    ]
    assert told["content"]["body"] == ANSWER[14:].decode()


def test_people_find_the_other_parts_of_an_answer(left: Left, ask: Ask, tmp_path: Any) -> None:
    people = tmp_path / "event.txt"
    assert run(["report", *left.words("cut-1"), "-o", str(people)]) == 0
    assert "3 of 3 events carry the answer" in people.read_text()
    assert run(["report", *left.words("torn-0"), "-o", str(people)]) == 0
    assert "2 of 3 events carry the answer" in people.read_text()
    page = left.answers["cut"]
    for each in range(3):
        topic, partition, offset = left.places[f"cut-{each}"]
        assert f'href="/reports/events/{topic}/{partition}/{offset}"' in page
    assert ANSWER.decode() in html.unescape(page)
    assert "It can't be joined" in left.answers["torn"]


def test_a_second_event_at_one_place_is_counted(left: Left) -> None:
    with psycopg.connect(left.audit.dsn, options=f"-c search_path={left.audit.schema}") as owner:
        owner.execute(
            "INSERT INTO events SELECT (e.month + interval '1 month')::date, e.topic, e.partition, e.\"offset\", "
            "e.available_at, e.type, e.symbol, e.event_id, e.occurred_at, e.story_id, e.schema_id, e.hash, e.key, "
            'e.value FROM events e WHERE (e.topic, e.partition, e."offset") = (%s, %s, %s)',
            left.places[made()],
        )
        assert event_report(owner, *left.places[made()])["event"]["copies"] == 2
        owner.rollback()


def test_altered_bytes_end_the_command_with_exit_code_1(left: Left, ask: Ask) -> None:
    altered = story.an_id("d", "wrong")
    with psycopg.connect(left.audit.dsn, options=f"-c search_path={left.audit.schema}") as owner:
        owner.execute("ALTER TABLE events DISABLE TRIGGER no_change")
        owner.execute(
            "UPDATE events SET value = set_byte(value, 60, get_byte(value, 60) # 1) "
            'WHERE (topic, partition, "offset") = (%s, %s, %s)',
            left.places[altered],
        )
    told = ask(*left.words(altered), code=1)
    assert told["event"]["hash_fits"] is False
    assert told["event"]["recomputed_hash"] != told["event"]["hash"]
