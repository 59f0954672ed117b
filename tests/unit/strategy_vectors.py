"""What each released version of a strategy made of made-up inputs: one that answers otherwise is another version.

``python -m tests.unit.strategy_vectors NAME VERSION`` records the answers of a new version; what is recorded is never
written again. A line of a file is one case: inputs, settings and the signal that came of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from pydantic import TypeAdapter

from services.decider.catalogue import released
from services.decider.signals.signal import Signal
from services.decider.views.reference import ReferenceBook
from services.decider.views.view import Disclosure, Reference, Trigger, View
from tests.reference_facts import TOPIC, place, seat, sector
from tests.unit.decider_views import NOW, TODAY, lot, member_trade, trigger, view
from tradetrail.errors import TradetrailError, UsageError
from tradetrail.events.generated import Direction, LogPosition
from tradetrail.settings import canonical_json

FOLDER = Path(__file__).parent / "vectors"
CASES = 30
# Named one by one: a field that signals get later changes no record of earlier versions.
_SIGNAL_FIELDS = ("side", "strength", "confidence", "trigger_event", "consensus", "decline", "text")
_RULE_FIELDS = ("rule", "value", "threshold", "passed", "explanation")
_FACT_FIELDS = ("kind", "subject", "value", "topic", "partition", "offset", "event_id")
_DIRECTIONS = (Direction.BUY, Direction.BUY, Direction.SELL, Direction.OTHER)


@dataclass(frozen=True, slots=True)
class Case:
    """One question to a strategy under given settings."""

    settings: dict[str, Any]
    view: View
    trigger: Trigger


_CASE = TypeAdapter(Case)


def path_of(name: str, version: str) -> Path:
    """Return the file of a version."""
    return FOLDER / f"{name}-{version}.jsonl"


def read(path: Path) -> Iterator[tuple[Case, str]]:
    """Yield each case of a file with the signal that was recorded, as canonical JSON."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        signal = row.pop("signal")
        yield _CASE.validate_python(row), canonical_json(signal)


def answer(kind: Any, case: Case) -> str:
    """Return the signal of a strategy's class for a case, as canonical JSON."""
    return canonical_json(_told(_evaluated(kind, case)))


def write(name: str, version: str, path: Path) -> int:
    """Record the answers of a version; return how many. Raises UsageError when they are recorded already."""
    kind = released(name, version)
    if path.exists():
        raise UsageError(
            f"{path.name} is recorded and never changes: give the changed strategy a new version, and keep the old one "
            "in services/decider/strategies/released"
        )
    lines = []
    for case in cases(kind):
        row = _CASE.dump_python(case, mode="json", exclude_defaults=True)
        lines.append(canonical_json(row | {"signal": _told(_evaluated(kind, case))}))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)


def cases(kind: Any) -> list[Case]:
    """Return made-up questions for a strategy's class, the same each time."""
    random = Random(f"{kind.name} {kind.version}")
    is_insider = "quiverquant_insider" in kind.data_sources
    draw = _lots if is_insider else _trades
    found = []
    for number in range(CASES):
        is_even = number % 10 == 9
        disclosures = _even(is_insider) if is_even else list(draw(random, random.randint(1, 5)))
        ids = [one.record_id for one in disclosures]
        acted = [] if is_even else random.sample(ids, random.choice([0, 0, 0, 1, len(ids)]))
        new = ids if is_even else random.sample(ids, random.randint(1, len(ids)))
        asked = view(*disclosures, acted=acted)
        if not is_insider:
            asked = replace(asked, reference=_reference(random))
        chosen = _settings(random, number) | ({"sale_factor": "1"} if is_insider else {})
        settings = kind.settings_type(**chosen if number % 2 else {}).model_dump(mode="json")
        found.append(Case(settings, asked, trigger(*new)))
    return found


def _evaluated(kind: Any, case: Case) -> Signal:
    signal: Signal = kind(kind.settings_type(**case.settings)).evaluate(case.view, case.trigger)
    return signal


def _told(signal: Signal) -> dict[str, Any]:
    said = {name: _text(getattr(signal, name)) for name in _SIGNAL_FIELDS}
    used = [f"{one.record_id}:{one.version}" for one in signal.used]
    return said | {
        "rules": _fields_of(signal.rules, _RULE_FIELDS),
        "facts": _fields_of(signal.facts, _FACT_FIELDS),
        "used": used,
    }


