"""Typed events, generated from schemas/*.avsc by tools/generate_events.py: do not edit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The event that brought this one about, and where it stands in the log."""

    topic: str
    """Topic of the causing event."""
    partition: int
    """Its partition."""
    offset: int
    """Its offset."""
    event_id: str
    """Its event id (UUID)."""


class Severity(StrEnum):
    """How urgent an alert is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDelivery:
    """What became of an alert on one channel."""

    channel: str
    """Name of the channel, without secrets."""
    delivered: bool
    """Whether it was delivered."""
    detail: str
    """What the channel answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised:
    """The auditor raised an alert."""

    TYPE: ClassVar[str] = "tradetrail.events.AlertRaised"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    rule: str
    """Which rule."""
    severity: Severity
    """How urgent."""
    subject: str
    """What it is about."""
    message: str
    """What happened and what to do next."""
    deliveries: tuple[AlertDelivery, ...] = ()
    """Result per channel."""


class CallPurpose(StrEnum):
    """What a vendor call was for."""

    DISCLOSURES = "disclosures"
    REFERENCE = "reference"
    MARKET_CONTEXT = "market_context"
    PORTFOLIO_CONTEXT = "portfolio_context"
    ORDER_SUBMIT = "order_submit"
    ORDER_LOOKUP = "order_lookup"
    ORDER_POLL = "order_poll"
    ORDER_CANCEL = "order_cancel"
    RECONCILE = "reconcile"
    UNRECOGNISED = "unrecognised"


class BodyEncoding(StrEnum):
    """How the stored bytes of a body are encoded."""

    IDENTITY = "identity"
    GZIP = "gzip"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCallRecorded:
    """One call to a vendor: what was asked and what came back, byte for byte."""

    TYPE: ClassVar[str] = "tradetrail.events.ApiCallRecorded"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    call_id: str
    """Id of the call; its chunks share it."""
    purpose: CallPurpose
    """What it was for."""
    run_id: str | None = None
    """The run it belongs to."""
    decision_id: str | None = None
    """The decision it belongs to."""
    execution_id: str | None = None
    """The execution it belongs to."""
    vendor: str
    """quiverquant, congress_legislators or alpaca."""
    method: str
    """HTTP method."""
    endpoint: str
    """Path asked, without host and query."""
    request: str
    """Query, headers and body as JSON, secrets redacted."""
    requested_at: datetime
    """When it was sent, injected clock, UTC."""
    status_code: int | None = None
    """HTTP status; null when no answer came."""
    error: str | None = None
    """What went wrong when no answer came."""
    request_size_bytes: int
    """Size of the request body."""
    response_size_bytes: int
    """Size of the answer's body as received."""
    records_returned: int | None = None
    """Rows in the answer, where it has rows."""
    rate_limit_remaining: int | None = None
    """Requests left, where the vendor tells."""
    duration_us: int
    """From sending to the last byte, real time, microseconds."""
    vendor_request_id: str | None = None
    """The vendor's own id of the request."""
    body: bytes | None = None
    """The answer's body or a chunk of it, encoded."""
    body_encoding: BodyEncoding
    """Encoding of body."""
    body_sha256: str | None = None
    """SHA-256 of the whole decoded body as kept, hex."""
    chunk_index: int
    """Which chunk, from 0."""
    chunk_count: int
    """How many chunks."""
    body_redactions: int = 0
    """How often the answer held a secret of ours, each replaced by stars before the body was kept and hashed; 0: byte for byte as received."""


class Side(StrEnum):
    """Side of an order."""

    BUY = "buy"
    SELL = "sell"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOrderDiscovered:
    """An order or fill the broker has and the log lacked."""

    TYPE: ClassVar[str] = "tradetrail.events.BrokerOrderDiscovered"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    account: str
    """Broker account."""
    broker_order_id: str
    """The broker's id."""
    client_order_id: str | None = None
    """The client's id."""
    strategy_name: str
    """manual."""
    side: Side
    """Buy or sell."""
    quantity: Decimal
    """Shares."""
    broker_status: str
    """The broker's own word."""
    filled_qty_total: Decimal
    """Shares filled."""
    filled_avg_price: Decimal | None = None
    """Average price, USD a share."""
    submitted_at: datetime | None = None
    """The broker's time, UTC."""
    raw_response: str
    """As received."""
    decision_id: str | None = None
    """The decision whose order it is after all; null for an order that is none of ours."""
    execution_id: str | None = None
    """The execution that was recorded as over or not sent, and whose order the broker has all the same."""
    explanation: str | None = None
    """What the log lacked, in a sentence."""


