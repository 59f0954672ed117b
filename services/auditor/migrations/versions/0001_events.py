"""The events as they stand in the log, append-only and by month; positions and schemas."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.auditor.migrations.parts import (
    BIGINT,
    BYTES,
    DATE,
    INSTANT,
    INTEGER,
    TEXT,
    TOPIC,
    UUID,
    column,
    required,
)

revision = "0001"
down_revision = None

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION '% on % refused: recorded events are append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $body$
"""

# Finds its own schema by its oid, so that it goes on working when a rebuilt schema is renamed into place. Attaching a
# finished table takes a lighter lock on the parent than creating a partition in place: writers go on meanwhile.
ENSURE_MONTH = """
CREATE FUNCTION ensure_events_month(wanted date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    own oid;
    home name;
    first_day date := date_trunc('month', wanted)::date;
    child name := 'events_' || to_char(first_day, 'YYYY_MM');
BEGIN
    GET DIAGNOSTICS own = PG_ROUTINE_OID;
    SELECT n.nspname INTO home FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = own;
    IF to_regclass(format('%I.%I', home, child)) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(home || '.' || child, 0));
    IF to_regclass(format('%I.%I', home, child)) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %I.%I (LIKE %I.events INCLUDING DEFAULTS INCLUDING COMMENTS)', home, child, home);
    EXECUTE format('COMMENT ON TABLE %I.%I IS %L', home, child,
        'Events that Kafka appended in ' || to_char(first_day, 'YYYY-MM') || ' (UTC).');
    EXECUTE format('ALTER TABLE %I.events ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)',
        home, home, child, first_day, (first_day + interval '1 month')::date);
    EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I.%I '
        'FOR EACH STATEMENT EXECUTE FUNCTION %I.refuse_change()', home, child, home);
END $body$
"""


def upgrade() -> None:
    """Make the tables."""
    _events()
    op.execute(REFUSE_CHANGE)
    op.execute(
        "CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON events "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER no_truncate BEFORE TRUNCATE ON events "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(ENSURE_MONTH)
    op.execute(
        "COMMENT ON TABLE schema_version IS 'Which migration this schema has reached; kept by the migration tool.'"
    )
    op.execute("COMMENT ON COLUMN schema_version.version_num IS 'Number of the last migration.'")
    op.create_table(
        "positions",
        required("topic", TOPIC, "Topic."),
        required("partition", INTEGER, "Partition."),
        required(
            "next_offset",
            BIGINT,
            "Every event before this offset is in this database; advanced by compare-and-set with the rows.",
        ),
        sa.PrimaryKeyConstraint("topic", "partition"),
        comment="How far each partition of the log is audited.",
    )
    op.create_table(
        "schemas",
        sa.Column(
            "schema_id",
            INTEGER,
            primary_key=True,
            autoincrement=False,
            comment="Id in the schema registry, as in the events' bytes.",
        ),
        required("type", TEXT, "Full name of the event type it describes."),
        required("schema", TEXT, "The Avro schema as its writer registered it."),
        comment="Every schema met, so that events stay readable without the registry.",
    )


def _events() -> None:
    op.create_table(
        "events",
        required("month", DATE, "First day of the month, UTC, of available_at: the partition key."),
        required("topic", TOPIC, "Topic."),
        required("partition", INTEGER, "Partition of the topic."),
        required("offset", BIGINT, "Offset in the partition."),
        required("available_at", INSTANT, "When Kafka appended it, UTC."),
        column(
            "type",
            TEXT,
            "Event type; empty for what could not be read or stored (see dead_letters).",
        ),
        column("symbol", TEXT, "Symbol it concerns."),
        column("event_id", UUID, "Id of the event."),
        column("occurred_at", INSTANT, "When it happened by its service's clock, UTC."),
        column("story_id", TEXT, "Decision id; before a decision, run id."),
        column("schema_id", INTEGER, "Schema it was written with; see schemas."),
        required(
            "hash",
            BYTES,
            "SHA-256 over position, append time, key and value; see docs/audit-database.md.",
        ),
        column("key", BYTES, "Message key, exact bytes."),
        column("value", BYTES, "Message value, exact bytes."),
        sa.PrimaryKeyConstraint("topic", "partition", "offset", "month"),
        comment="Every event of the log, byte for byte, in log order. Append-only.",
        postgresql_partition_by="RANGE (month)",
    )
    op.create_index("events_symbol_occurred_at", "events", ["symbol", "occurred_at"])
