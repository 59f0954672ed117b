"""What was fetched: runs, API calls, disclosures, reference facts, configurations."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from services.auditor.migrations.parts import (
    BIGINT,
    BOOLEAN,
    DATE,
    INSTANT,
    INTEGER,
    JSON,
    JSONB,
    NUMERIC,
    TEXT,
    TEXTS,
    column,
    position,
    required,
)

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables, parents first."""
    _configurations()
    _runs()
    _politician_profiles()
    _run_records()
    _disclosures("congress_trades", "Trades of members of Congress, every version.", _congress())
    _disclosures("insider_trades", "Trades of company insiders, every version.", _insider())
    _api_payloads()
    _reference()


def _configurations() -> None:
    op.create_table(
        "configurations",
        required("configuration_hash", TEXT, "SHA-256 of the canonical JSON, hex."),
        column("scope", TEXT, "Service or part it configures."),
        column("configuration", JSONB, "The configuration, without secrets."),
        column("recorded_at", INSTANT, "When it was first recorded, UTC."),
        *position(),
        sa.PrimaryKeyConstraint("configuration_hash"),
        comment="Configurations that decisions and risk checks were made under.",
    )


def _runs() -> None:
    op.create_table(
        "data_ingestion_runs",
        required("run_id", TEXT, "Id of the run."),
        column("task_name", TEXT, "Task, such as data_fetch:congress_daily."),
        column("data_source", TEXT, "Source, such as quiverquant_congress."),
        column("started_at", INSTANT, "When it started, UTC; recorded before its first request."),
        column("trigger", TEXT, "What began it: schedule or command."),
        column("requested_by", TEXT, "Person or schedule slot."),
        column("configuration_hash", TEXT, "Configuration it ran under."),
        column("status", TEXT, "running, completed or failed."),
        column("completed_at", INSTANT, "When it completed, UTC."),
        column("failed_at", INSTANT, "When it failed, UTC."),
        column("data_date_start", DATE, "First day asked for or delivered."),
        column("data_date_end", DATE, "Last such day, inclusive."),
        column("records_fetched", INTEGER, "Rows received."),
        column("records_created", INTEGER, "New records."),
        column("records_updated", INTEGER, "Changed records."),
        column("records_skipped", INTEGER, "Rows that said nothing new."),
        column("records_flagged", INTEGER, "Records with at least one flag."),
        column("flags", JSONB, "Count per flag."),
        column("error_code", TEXT, "Why it failed, as a code."),
        column("error_message", TEXT, "What happened and what to do next."),
        column("error_details", JSONB, "More about the failure."),
        column("status_offset", BIGINT, "Offset of the event that set the status."),
        *position(),
        sa.PrimaryKeyConstraint("run_id"),
        sa.ForeignKeyConstraint(["configuration_hash"], ["configurations.configuration_hash"]),
        comment="Every run of a fetching task.",
    )
    op.create_index("data_ingestion_runs_task", "data_ingestion_runs", ["task_name", "started_at"])
    op.create_index("data_ingestion_runs_status", "data_ingestion_runs", ["status", "started_at"])
    op.create_index(
        "data_ingestion_runs_source", "data_ingestion_runs", ["data_source", "started_at"]
    )


def _politician_profiles() -> None:
    op.create_table(
        "politician_profiles",
        required("politician_id", TEXT, "BioGuide id."),
        column("name", TEXT, "Name; empty until the reference data names it."),
        column("party", TEXT, "Party."),
        column("state", TEXT, "State, two letters."),
        column("chamber", TEXT, "House or Senate."),
        *position(),
        sa.PrimaryKeyConstraint("politician_id"),
        comment="Members of Congress, as the newest reference fact describes them.",
    )