class SeatChange(StrEnum):
    """What happened to a committee seat."""

    CREATED = "created"
    UPDATED = "updated"
    ENDED = "ended"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitteeMembershipRecorded:
    """A committee seat of a politician."""

    TYPE: ClassVar[str] = "tradetrail.events.CommitteeMembershipRecorded"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    politician_id: str
    """BioGuide id."""
    politician_name: str
    """Name."""
    party: str | None = None
    """R, D, I …"""
    state: str | None = None
    """Two letters."""
    chamber: str | None = None
    """House or Senate."""
    committee_id: str
    """Such as HSAG."""
    committee_name: str
    """Name."""
    role: str | None = None
    """Chair, Ranking Member …; null for a plain member."""
    side: str | None = None
    """majority or minority."""
    rank_in_party: int | None = None
    """Rank."""
    valid_from: date
    """First day it is known to hold."""
    change: SeatChange
    """Begun, changed or ended."""
    run_id: str
    """The run that fetched it."""
    api_call_id: str
    """The call it came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationRecorded:
    """A configuration, whole and without secrets, before the first act under it."""

    TYPE: ClassVar[str] = "tradetrail.events.ConfigurationRecorded"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    configuration_hash: str
    """SHA-256 of the canonical JSON, hex."""
    scope: str
    """Which service or part it configures."""
    configuration: str
    """Canonical JSON."""


class DeclineReason(StrEnum):
    """Why no trade came of a signal."""

    BELOW_THRESHOLD = "below_threshold"
    ALREADY_ACTED = "already_acted"
    NO_POSITION = "no_position"
    NO_SIGNAL = "no_signal"
    CONTEXT_UNAVAILABLE = "context_unavailable"
    INCOMPLETE_VIEW = "incomplete_view"
    NOT_TRADABLE = "not_tradable"
    ZERO_QUANTITY = "zero_quantity"
    STALE_DISCLOSURES = "stale_disclosures"
    CONFLICTING_SIGNALS = "conflicting_signals"
    INVALID_ORDER = "invalid_order"
    UNRECOGNISED = "unrecognised"


class Direction(StrEnum):
    """Direction of a disclosed transaction."""

    BUY = "buy"
    SELL = "sell"
    EXCHANGE = "exchange"
    OTHER = "other"
    UNKNOWN = "unknown"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """A record a decision used, with its exact place in the log."""

    record_id: str
    """Stable id of the record."""
    version: int
    """Version used."""
    topic: str
    """Topic of its DisclosureRecorded."""
    partition: int
    """Partition of it."""
    offset: int
    """Offset of it."""
    event_id: str
    """Id of that event."""
    run_id: str
    """The run that fetched it."""
    person: str
    """Politician or insider."""
    direction: Direction
    """Direction of the disclosed trade."""
    transacted_on: date | None = None
    """Day of the trade, as disclosed."""
    reported_on: date | None = None
    """Day of the report."""
    amount_usd_min: Decimal | None = None
    """Lower bound of the disclosed amount, USD."""
    amount_usd_max: Decimal | None = None
    """Upper bound, USD; null when open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceData:
    """What a decision rests on."""

    records: tuple[SourceRecord, ...] = ()
    """The records used, in log order."""
    politician_names: tuple[str, ...] = ()
    """Distinct politicians, sorted."""
    insider_names: tuple[str, ...] = ()
    """Distinct insiders, sorted."""
    trade_dates: tuple[date, ...] = ()
    """Distinct trade days, ascending."""
    consensus_detected: bool
    """Whether enough distinct people acted the same way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketContext:
    """The market as the decision saw it."""

    current_price: Decimal
    """Last known price, USD a share."""
    price_as_of: datetime
    """When that price was current, UTC."""
    volume_20d_avg: Decimal | None = None
    """Mean daily volume of the last 20 sessions, shares."""
    volatility: Decimal | None = None
    """Annualised standard deviation of daily log returns over the last 20 sessions."""
    api_call_ids: tuple[str, ...] = ()
    """The recorded calls it came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioContext:
    """The account as the decision saw it."""

    existing_position: Decimal
    """Shares held of the symbol (negative: short)."""
    buying_power: Decimal
    """Buying power, USD."""
    portfolio_value: Decimal
    """Value of the portfolio, USD."""
    api_call_ids: tuple[str, ...] = ()
    """The recorded calls it came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageRun:
    """A run that delivered records used."""

    run_id: str
    """The run."""
    task_name: str
    """Its task."""
    data_source: str
    """Its data source."""
    completed_at: datetime
    """When it completed, UTC."""
    records_fetched: int
    """How many records it fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataLineage:
    """Where the records used came from."""

    ingestion_runs: tuple[LineageRun, ...] = ()
    """The runs of the records used, by completion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceFact:
    """A reference fact used, with its place in the log."""

    kind: str
    """committee_seat or sector."""
    subject: str
    """Politician id or symbol."""
    value: str
    """What it says."""
    topic: str
    """Topic."""
    partition: int
    """Partition."""
    offset: int
    """Offset."""
    event_id: str
    """Id of the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """One rule of the strategy and what came of it."""

    rule: str
    """Name of the rule."""
    value: Decimal | None = None
    """The number it looked at."""
    threshold: Decimal | None = None
    """The number it was held against."""
    passed: bool
    """Whether it spoke for the trade."""
    explanation: str
    """The same in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rationale:
    """Why a decision was made or declined: all that went into it."""

    signal_strength: Decimal
    """0 to 10."""
    confidence_score: Decimal
    """0 to 1."""
    trigger_event: str
    """What set it off, such as congressional_buy."""
    source_data: SourceData
    """The disclosures."""
    market_context: MarketContext | None = None
    """The market; null when it was not needed or not to be had."""
    portfolio_context: PortfolioContext | None = None
    """The account; null likewise."""
    data_lineage: DataLineage
    """The runs."""
    reference_facts: tuple[ReferenceFact, ...] = ()
    """Committee seats and sectors used."""
    rules: tuple[RuleResult, ...] = ()
    """Each rule, in the order applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPosition:
    """A place in the log."""

    topic: str
    """Topic."""
    partition: int
    """Partition of it."""
    offset: int
    """Offset, inclusive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionDeclined:
    """A signal no trade came of, and why."""

    TYPE: ClassVar[str] = "tradetrail.events.DecisionDeclined"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    decision_id: str
    """UUIDv5 of trigger and strategy."""
    strategy_name: str
    """Such as CongressionalTradingStrategy, or manual."""
    strategy_version: str
    """Version of its rules."""
    reason: DeclineReason
    """The code."""
    reason_text: str
    """The same in a sentence, with the numbers."""
    side: Side | None = None
    """The side it would have had."""
    rationale: Rationale
    """All that was looked at."""
    view_through: int
    """What was seen: the partition through this offset, inclusive."""
    batch_id: str | None = None
    """The run whose data set it off."""
    configuration_hash: str
    """Configuration it was declined under."""
    reference_through: tuple[LogPosition, ...] = ()
    """How far the reference topic was seen, a position for each partition, inclusive; empty when none was read."""
    api_call_ids: tuple[str, ...] = ()
    """Every recorded call that was made for it, also those that failed and those that other answers share."""


class OrderType(StrEnum):
    """Type of an order."""

    MARKET = "market"
    LIMIT = "limit"
    UNRECOGNISED = "unrecognised"


class TimeInForce(StrEnum):
    """How long an order stays good."""

    DAY = "day"
    GTC = "gtc"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMade:
    """The intent to trade, with all that led to it."""

    TYPE: ClassVar[str] = "tradetrail.events.DecisionMade"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    decision_id: str
    """UUIDv5 of trigger and strategy."""
    strategy_name: str
    """Such as CongressionalTradingStrategy, or manual."""
    strategy_version: str
    """Version of its rules."""
    side: Side
    """Buy or sell."""
    quantity: Decimal
    """Shares."""
    order_type: OrderType
    """Market or limit."""
    limit_price: Decimal | None = None
    """USD a share."""
    time_in_force: TimeInForce
    """Day or good till cancelled."""
    rationale: Rationale
    """Why."""
    view_through: int
    """The decision saw its partition through this offset, inclusive."""
    batch_id: str | None = None
    """The run whose data set it off."""
    configuration_hash: str
    """Configuration it was made under."""
    made_by: str | None = None
    """The person, for a manual order."""
    why: str | None = None
    """The person's reason."""
    reference_through: tuple[LogPosition, ...] = ()
    """How far the reference topic was seen, a position for each partition, inclusive; empty when none was read."""
    api_call_ids: tuple[str, ...] = ()
    """Every recorded call that was made for it, also those that failed and those that other answers share."""


