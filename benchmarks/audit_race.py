"""The race of the auditor's benchmark: who writes how many events of one log per second, in rounds that interleave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from benchmarks import audit_peers, audit_plain
from benchmarks.audit_rig import Field, audited, field, new_schema
from benchmarks.parts import Say
from tradetrail.errors import Unreachable, UsageError

# Of the log for the one that would take longest; its pace does not change on the way.
ORM_SHARE = 20
CONTESTANTS = ("auditor", "debezium", "orm", "limit", "two")
_SINGLE, _TWO = "auditor_events_per_s", "two_auditors_events_per_s"


def race(
    kafka: str,
    registry_url: str,
    dsn: str,
    events: int,
    rounds: int,
    chosen: Sequence[str],
    say: Say,
) -> dict[str, Any]:
    """Return medians over ``rounds`` and their ratios; what was left out, or can't be had, is null."""
    made = field(kafka, registry_url, dsn, events)
    say(f"{made.count:,} events, {made.written['bytes'] / made.count:,.0f} bytes each")
    found: dict[str, list[float]] = defaultdict(list)
    skipped = {name: "left out by --only" for name in CONTESTANTS if name not in chosen}
    for number in range(rounds):
        for name in CONTESTANTS:
            if name in skipped:
                continue
            try:
                for key, value in _RUNS[name](made, say).items():
                    found[key].append(value)
            except (Unreachable, UsageError) as error:
                skipped[name] = str(error)
            say(f"round {number + 1} of {rounds}: {name}: {skipped.get(name, 'done')}")
    return _figures(made, found, skipped)


def _figures(made: Field, found: dict[str, list[float]], skipped: dict[str, str]) -> dict[str, Any]:
    of = {key: median(values) for key, values in found.items()}

    def per_s(key: str) -> int | None:
        return round(of[key]) if key in of else None

    def ratio(key: str, to: str) -> float | None:
        # Of each round by itself: what disturbs the machine for a while disturbs both.
        pairs = zip(found[key], found[to], strict=False)
        return round(median(a / b for a, b in pairs), 3) if key in of and to in of else None

    mb = "rss_mb", "debezium_rss_mb"
    return {
        "events": made.count,
        "event_bytes_mean": round(made.written["bytes"] / made.count),
        **{f"{name}_events_per_s": per_s(f"{name}_events_per_s") for name in CONTESTANTS[:4]},
        "ratio_to_debezium": ratio(_SINGLE, "debezium_events_per_s"),
        "ratio_to_orm": ratio(_SINGLE, "orm_events_per_s"),
        "ratio_to_limit": ratio(_SINGLE, "limit_events_per_s"),
        "two_auditors_ratio": ratio(_TWO, _SINGLE),
        **{key: round(of[key], 1) if key in of else None for key in mb},
        "rounds": {key: [round(value, 1) for value in values] for key, values in found.items()},
        "skipped": skipped,
    }


def _auditor(made: Field, say: Say) -> dict[str, float]:
    with new_schema(made.dsn) as schema:
        pace, peak_mb, _ = audited(made, schema)
    say(f"auditor: {pace.per_s:,.0f} events/s, {peak_mb:.0f} MB")
    return {_SINGLE: pace.per_s, "rss_mb": peak_mb}


def _two(made: Field, say: Say) -> dict[str, float]:
    with new_schema(made.dsn) as schema:
        pace, _, _ = audited(made, schema, 2)
    say(f"two auditors: {pace.per_s:,.0f} events/s")
    return {_TWO: pace.per_s}


def _debezium(made: Field, say: Say) -> dict[str, float]:
    pace, peak_mb = audit_peers.debezium(made, say)
    return {"debezium_events_per_s": pace.per_s, "debezium_rss_mb": peak_mb}


def _orm(made: Field, _say: Say) -> dict[str, float]:
    share = max(1, made.count // ORM_SHARE)
    return {"orm_events_per_s": audit_plain.orm(made, share).per_s}


def _limit(made: Field, _say: Say) -> dict[str, float]:
    return {"limit_events_per_s": audit_plain.limit(made).per_s}


_RUNS: dict[str, Callable[[Field, Say], dict[str, float]]] = {
    "auditor": _auditor,
    "debezium": _debezium,
    "orm": _orm,
    "limit": _limit,
    "two": _two,
}