def _run_records() -> None:
    op.create_table(
        "data_ingestion_run_records",
        required("run_id", TEXT, "The run."),
        required("record_id", TEXT, "Stable id of the record."),
        required("version", INTEGER, "Version the run created."),
        column("record_type", TEXT, "congress, insider."),
        column("operation", TEXT, "created or updated."),
        column("symbol", TEXT, "Symbol of the record."),
        column("api_call_id", TEXT, "Call it came from; see api_payloads."),
        column("row_number", INTEGER, "Row in that answer, from 0."),
        *position(),
        sa.PrimaryKeyConstraint("run_id", "record_id", "version"),
        sa.ForeignKeyConstraint(["run_id"], ["data_ingestion_runs.run_id"]),
        comment="Which record versions each run created.",
    )
    op.create_index(
        "data_ingestion_run_records_record", "data_ingestion_run_records", ["record_id"]
    )


def _disclosures(name: str, comment: str, own: list[sa.Column[Any]]) -> None:
    keys: list[sa.schema.SchemaItem] = [
        sa.ForeignKeyConstraint(["run_id"], ["data_ingestion_runs.run_id"])
    ]
    if name == "congress_trades":
        keys.append(
            sa.ForeignKeyConstraint(["politician_id"], ["politician_profiles.politician_id"])
        )
    op.create_table(
        name,
        required("record_id", TEXT, "Stable id of the record, a function of its natural key."),
        required("version", INTEGER, "From 1; a changed record is a new version."),
        column("symbol", TEXT, "Symbol; empty where the vendor's ticker is unusable."),
        column("change", TEXT, "created or updated."),
        column("changed_fields", TEXTS, "What differs from the version before."),
        column("content_hash", TEXT, "SHA-256 over the identifying fields, hex."),
        column("run_id", TEXT, "Run that fetched it."),
        column("api_call_id", TEXT, "Call it came from; see api_payloads."),
        column("row_number", INTEGER, "Row in that answer, from 0."),
        column("ticker_text", TEXT, "The vendor's ticker, untouched."),
        column("transaction_type", TEXT, "The vendor's word or code."),
        column("direction", TEXT, "What that means: buy, sell, exchange, other, unknown."),
        column("transaction_date", DATE, "Day of the trade; empty when unreadable."),
        column("disclosed_on", DATE, "Day of the report; empty when unreadable."),
        *own,
        column("flags", TEXTS, "What is odd about the row."),
        column("source_fields", JSON, "The vendor's whole row."),
        column("recorded_at", INSTANT, "When the ingestor recorded it by its clock, UTC."),
        *position(),
        sa.PrimaryKeyConstraint("record_id", "version"),
        *keys,
        comment=comment,
    )
    op.create_index(f"{name}_disclosed", name, ["symbol", "disclosed_on"])
    op.create_index(f"{name}_traded", name, ["symbol", "transaction_date"])
    op.create_index(f"{name}_run", name, ["run_id"])


def _congress() -> list[sa.Column[Any]]:
    return [
        column("politician_id", TEXT, "BioGuide id."),
        column("politician_name", TEXT, "Name as the vendor writes it."),
        column("chamber", TEXT, "Representatives or Senate."),
        column("party", TEXT, "As the vendor writes it."),
        column("district", TEXT, "As the vendor writes it."),
        column("asset_type", TEXT, "The vendor's kind of asset."),
        column("description", TEXT, "The vendor's description."),
        column("amount_text", TEXT, "The vendor's amount range."),
        column("amount_usd_min", NUMERIC, "Lower bound of the amount, USD."),
        column("amount_usd_max", NUMERIC, "Upper bound, USD; empty when open."),
    ]


def _insider() -> list[sa.Column[Any]]:
    return [
        column("insider_name", TEXT, "Name as the vendor writes it."),
        column("officer_title", TEXT, "Title."),
        column("is_director", BOOLEAN, "Whether a director."),
        column("is_officer", BOOLEAN, "Whether an officer."),
        column("is_ten_percent_owner", BOOLEAN, "Whether an owner of ten percent."),
        column("acquired_disposed_code", TEXT, "A or D."),
        column("shares", NUMERIC, "Shares traded."),
        column("price_usd", NUMERIC, "Price a share, USD."),
        column("shares_owned_following", NUMERIC, "Shares owned afterwards."),
        column("ownership", TEXT, "D direct, I indirect."),
    ]