class RecordChange(StrEnum):
    """Whether a record was new or a changed version of a known one."""

    CREATED = "created"
    UPDATED = "updated"
    UNRECOGNISED = "unrecognised"


class RecordKind(StrEnum):
    """Which kind of disclosure."""

    CONGRESS = "congress"
    INSIDER = "insider"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureRecorded:
    """One disclosed trade of a politician or an insider, as fetched."""

    TYPE: ClassVar[str] = "tradetrail.events.DisclosureRecorded"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    record_id: str
    """Stable id from the natural key (UUID)."""
    version: int
    """From 1; a changed record is a new version."""
    change: RecordChange
    """New or changed."""
    changed_fields: tuple[str, ...] = ()
    """Which fields differ from the version before."""
    content_hash: str
    """SHA-256 over the identifying fields, hex."""
    kind: RecordKind
    """Congress or insider."""
    run_id: str
    """The run that fetched it."""
    api_call_id: str
    """The call it came from."""
    row_number: int
    """Its row in that answer, from 0."""
    person_id: str | None = None
    """BioGuide id of a politician."""
    person_name: str
    """Politician or insider, as the vendor writes it."""
    chamber: str | None = None
    """Representatives or Senate."""
    party: str | None = None
    """As the vendor writes it."""
    district: str | None = None
    """As the vendor writes it, stripped."""
    ticker_text: str | None = None
    """The vendor's ticker, untouched."""
    asset_type: str | None = None
    """The vendor's TickerType."""
    description: str | None = None
    """The vendor's description."""
    transaction_type: str
    """The vendor's Transaction or TransactionCode."""
    direction: Direction
    """What that means."""
    transacted_on: date | None = None
    """Day of the trade; null when unreadable."""
    reported_on: date | None = None
    """Day of the report; null when unreadable."""
    amount_text: str | None = None
    """The vendor's Range."""
    amount_usd_min: Decimal | None = None
    """Lower bound, USD."""
    amount_usd_max: Decimal | None = None
    """Upper bound, USD; null when open."""
    officer_title: str | None = None
    """Insider's title."""
    is_director: bool | None = None
    """Insider is a director."""
    is_officer: bool | None = None
    """Insider is an officer."""
    is_ten_percent_owner: bool | None = None
    """Insider owns ten percent."""
    acquired_disposed_code: str | None = None
    """A or D."""
    shares: Decimal | None = None
    """Shares traded by the insider."""
    price_usd: Decimal | None = None
    """Price a share, USD."""
    shares_owned_following: Decimal | None = None
    """Shares owned afterwards."""
    ownership: str | None = None
    """D direct, I indirect."""
    flags: tuple[str, ...] = ()
    """Codes of what is odd about the row, sorted."""
    source_fields: str
    """The vendor's whole row as JSON; evidence, never read by a strategy."""