def _fields_of(items: Iterable[object], names: Iterable[str]) -> list[dict[str, object]]:
    return [{name: _text(getattr(item, name)) for name in names} for item in items]


def _text(value: object) -> object:
    return value if value is None or isinstance(value, bool | int) else str(value)


def _settings(random: Random, number: int) -> dict[str, Any]:
    """Return thresholds that all strategies have, in some of the cases."""
    if number % 3:
        return {}
    return {"strength_min": random.choice(["0.5", "1", "4"]), "lookback_days": 20}


def _even(is_insider: bool) -> list[Disclosure]:
    """Return one that buys and one that sells as much."""
    if is_insider:
        return [
            lot(1, "DOE JANE", "P", 60_000, shares_owned_following=None),
            lot(2, "ROE RICHARD", "S", 60_000, shares_owned_following=None),
        ]
    return [member_trade(1, "Ann"), member_trade(2, "Bob", direction=Direction.SELL)]


def _trades(random: Random, count: int) -> Iterator[Disclosure]:
    people = [("Ann", "A1"), ("Ann Example", "A1"), ("Bob", "B2"), ("Cid", "C3"), ("Dee", None)]
    for offset in range(count):
        name, person_id = random.choice(people)
        reported_on = TODAY - timedelta(days=random.choice([0, 0, 0, 3, 25, 50]))
        yield member_trade(
            offset,
            name,
            person_id=person_id,
            direction=random.choice(_DIRECTIONS),
            amount_usd_min=random.choice(
                [None, *map(Decimal, (1001, 15_001, 50_001, 250_001, 1_000_001))]
            ),
            reported_on=reported_on,
            transacted_on=reported_on - timedelta(days=random.choice([5, 30, 31, 45, 46, 200])),
            flags=random.choice([(), (), (), ("late_filing",), ("impossible_date",)]),
        )


def _lots(random: Random, count: int) -> Iterator[Disclosure]:
    roles: list[dict[str, Any]] = [
        {"officer_title": "Chief Executive Officer", "is_officer": True},
        {"officer_title": "EVP & General Counsel", "is_officer": True},
        {"is_director": True},
        {"is_director": False, "is_ten_percent_owner": True},
    ]
    for offset in range(count):
        reported_on = TODAY - timedelta(days=random.choice([0, 0, 0, 3, 15, 35]))
        yield lot(
            offset,
            random.choice(["DOE JANE", "ROE RICHARD", "POE PAT", "LOE LEE"]),
            random.choice("PPPSSA"),
            random.choice([5_000, 20_000, 60_000, 300_000, 2_000_000]),
            shares_owned_following=random.choice(
                [None, Decimal(0), Decimal(2_000), Decimal(10**6)]
            ),
            ownership=random.choice([None, "D", "I"]),
            reported_on=reported_on,
            transacted_on=reported_on - timedelta(days=random.choice([0, 2, 4, 5, 11])),
            flags=random.choice([(), (), (), ("late_filing",), ("price_implausible",)]),
            **random.choice(roles),
        )


def _reference(random: Random) -> Reference:
    book = ReferenceBook()
    known = random.choice([None, "Energy", "Health Care", "Financials", "Alchemy"])
    facts: list[Any] = [] if known is None else [sector("AAPL", known, TODAY)]
    for _ in range(random.randint(0, 5)):
        committee = random.choice(["HSIF", "HSIF03", "HSBA", "SSBK04", "SSHR", "HSAP"])
        facts.append(seat(random.choice(["A1", "B2", "C3"]), committee, TODAY))
    for offset, fact in enumerate(facts):
        book.take(fact, place(offset))
    through = [LogPosition(topic=TOPIC, partition=0, offset=len(facts))]
    return book.as_of("AAPL", ["A1", "B2", "C3"], NOW, through)


def main(arguments: list[str]) -> int:
    """Record one version; return the exit code."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m tests.unit.strategy_vectors NAME VERSION\n")
        return 2
    try:
        name, version = arguments
        path = path_of(name, version)
        sys.stdout.write(f"{write(name, version, path)} cases recorded in {path}\n")
    except TradetrailError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
