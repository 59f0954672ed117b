"""Ways to tamper with an audited story as one whom no trigger stops, each with what a verification says first of it."""

from __future__ import annotations

from typing import NamedTuple

from tests import auditor_story as story


class Tampering(NamedTuple):
    """What is done to the database, the code of the first finding, and words of its line."""

    statement: str
    code: str
    told: str


def _event(statement: str, offset: int = 9) -> str:
    return f"{statement} WHERE topic LIKE '%megacap' AND partition = 1 AND \"offset\" = {offset}"


_MEGACAP = "topic LIKE '%megacap' AND partition = 1"
_REST = (
    "available_at, type, symbol, event_id, occurred_at, story_id, schema_id, hash, key, value"
    " FROM events"
)

EVENTS: dict[str, Tampering] = {
    "deleted": Tampering(_event("DELETE FROM events"), "event_missing", "megacap/1 offset 9"),
    "inserted": Tampering(
        _event(f"INSERT INTO events SELECT month, topic, 0, -5, {_REST}"),
        "event_extra",
        "megacap/0 offset -5",
    ),
    "inserted past the position": Tampering(
        _event(f"INSERT INTO events SELECT month, topic, 0, 1000, {_REST}"),
        "event_beyond_position",
        "megacap/0 offset 1000",
    ),
    "inserted in a partition that is not there": Tampering(
        _event(f"INSERT INTO events SELECT month, topic, 77, 0, {_REST}"),
        "event_beyond_position",
        "megacap/77 offset 0",
    ),
    "doubled in another month": Tampering(
        "SELECT ensure_events_month('1990-01-01');"
        + _event(f"INSERT INTO events SELECT '1990-01-01', topic, partition, \"offset\", {_REST}"),
        "event_altered",
        "megacap/1 offset 9 column month",
    ),
    "bytes changed": Tampering(
        _event("UPDATE events SET value = set_byte(value, 30, get_byte(value, 30) # 1)"),
        "event_altered",
        "megacap/1 offset 9 column value",
    ),
    "bytes and hash changed": Tampering(
        _event("UPDATE events SET value = 'x', hash = sha256('x')"),
        "event_altered",
        "megacap/1 offset 9 column value",
    ),
    "key changed": Tampering(
        _event("UPDATE events SET key = 'MSFT'"),
        "event_altered",
        "column key: log AAPL; database MSFT",
    ),
    "append time changed": Tampering(
        _event("UPDATE events SET available_at = 'infinity'"),
        "event_altered",
        "megacap/1 offset 9 column available_at",
    ),
    "symbol changed": Tampering(
        _event("UPDATE events SET symbol = 'MSFT'"),
        "event_altered",
        "column symbol: log AAPL; database MSFT",
    ),
    "content emptied": Tampering(
        _event(
            "UPDATE events SET type = NULL, symbol = NULL, event_id = NULL, occurred_at = NULL, "
            "story_id = NULL, schema_id = NULL"
        ),
        "event_altered",
        "megacap/1 offset 9 column type",
    ),
    "hash changed": Tampering(
        _event("UPDATE events SET hash = sha256('x')"),
        "hash_wrong",
        "megacap/1 offset 9 column hash",
    ),
    "offset changed": Tampering(
        _event('UPDATE events SET "offset" = 1000'), "event_missing", "megacap/1 offset 9"
    ),
    "two swapped": Tampering(
        _event('UPDATE events SET "offset" = 1006', 5)
        + ";"
        + _event('UPDATE events SET "offset" = 5', 6)
        + ";"
        + _event('UPDATE events SET "offset" = 6', 1006),
        "event_altered",
        "megacap/1 offset 5 column value",
    ),
    "newest deleted": Tampering(
        f'DELETE FROM events WHERE {_MEGACAP} AND "offset" > 19',
        "event_missing",
        "megacap/1 offset 20",
    ),
    "newest deleted and the position set back": Tampering(
        f'DELETE FROM events WHERE {_MEGACAP} AND "offset" > 19;'
        f"UPDATE positions SET next_offset = 20 WHERE {_MEGACAP}",
        "position_set_back",
        "megacap/1: log an auditor was at 23; database 20",
    ),
    "position set ahead": Tampering(
        f"UPDATE positions SET next_offset = 1000 WHERE {_MEGACAP}",
        "position_beyond_log",
        "megacap/1: log ends at 23; database 1000",
    ),
    "schema changed": Tampering(
        "UPDATE schemas SET schema = schema || ' ' WHERE type LIKE '%DecisionMade'",
        "schema_differs",
        "schemas schema_id=",
    ),
    "schema deleted": Tampering(
        "DELETE FROM schemas WHERE type LIKE '%DecisionMade'", "schema_missing", "megacap/1 offset"
    ),
}

_SOLD = f"decision_id={story.an_id('d', 'd4')}"
ROWS: dict[str, Tampering] = {
    "a decision's quantity": Tampering(
        "UPDATE trade_decisions SET quantity = 11 WHERE side = 'sell'",
        "row_differs",
        f"trade_decisions {_SOLD} column quantity: log 10.000000000; database 11",
    ),
    "an execution's price": Tampering(
        "UPDATE trade_executions SET filled_avg_price = 1 WHERE side = 'sell'",
        "row_differs",
        f"trade_executions execution_id={story.an_id('x', 'd4', 1)} column filled_avg_price: "
        "log 72.100000000; database 1",
    ),
    "a run's counts": Tampering(
        "UPDATE data_ingestion_runs SET records_fetched = 7 WHERE run_id = 'run-1'",
        "row_differs",
        "data_ingestion_runs run_id=run-1 column records_fetched: log 1; database 7",
    ),
    "a lineage row": Tampering(
        "UPDATE decision_sources SET record_offset = 99 WHERE record_offset = 1",
        "row_differs",
        f"decision_sources decision_id={story.an_id('d', 'd1')}, "
        f"record_id={story.an_id('record', 'r2')}, version=1 column record_offset: log 1; database 99",
    ),
    "a status and the offset it came from": Tampering(
        "UPDATE trade_decisions SET status = 'failed', status_offset = 9999 WHERE side = 'sell'",
        "row_differs",
        f"trade_decisions {_SOLD} column status: log executed; database failed",
    ),
    "a row deleted": Tampering(
        "DELETE FROM risk_checks WHERE passed", "row_missing", "risk_checks check_event_id="
    ),
    "a row made up": Tampering(
        "INSERT INTO sectors (sector_fact_id) VALUES ('made-up')",
        "row_extra",
        "sectors sector_fact_id=made-up",
    ),
    "a trade's value": Tampering(
        "UPDATE trades SET filled_value_usd = 1 WHERE side = 'sell'",
        "row_differs",
        f"trades {_SOLD} column filled_value_usd: log 721.000000000000000000; database 1",
    ),
    "a trade's number in another form": Tampering(
        "UPDATE trades SET filled_quantity = trim_scale(filled_quantity) WHERE side = 'sell'",
        "row_differs",
        f"trades {_SOLD} column filled_quantity: log 10.000000000; database 10",
    ),
    "a trade deleted": Tampering(
        "DELETE FROM trades WHERE side = 'sell'", "row_missing", f"trades {_SOLD}"
    ),
    "a trade made up": Tampering(
        "INSERT INTO trades (decision_id, symbol) VALUES ('made-up', 'AAPL')",
        "row_extra",
        "trades decision_id=made-up",
    ),
}