class WithdrawalReason(StrEnum):
    """Why a record was taken away from a symbol."""

    MOVED = "moved"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureWithdrawn:
    """A correction took a record away from the symbol it stood under: from here on it tells nothing about that symbol."""

    TYPE: ClassVar[str] = "tradetrail.events.DisclosureWithdrawn"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    record_id: str
    """Stable id of the record."""
    version: int
    """The version that took it away; its DisclosureRecorded stands under the new symbol."""
    moved_to_symbol: str | None = None
    """Symbol it stands under now; null when the corrected ticker is no symbol."""
    reason: WithdrawalReason
    """Why."""
    run_id: str
    """Run that fetched the correction."""
    api_call_id: str
    """Call the correction came from."""


class DeadLetterReason(StrEnum):
    """Why an event could not be processed."""

    NO_BODY = "no_body"
    NOT_AVRO = "not_avro"
    UNKNOWN_SCHEMA = "unknown_schema"
    BROKEN_BODY = "broken_body"
    UNKNOWN_TYPE = "unknown_type"
    NOT_STORABLE = "not_storable"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDeadLettered:
    """An event that could not be processed, whole, with the reason and where it stood."""

    TYPE: ClassVar[str] = "tradetrail.events.EventDeadLettered"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    source_topic: str
    """Where it came from."""
    source_partition: int
    """Its partition."""
    source_offset: int
    """Its offset."""
    source_key: bytes | None = None
    """Its key."""
    source_value: bytes | None = None
    """Its value, untouched."""
    reason_code: DeadLetterReason
    """Why."""
    reason: str
    """The same in a sentence."""
    schema_id: int | None = None
    """The schema id it claimed."""


