"""Runs, the records they brought, what vendors answered, and reference facts."""

from __future__ import annotations

from services.auditor.rows import PLACE, POSITION, Group, Reference, Table
from services.auditor.tables.links import CONFIGURATION, RUN, fact

CONFIGURATIONS = Table(
    "configurations", ("configuration_hash",), (fact("scope", "configuration", "recorded_at"),)
)

RUN_START = fact(
    "task_name", "data_source", "started_at", "trigger", "requested_by", "configuration_hash"
)
RUN_STATUS = Group(
    ("status_offset",),
    (
        *("status", "completed_at", "failed_at", "data_date_start", "data_date_end"),
        *("records_fetched", "records_created", "records_updated", "records_skipped"),
        *("records_flagged", "flags", "error_code", "error_message", "error_details"),
        *("findings", "status_offset"),
    ),
    keep="last",
    sticky=frozenset({"data_date_start", "data_date_end"}),
)
DATA_INGESTION_RUNS = Table(
    "data_ingestion_runs", ("run_id",), (RUN_START, RUN_STATUS), (CONFIGURATION,)
)

POLITICIAN_PROFILES = Table(
    "politician_profiles",
    ("politician_id",),
    (Group(PLACE, ("name", "party", "state", "chamber", *POSITION), keep="last"),),
)

DATA_INGESTION_RUN_RECORDS = Table(
    "data_ingestion_run_records",
    ("run_id", "record_id", "version"),
    (fact("record_type", "operation", "symbol", "api_call_id", "row_number"),),
    (RUN,),
)

_DISCLOSURE = (
    *("symbol", "change", "changed_fields", "content_hash", "run_id", "api_call_id", "row_number"),
    *("ticker_text", "transaction_type", "direction", "transaction_date", "disclosed_on"),
    *("flags", "source_fields", "recorded_at"),
)
CONGRESS_TRADES = Table(
    "congress_trades",
    ("record_id", "version"),
    (
        fact(
            *_DISCLOSURE,
            *("politician_id", "politician_name", "chamber", "party", "district", "asset_type"),
            *("description", "amount_text", "amount_usd_min", "amount_usd_max"),
        ),
    ),
    (RUN, Reference(("politician_id",), "politician_profiles")),
)
INSIDER_TRADES = Table(
    "insider_trades",
    ("record_id", "version"),
    (
        fact(
            *_DISCLOSURE,
            *("insider_name", "officer_title", "is_director", "is_officer"),
            *("is_ten_percent_owner", "acquired_disposed_code", "shares", "price_usd"),
            *("shares_owned_following", "ownership"),
        ),
    ),
    (RUN,),
)

DISCLOSURE_WITHDRAWALS = Table(
    "disclosure_withdrawals",
    ("record_id", "version"),
    (fact("symbol", "moved_to_symbol", "reason", "run_id", "api_call_id", "withdrawn_at"),),
    (RUN,),
)

SYMBOL_DATA_READY = Table(
    "symbol_data_ready", ("trigger_id",), (fact("symbol", "run_id", "ready_at"),), (RUN,)
)

API_PAYLOADS = Table(
    "api_payloads",
    ("call_id", "chunk_index"),
    (
        fact(
            *("chunk_count", "purpose", "run_id", "decision_id", "execution_id", "symbol"),
            *("vendor", "method", "endpoint", "request", "requested_at", "status_code", "error"),
            *("request_size_bytes", "response_size_bytes", "records_returned"),
            *("rate_limit_remaining", "duration_us", "vendor_request_id"),
            *("body_encoding", "body_sha256", "body_redactions"),
        ),
    ),
    (RUN,),
)
COMMITTEE_MEMBERSHIPS = Table(
    "committee_memberships",
    ("membership_id",),
    (
        fact(
            *("politician_id", "committee_id", "committee_name", "role", "side", "rank_in_party"),
            *("valid_from", "change", "run_id", "api_call_id"),
        ),
    ),
    (RUN, Reference(("politician_id",), "politician_profiles")),
)
SECTORS = Table(
    "sectors",
    ("sector_fact_id",),
    (
        fact(
            *("symbol", "company_name", "sector", "industry", "valid_from"),
            *("run_id", "api_call_id"),
        ),
    ),
    (RUN,),
)