def _api_payloads() -> None:
    op.create_table(
        "api_payloads",
        required("call_id", TEXT, "Id of the call; its chunks share it."),
        required("chunk_index", INTEGER, "Which chunk of the body, from 0."),
        column("chunk_count", INTEGER, "How many chunks."),
        column("purpose", TEXT, "What the call was for."),
        column("run_id", TEXT, "Run it belongs to."),
        column("decision_id", TEXT, "Decision it belongs to, made or declined."),
        column("execution_id", TEXT, "Execution it belongs to."),
        column("symbol", TEXT, "Symbol it concerns."),
        column("vendor", TEXT, "quiverquant, congress_legislators or alpaca."),
        column("method", TEXT, "HTTP method."),
        column("endpoint", TEXT, "Path asked."),
        column("request", JSONB, "Query, headers and body, secrets redacted."),
        column("requested_at", INSTANT, "When it was sent, UTC."),
        column("status_code", INTEGER, "HTTP status; empty when no answer came."),
        column("error", TEXT, "What went wrong when no answer came."),
        column("request_size_bytes", BIGINT, "Size of the request's body."),
        column("response_size_bytes", BIGINT, "Size of the answer's body."),
        column("records_returned", INTEGER, "Rows in the answer."),
        column("rate_limit_remaining", INTEGER, "Requests left, where the vendor tells."),
        column("duration_us", BIGINT, "From sending to the last byte, microseconds."),
        column("vendor_request_id", TEXT, "The vendor's own id of the request."),
        column("body_encoding", TEXT, "Encoding of the body in the event."),
        column("body_sha256", TEXT, "SHA-256 of the whole decoded body, hex."),
        *position(),
        sa.PrimaryKeyConstraint("call_id", "chunk_index"),
        sa.ForeignKeyConstraint(["run_id"], ["data_ingestion_runs.run_id"]),
        comment="Every vendor call, of ingestion and of trading. Bodies are in the event at the row's position.",
    )
    op.create_index("api_payloads_run", "api_payloads", ["run_id"])
    op.create_index("api_payloads_decision", "api_payloads", ["decision_id"])


def _reference() -> None:
    op.create_table(
        "committee_memberships",
        required("membership_id", TEXT, "Id of the event that says so."),
        column("politician_id", TEXT, "BioGuide id."),
        column("committee_id", TEXT, "Committee, such as HSAG."),
        column("committee_name", TEXT, "Its name."),
        column("role", TEXT, "Chair, Ranking Member …; empty for a plain member."),
        column("side", TEXT, "majority or minority."),
        column("rank_in_party", INTEGER, "Rank."),
        column("valid_from", DATE, "First day it is known to hold."),
        column("change", TEXT, "created, updated or ended."),
        column("run_id", TEXT, "Run that fetched it."),
        column("api_call_id", TEXT, "Call it came from."),
        *position(),
        sa.PrimaryKeyConstraint("membership_id"),
        sa.ForeignKeyConstraint(["politician_id"], ["politician_profiles.politician_id"]),
        sa.ForeignKeyConstraint(["run_id"], ["data_ingestion_runs.run_id"]),
        comment="Committee seats, every change.",
    )
    op.create_index(
        "committee_memberships_politician", "committee_memberships", ["politician_id", "valid_from"]
    )
    op.create_table(
        "sectors",
        required("sector_fact_id", TEXT, "Id of the event that says so."),
        column("symbol", TEXT, "Symbol."),
        column("company_name", TEXT, "Company."),
        column("sector", TEXT, "Sector."),
        column("industry", TEXT, "Industry."),
        column("valid_from", DATE, "First day it is known to hold."),
        column("run_id", TEXT, "Run that fetched it."),
        column("api_call_id", TEXT, "Call it came from."),
        *position(),
        sa.PrimaryKeyConstraint("sector_fact_id"),
        sa.ForeignKeyConstraint(["run_id"], ["data_ingestion_runs.run_id"]),
        comment="Sectors of companies, every change.",
    )
    op.create_index("sectors_symbol", "sectors", ["symbol", "valid_from"])