class OrderStatus(StrEnum):
    """Status of one execution (one attempt of a decision)."""

    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    UNKNOWN = "unknown"
    ERROR = "error"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionKept:
    """State of the executor: an open execution (compacted)."""

    TYPE: ClassVar[str] = "tradetrail.events.ExecutionKept"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    execution_id: str
    """UUIDv5 of decision and attempt."""
    decision_id: str
    """The decision."""
    attempt_number: int
    """From 1."""
    client_order_id: str
    """Our id at the broker, derived from decision and attempt."""
    account: str
    """Broker account."""
    status: OrderStatus
    """Status now."""
    reserved_usd: Decimal
    """Money its limits hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorActivated:
    """An executor took over an account."""

    TYPE: ClassVar[str] = "tradetrail.events.ExecutorActivated"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    account: str
    """Broker account."""
    paper: bool
    """False only when live trading is switched on, twice."""
    configuration_hash: str
    """Configuration it runs under."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinding:
    """Something a maintenance run noticed; it changes nothing by itself."""

    code: str
    """What kind, such as missing_records; docs/ingestor.md lists all."""
    subject: str
    """What it is about: a data source, a chamber or a task."""
    message: str
    """What was noticed and what mends it."""
    details: str
    """The facts as a JSON object: days, counts, examples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionRunCompleted:
    """A run delivered all its records."""

    TYPE: ClassVar[str] = "tradetrail.events.IngestionRunCompleted"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    run_id: str
    """Id of the run."""
    task_name: str
    """Its task."""
    data_source: str
    """Its data source."""
    started_at: datetime
    """When it started, UTC."""
    data_date_start: date | None = None
    """First reported day among its records, or asked for."""
    data_date_end: date | None = None
    """Last such day, inclusive."""
    records_fetched: int
    """Rows received."""
    records_created: int
    """New records."""
    records_updated: int
    """Changed records."""
    records_skipped: int
    """Rows that said nothing new."""
    records_flagged: int
    """Records with at least one flag."""
    flags: dict[str, int] = field(default_factory=dict)
    """Count per flag."""
    ingested_record_ids: tuple[str, ...] = ()
    """Records created or changed."""
    findings: tuple[RunFinding, ...] = ()
    """What a maintenance run noticed, in a fixed order; none for other tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionRunFailed:
    """A run delivered nothing, and why."""

    TYPE: ClassVar[str] = "tradetrail.events.IngestionRunFailed"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    run_id: str
    """Id of the run."""
    task_name: str
    """Its task."""
    data_source: str
    """Its data source."""
    started_at: datetime
    """When it started, UTC."""
    error_code: str
    """A code, such as vendor_unavailable or abandoned."""
    error_message: str
    """What happened, to what, and what to do next."""
    error_details: str | None = None
    """More, as JSON."""
    records_fetched: int
    """Rows received before it failed."""


class RunTrigger(StrEnum):
    """What began a run."""

    SCHEDULE = "schedule"
    COMMAND = "command"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionRunStarted:
    """A run is about to fetch; committed before its first request."""

    TYPE: ClassVar[str] = "tradetrail.events.IngestionRunStarted"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    run_id: str
    """Id of the run."""
    task_name: str
    """Such as data_fetch:congress_daily."""
    data_source: str
    """Such as quiverquant_congress."""
    data_date_start: date | None = None
    """First day asked for."""
    data_date_end: date | None = None
    """Last day asked for, inclusive."""
    trigger: RunTrigger
    """What began it."""
    requested_by: str
    """Person or schedule slot."""
    configuration_hash: str
    """Configuration it runs under."""


class OperatorAct(StrEnum):
    """What an operator did."""

    MANUAL_ORDER = "manual_order"
    CANCEL_ORDER = "cancel_order"
    REPLACE_ORDER = "replace_order"
    RESOLVE_ORDER = "resolve_order"
    HALT = "halt"
    RESUME = "resume"
    REBUILD = "rebuild"
    ARCHIVE = "archive"
    REQUEUE = "requeue"
    RECONCILE = "reconcile"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorActed:
    """A person acted."""

    TYPE: ClassVar[str] = "tradetrail.events.OperatorActed"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    act: OperatorAct
    """What."""
    operator: str
    """Who."""
    why: str
    """Why."""
    scope: str
    """What it concerns: a symbol, a strategy, a decision, everything."""
    arguments: str
    """Its arguments as JSON."""
    decision_id: str | None = None
    """The decision it concerns."""
    execution_id: str | None = None
    """The execution it concerns."""
    idempotency_key: str | None = None
    """A repeated act with this key is the same act."""


