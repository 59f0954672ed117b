"""Spoil invented disclosures the way real ones are: in the same kinds, and near the same proportions.

Each kind touches at least one row, so that a short world shows every kind too. Corrections are here as well: a row that
the vendor changes, or withdraws, weeks after it appeared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from simulators.world.folder_disclosures import day_after
from simulators.world.records import CongressRow, Fields

_Spoiler = Callable[[Random, Fields], Fields]

_LOTS_SHARE = 0.055
_AMENDED_SHARE = 0.02
_WITHDRAWN_SHARE = 0.002
_AMENDED_AFTER_DAYS = (4, 30)


def spoil(random: Random, rows: list[CongressRow], end: date) -> list[CongressRow]:
    """Return ``rows`` with dirt, repeated lots, and later versions of corrected rows."""
    fields = [dict(row.fields) for row in rows]
    untouched = list(range(len(rows)))
    random.shuffle(untouched)
    for share, spoiler in _KINDS:
        for _ in range(min(max(1, round(share * len(rows))), len(untouched))):
            position = untouched.pop()
            fields[position] |= spoiler(random, fields[position])
    spoiled = [replace(row, fields=new) for row, new in zip(rows, fields, strict=True)]
    result = _with_lots(random, spoiled)
    return _with_corrections(random, result, end)


def _with_lots(random: Random, rows: list[CongressRow]) -> list[CongressRow]:
    """Repeat some rows in full: separate lots of one filing look exactly alike."""
    result = []
    for row in rows:
        result.append(row)
        if random.random() < _LOTS_SHARE:
            result += [replace(row, fields=dict(row.fields))] * random.choice((1, 1, 1, 2))
    return result


def _with_corrections(random: Random, rows: list[CongressRow], end: date) -> list[CongressRow]:
    """Replace some rows by a changed one, and withdraw a few, some days after they appeared."""
    result = []
    amended = set(random.sample(range(len(rows)), round(_AMENDED_SHARE * len(rows))))
    withdrawn = set(random.sample(range(len(rows)), max(1, round(_WITHDRAWN_SHARE * len(rows)))))
    for position, row in enumerate(rows):
        corrected_on = row.reported_on + timedelta(days=random.randint(*_AMENDED_AFTER_DAYS))
        if position not in amended | withdrawn or corrected_on > end:
            result.append(row)
            continue
        known_at = day_after(corrected_on)
        result.append(replace(row, replaced_at=known_at))
        if position in amended:
            changed = _amendment(random, row.fields)
            stamp = {"last_modified": (corrected_on + timedelta(days=1)).isoformat()}
            result.append(replace(row, fields=row.fields | changed | stamp, known_at=known_at))
    return result


def _amendment(random: Random, fields: Fields) -> Fields:
    kind = random.randrange(3)
    if kind == 0:
        bigger = ("$15,001 - $50,000", "15001.0")
        smaller = ("$1,001 - $15,000", "1001.0")
        text, amount = smaller if fields["Range"] == bigger[0] else bigger
        return {"Range": text, "Amount": amount}
    if kind == 1 and fields["Transaction"].startswith("Sale"):
        partial = fields["Transaction"] == "Sale (Partial)"
        return {"Transaction": "Sale (Full)" if partial else "Sale (Partial)"}
    return {"Description": f"{fields['Description']} (corrected)"}


def _unknown_ticker(random: Random, fields: Fields) -> Fields:
    return {"Ticker": "--", "Description": fields["Description"]}


def _no_ticker_type(random: Random, fields: Fields) -> Fields:
    return {"TickerType": None}


def _security(ticker_type: str, *descriptions: str) -> _Spoiler:
    def spoiler(random: Random, fields: Fields) -> Fields:
        return {
            "Ticker": "--",
            "TickerType": ticker_type,
            "Description": random.choice(descriptions),
        }

    return spoiler


def _ticker(*texts: str) -> _Spoiler:
    def spoiler(random: Random, fields: Fields) -> Fields:
        return {"Ticker": random.choice(texts)}

    return spoiler


def _option(random: Random, fields: Fields) -> Fields:
    note = f'{fields["Description"]} <div class="text-muted">Option Type: Call <br></div>'
    return {"TickerType": random.choice(("Stock Option", "OP")), "Description": note}


def _lower_case(random: Random, fields: Fields) -> Fields:
    ticker = fields["Ticker"]
    return {"Ticker": ticker[:-1] + ticker[-1].lower()}


def _band(text: str, amount: str) -> _Spoiler:
    def spoiler(random: Random, fields: Fields) -> Fields:
        return {"Range": text, "Amount": amount}

    return spoiler


def _traded(change: Callable[[Random, date], str]) -> _Spoiler:
    def spoiler(random: Random, fields: Fields) -> Fields:
        return {"TransactionDate": change(random, date.fromisoformat(fields["ReportDate"]))}

    return spoiler


def _days_before(low: int, high: int) -> Callable[[Random, date], str]:
    def change(random: Random, reported_on: date) -> str:
        return (reported_on - timedelta(days=random.randint(low, high))).isoformat()

    return change


def _weekend(random: Random, reported_on: date) -> str:
    saturday = reported_on - timedelta(days=reported_on.weekday() + 2 + 7 * random.randint(1, 4))
    return saturday.isoformat()


def _impossible_year(random: Random, reported_on: date) -> str:
    return random.choice(("0009", "0021", "0201")) + reported_on.isoformat()[4:]


def _unreadable_day(random: Random, reported_on: date) -> str:
    text = reported_on.isoformat()
    return f"{text[:3]}{text[2:]}"


def _respelled(random: Random, fields: Fields) -> Fields:
    first, last = fields["Representative"].split(" ", 1)
    return {
        "Representative": random.choice(
            (f"{first} Q. {last}", f"Hon. {first} {last}", f"{first} {last} Jr")
        )
    }


def _spaced_district(random: Random, fields: Fields) -> Fields:
    return {"District": f" {fields['District']}"} if fields["District"] else {}


# Share of all rows, and how such a row is changed. Source: counts of real disclosures, 2014 to 2022.
_KINDS: tuple[tuple[float, _Spoiler], ...] = (
    (0.085, _unknown_ticker),
    (0.08, _no_ticker_type),
    (
        0.015,
        _security("Municipal Security", "Billings MT", "Rochester NH", "Maine St Hsg Auth 4.4%"),
    ),
    (
        0.014,
        _security("Other Securities", "Israel Bond", "US Treasury Bill", "Harbor Ventures LLC"),
    ),
    (0.008, _security("Corporate Bond", "Harborbank 4.25% 2031", "Contingent Autocall Note")),
    (0.004, _security("Non-Public Stock", "Prairie Growth Investment LLC")),
    (0.003, _option),
    (0.002, _ticker("BTC-USD", "ETH-USD")),
    (0.0005, _ticker("AAPL240621C00190000")),
    (0.001, _ticker("MERF.SG", "TALC.BE")),
    (0.001, _ticker("HRBK$K")),
    (0.006, _ticker("BRK-B", "BRK.B", "SHOP-A")),
    (0.002, _ticker("RAIL" + " " * 40 + "ORES", "MEDL, CARX", "--ROAM", "Novolight Inc.")),
    (0.001, _lower_case),
    (0.0095, lambda random, fields: {"Transaction": "Exchange"}),
    (0.001, lambda random, fields: {"Transaction": "Receive"}),
    (0.0104, _band("$1,001 -", "1001.0")),
    (0.0013, _band("$1,000,000 +", "1000000.0")),
    (0.0004, _band("$1,000 - $15,000", "1000.0")),
    (0.0004, _band("Over $50,000,000", "50000000.0")),
    (0.06, _traded(_days_before(46, 300))),
    (0.03, _traded(_days_before(366, 800))),
    (0.001, _traded(_days_before(-9, -1))),
    (0.003, _traded(_days_before(0, 0))),
    (0.004, _traded(_weekend)),
    (0.0003, _traded(_impossible_year)),
    (0.0002, _traded(_unreadable_day)),
    (0.01, _respelled),
    (0.004, _spaced_district),
    (0.0005, lambda random, fields: {"BioGuideID": None, "Party": None, "District": None}),
    (0.0005, lambda random, fields: {"Party": "Libertarian"}),
)