class AnswerOutcome(StrEnum):
    """What came of an act."""

    ACKNOWLEDGED = "acknowledged"
    DONE = "done"
    REFUSED = "refused"
    UNRECOGNISED = "unrecognised"


class DecisionStatus(StrEnum):
    """What has become of a decision."""

    PENDING = "pending"
    EXECUTING = "executing"
    EXECUTED = "executed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAnswered:
    """An executor's answer to a person's act."""

    TYPE: ClassVar[str] = "tradetrail.events.OperatorAnswered"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    act_id: str
    """Event id of the act it answers."""
    act: OperatorAct
    """Which act."""
    account: str
    """Broker account the executor serves."""
    member_id: str
    """The executor as a member of the account's group; every member answers a halt."""
    is_active: bool
    """Whether it acted for the account, or stood by."""
    outcome: AnswerOutcome
    """acknowledged: in force from here on (halt, resume); done: carried out; refused: nothing was changed."""
    explanation: str
    """What was done or why not, in a sentence."""
    details: str | None = None
    """Numbers behind it, as JSON."""
    decision_id: str | None = None
    """The decision it concerns."""
    execution_id: str | None = None
    """The execution it concerns; of a replacement, the new one."""
    decision_status: DecisionStatus | None = None
    """Status of the decision now, when the answer itself changed it: a decision cancelled while it waited."""


class Control(StrEnum):
    """A pre-trade control."""

    ORDER_NOTIONAL = "order_notional"
    ORDER_SIZE = "order_size"
    DAILY_NOTIONAL = "daily_notional"
    DAILY_ORDER_COUNT = "daily_order_count"
    POSITION_LIMIT = "position_limit"
    BUYING_POWER = "buying_power"
    PRICE_COLLAR = "price_collar"
    ORDER_RATE = "order_rate"
    DUPLICATE_WINDOW = "duplicate_window"
    RESTRICTED_LIST = "restricted_list"
    STALE_DECISION = "stale_decision"
    MARKET_HOURS = "market_hours"
    HALT = "halt"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskCheck:
    """One pre-trade control and what came of it."""

    control: Control
    """Which control."""
    passed: bool
    """Whether the order may pass."""
    limit: Decimal | None = None
    """The configured limit."""
    observed: Decimal | None = None
    """What was observed."""
    unit: str
    """Unit of both numbers."""
    explanation: str
    """The same in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBlocked:
    """A pre-trade control refused an order; nothing was sent."""

    TYPE: ClassVar[str] = "tradetrail.events.OrderBlocked"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    decision_id: str
    """The decision."""
    attempt_number: int
    """From 1."""
    account: str
    """Broker account."""
    control: Control
    """Which control refused."""
    limit: Decimal | None = None
    """Its limit."""
    observed: Decimal | None = None
    """What was observed."""
    unit: str
    """Unit of both."""
    explanation: str
    """The same in a sentence."""
    risk_checks: tuple[RiskCheck, ...] = ()
    """All controls and their results."""
    configuration_hash: str
    """Configuration of the controls."""
    api_call_ids: tuple[str, ...] = ()
    """The recorded calls that the checks took their numbers from: account, positions, last prices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSubmitting:
    """An order is about to be sent; committed before the request."""

    TYPE: ClassVar[str] = "tradetrail.events.OrderSubmitting"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    execution_id: str
    """UUIDv5 of decision and attempt."""
    decision_id: str
    """The decision."""
    attempt_number: int
    """From 1."""
    client_order_id: str
    """Our id at the broker, derived from decision and attempt."""
    account: str
    """Broker account."""
    side: Side
    """Buy or sell."""
    quantity: Decimal
    """Shares."""
    order_type: OrderType
    """Market or limit."""
    limit_price: Decimal | None = None
    """USD a share."""
    time_in_force: TimeInForce
    """Day or good till cancelled."""
    endpoint: str
    """Path it goes to."""
    method: str
    """HTTP method."""
    request: str
    """The exact JSON body."""
    risk_checks: tuple[RiskCheck, ...] = ()
    """The controls it passed."""
    previous_execution_id: str | None = None
    """The execution it retries or replaces."""
    configuration_hash: str
    """Configuration of the controls."""
    strategy_name: str | None = None
    """The decision's strategy, so that equal orders are known without the decision; null in older events."""
    api_call_ids: tuple[str, ...] = ()
    """The recorded calls that the checks took their numbers from: account, positions, last prices."""


class UpdateSource(StrEnum):
    """What told us of an order's state."""

    POST = "post"
    STREAM = "stream"
    POLL = "poll"
    LOOKUP = "lookup"
    SNAPSHOT = "snapshot"
    OPERATOR = "operator"
    EXECUTOR = "executor"
    UNRECOGNISED = "unrecognised"


class FailureReason(StrEnum):
    """Why a decision failed."""

    INSUFFICIENT_BUYING_POWER = "insufficient_buying_power"
    INSUFFICIENT_QUANTITY = "insufficient_quantity"
    SYMBOL_NOT_TRADABLE = "symbol_not_tradable"
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"
    WASH_TRADE = "wash_trade"
    INVALID_ORDER = "invalid_order"
    ACCOUNT_RESTRICTED = "account_restricted"
    UNAUTHORIZED = "unauthorized"
    BROKER_REJECTED = "broker_rejected"
    BROKER_CANCELLED = "broker_cancelled"
    EXPIRED = "expired"
    NOT_SENT = "not_sent"
    BLOCKED = "blocked"
    BROKER_UNAVAILABLE = "broker_unavailable"
    SETTLED_BY_OPERATOR = "settled_by_operator"
    OPERATOR_CANCELLED = "operator_cancelled"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUpdated:
    """The broker's answer, or a later state of an order."""

    TYPE: ClassVar[str] = "tradetrail.events.OrderUpdated"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    execution_id: str
    """UUIDv5 of decision and attempt."""
    decision_id: str
    """The decision."""
    attempt_number: int
    """From 1."""
    client_order_id: str
    """Our id at the broker, derived from decision and attempt."""
    account: str
    """Broker account."""
    broker_order_id: str | None = None
    """The broker's id."""
    status: OrderStatus
    """Status of the execution now."""
    decision_status: DecisionStatus
    """Status of its decision now."""
    source: UpdateSource
    """What told us."""
    broker_status: str | None = None
    """The broker's own word."""
    broker_at: datetime | None = None
    """The broker's time of it, UTC."""
    filled_qty_total: Decimal
    """Shares filled so far."""
    fill_qty: Decimal | None = None
    """Shares of this fill; null when it is none."""
    fill_price: Decimal | None = None
    """Price of this fill, USD a share."""
    filled_avg_price: Decimal | None = None
    """Average price so far, USD a share."""
    commission: Decimal | None = None
    """Commission so far, USD."""
    failure_reason: FailureReason | None = None
    """Why it failed."""
    error_message: str | None = None
    """The broker's own words."""
    raw_response: str | None = None
    """The answer as received."""
    api_call_id: str | None = None
    """The recorded call."""


class ReadOutcome(StrEnum):
    """What came of a read."""

    ANSWERED = "answered"
    NOTHING_RECORDED = "nothing_recorded"
    EXPORT_BEGUN = "export_begun"
    EXPORT_COMPLETE = "export_complete"
    EXPORT_CUT_OFF = "export_cut_off"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRecorded:
    """A read under the compliance role, recorded before its answer leaves; an export has a second one at its end."""

    TYPE: ClassVar[str] = "tradetrail.events.QueryRecorded"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    reader: str
    """Who."""
    role: str
    """Role."""
    query: str
    """Which report: executed, decision, …; overview for the list of symbols."""
    arguments: str
    """What it was asked, as JSON: the parameters of the path and of the query by name."""
    rows: int
    """Rows in the answer; of an export that has ended, rows put out, and 0 when it begins."""
    read_id: str | None = None
    """Which read: both events of an export name the same one. Null where there was no such field: then the event's id stands for it."""
    outcome: ReadOutcome | None = None
    """answered: the whole answer was ready to be sent; nothing_recorded: the answer says that there is no such thing; export_begun, then export_complete or export_cut_off: of an export. Null where there was no such field."""
    format: str | None = None
    """Form of the answer: html, json, csv or parquet; null where there was no such field."""
    path: str | None = None
    """Path of the URL that was asked, without its query; null where there was no such field."""
    request_id: str | None = None
    """Id of the HTTP request, as the answer named it; null where there was none."""
    rows_expected: int | None = None
    """Rows that an export which begins is going to have; null otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordKept:
    """State of the ingestor: the newest version of a record (compacted)."""

    TYPE: ClassVar[str] = "tradetrail.events.RecordKept"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    record_id: str
    """The record."""
    version: int
    """Its newest version."""
    content_hash: str
    """SHA-256 over its identifying fields, hex."""
    data_source: str
    """Its source."""
    identity: str
    """The natural key, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectorRecorded:
    """The sector of a company."""

    TYPE: ClassVar[str] = "tradetrail.events.SectorRecorded"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    company_name: str
    """Name."""
    sector: str
    """Sector."""
    industry: str | None = None
    """Industry."""
    valid_from: date
    """First day it is known to hold."""
    run_id: str
    """The run that fetched it."""
    api_call_id: str | None = None
    """The call it came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReference:
    """One version of one disclosure record."""

    record_id: str
    """Stable id of the record (UUID)."""
    version: int
    """Its version, from 1."""
    event_id: str
    """Id of the DisclosureRecorded event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolDataReady:
    """The last event of a run in a symbol's partition."""

    TYPE: ClassVar[str] = "tradetrail.events.SymbolDataReady"

    event_id: str
    """Id of this event (UUID); a function of its cause, so a repeated step makes the same one."""
    occurred_at: datetime
    """When it happened by the service's injected clock, UTC."""
    service: str
    """Which service made it (ingestor, decider, executor, auditor, cli)."""
    service_version: str
    """The version of the software that made it."""
    instance: str
    """Which instance of the service made it."""
    cause: Cause | None = None
    """The event that caused it; null for what a person, a schedule or the outside world began."""
    symbol: str | None = None
    """The symbol it concerns, share classes with a dot (BRK.B); null where there is none."""
    story_id: str | None = None
    """The decision id; before a decision, the run id; null outside any story."""
    run_id: str
    """The run."""
    task_name: str
    """Its task."""
    data_source: str
    """Its data source."""
    completed_at: datetime
    """When the run completed, UTC."""
    records_fetched: int
    """Rows the whole run fetched."""
    records: tuple[RecordReference, ...] = ()
    """The records it created or changed for this symbol, in order."""


Event = (
    AlertRaised
    | ApiCallRecorded
    | BrokerOrderDiscovered
    | CommitteeMembershipRecorded
    | ConfigurationRecorded
    | DecisionDeclined
    | DecisionMade
    | DisclosureRecorded
    | DisclosureWithdrawn
    | EventDeadLettered
    | ExecutionKept
    | ExecutorActivated
    | IngestionRunCompleted
    | IngestionRunFailed
    | IngestionRunStarted
    | OperatorActed
    | OperatorAnswered
    | OrderBlocked
    | OrderSubmitting
    | OrderUpdated
    | QueryRecorded
    | RecordKept
    | SectorRecorded
    | SymbolDataReady
)


CATALOGUE: dict[str, type[Event]] = {
    AlertRaised.TYPE: AlertRaised,
    ApiCallRecorded.TYPE: ApiCallRecorded,
    BrokerOrderDiscovered.TYPE: BrokerOrderDiscovered,
    CommitteeMembershipRecorded.TYPE: CommitteeMembershipRecorded,
    ConfigurationRecorded.TYPE: ConfigurationRecorded,
    DecisionDeclined.TYPE: DecisionDeclined,
    DecisionMade.TYPE: DecisionMade,
    DisclosureRecorded.TYPE: DisclosureRecorded,
    DisclosureWithdrawn.TYPE: DisclosureWithdrawn,
    EventDeadLettered.TYPE: EventDeadLettered,
    ExecutionKept.TYPE: ExecutionKept,
    ExecutorActivated.TYPE: ExecutorActivated,
    IngestionRunCompleted.TYPE: IngestionRunCompleted,
    IngestionRunFailed.TYPE: IngestionRunFailed,
    IngestionRunStarted.TYPE: IngestionRunStarted,
    OperatorActed.TYPE: OperatorActed,
    OperatorAnswered.TYPE: OperatorAnswered,
    OrderBlocked.TYPE: OrderBlocked,
    OrderSubmitting.TYPE: OrderSubmitting,
    OrderUpdated.TYPE: OrderUpdated,
    QueryRecorded.TYPE: QueryRecorded,
    RecordKept.TYPE: RecordKept,
    SectorRecorded.TYPE: SectorRecorded,
    SymbolDataReady.TYPE: SymbolDataReady,
}
"""Every event type of the log, by its full name."""
