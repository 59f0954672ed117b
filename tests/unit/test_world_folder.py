"""A data folder is read exactly, and whatever is wrong with it is told by file and line."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulators.world import Asset, Bar, open_world
from simulators.world.__main__ import main
from tradetrail.errors import UsageError

CONGRESS = {
    "Representative": "Ada Example",
    "BioGuideID": "E990001",
    "ReportDate": "2024-03-05",
    "TransactionDate": "0009-03-05",
    "Ticker": "--",
    "Transaction": "Purchase",
    "Range": "$1,001 -",
    "House": "Senate",
    "Amount": "1001.0",
    "last_modified": "2024-03-06",
    "_src": "somewhere",
    "_state": "WA",
}
INSIDER = {
    "Ticker": "AAPL",
    "Date": "2024-03-01T00:00:00.000",
    "Name": "EXAMPLE BOB",
    "TransactionCode": "P",
    "Shares": 10.0,
    "PricePerShare": None,
    "fileDate": "2024-03-05T00:00:00.000",
    "uploaded": "2024-03-05T00:00:00.000",
    "_acc": "0001",
}
COMMITTEES: dict[str, Any] = {
    "as_of": "2024-01-01",
    "congress": 118,
    "committees": [],
    "members": [],
}
RAW = "symbol,date,open,high,low,close,volume,dividend,split\n"
ADJUSTED = "symbol,date,open,high,low,close,volume\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(
        tmp_path,
        "congress_v1.jsonl.gz",
        json.dumps(CONGRESS) + "\n\n" + json.dumps(CONGRESS) + "\n",
    )
    put(tmp_path, "insiders.jsonl.gz", json.dumps(INSIDER) + "\n")
    put(tmp_path, "committees_2024.json.gz", json.dumps(COMMITTEES))
    put(
        tmp_path,
        "ohlcv_a_raw.csv.gz",
        f"{RAW}AAPL,2020-08-28,504.05,505.77,498.31,499.23,46907479,0,1\n"
        "AAPL,2020-08-31,127.58,131,126,129.04,225702688,0,4\n"
        "BRK-B,2020-08-31,218.5,219,217,218.04,7000000,0,1\n",
    )
    put(
        tmp_path,
        "ohlcv_b_adjusted.csv.gz",
        f"{ADJUSTED}AAPL,2020-08-28,126.01,126.44,124.58,124.81,187630000\n"
        "AAPL,2020-09-01,132.76,134.8,130.53,134.18,151948100\n"
        "ZERO,2020-09-01,0,0,0,0,0\nEMPTY,2020-09-01,,,,,\n",
    )
    put(
        tmp_path,
        "symbols.csv.gz",
        'symbol,name,gics_sector,nasdaq_sector,industry\nAAPL,"Apple, Inc.",,Technology,Computers\n'
        "XOM,Exxon,Energy,Oil,\n.,?,,,\n",
    )
    return tmp_path


def put(folder: Path, name: str, text: str) -> None:
    content = text.encode()
    (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)


def test_a_whole_folder_checks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder)]) == 0
    assert main(["describe", str(folder)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["prices"] == {"symbols": 2, "bars": 4, "from": "2020-08-28", "to": "2020-09-01"}
    assert told["days"] == {"from": None, "to": None}
    assert told["congress"]["rows"] == 2
    assert told["insiders"]["rows"] == 1


def test_unadjusted_prices_win_for_their_days(folder: Path) -> None:
    prices = open_world(folder).prices
    assert [bar.open for bar in prices.bars("AAPL", date(2020, 1, 1), date(2020, 12, 31))] == [
        Decimal("504.05"),
        Decimal("127.58"),
        Decimal("132.76"),
    ]
    split = prices.bar("AAPL", date(2020, 8, 31))
    assert split is not None
    assert split.split == 4


def test_prices_answer_by_session(folder: Path) -> None:
    prices = open_world(folder).prices
    assert prices.symbols() == ["AAPL", "BRK.B"]
    assert prices.bar("AAPL", date(2020, 8, 29)) is None
    assert prices.bar("NONE", date(2020, 8, 31)) is None
    last = prices.last_bar("AAPL", date(2020, 8, 30))
    assert last is not None
    assert last.session_on == date(2020, 8, 28)
    assert prices.last_bar("AAPL", date(2020, 8, 27)) is None
    assert prices.bar("BRK.B", date(2020, 8, 31)) == Bar(
        "BRK.B",
        date(2020, 8, 31),
        Decimal("218.5"),
        Decimal(219),
        Decimal(217),
        Decimal("218.04"),
        7_000_000,
        Decimal(1),
    )


def test_assets_are_the_named_and_the_priced(folder: Path) -> None:
    assets = open_world(folder).assets
    assert sorted(assets) == ["AAPL", "BRK.B", "XOM"]
    # A sector is GICS's: another classification's names mean something else.
    assert assets["AAPL"] == Asset("AAPL", "Apple, Inc.", None, "Computers")
    assert assets["XOM"] == Asset("XOM", "Exxon", "Energy", None)
    assert assets["BRK.B"].sector is None


def test_companies_are_known_without_any_prices(folder: Path) -> None:
    for path in folder.glob("ohlcv*"):
        path.unlink()
    assert sorted(open_world(folder).companies) == ["AAPL", "XOM"]


def test_disclosures_keep_their_dirt_and_lose_their_provenance(folder: Path) -> None:
    world = open_world(folder)
    row = world.congress[0]
    assert row.fields == {key: value for key, value in CONGRESS.items() if not key.startswith("_")}
    assert (row.state, row.known_at) == ("WA", datetime(2024, 3, 6, 5, tzinfo=UTC))
    assert "_acc" not in world.insiders[0].fields
    assert world.insiders[0].known_at == datetime(2024, 3, 6, 5, tzinfo=UTC)
    assert world.committees[0].as_of == date(2024, 1, 1)


def test_plain_files_do_as_well(folder: Path) -> None:
    for path in list(folder.glob("*.gz")):
        (folder / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    open_world(folder).check()


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("congress_v1.jsonl.gz", "congress_v1.jsonl"),
        ("insiders.jsonl.gz", "insiders.jsonl"),
        ("committees_2024.json.gz", "committees_*.json"),
        ("symbols.csv.gz", "symbols.csv"),
    ],
)
def test_a_missing_file_is_named_with_its_folder(folder: Path, name: str, named: str) -> None:
    (folder / name).unlink()
    with pytest.raises(UsageError) as raised:
        open_world(folder).check()
    assert str(folder) in str(raised.value)
    assert f"lacks {named}" in str(raised.value)


def test_missing_prices_are_named(folder: Path) -> None:
    for path in folder.glob("ohlcv*"):
        path.unlink()
    with pytest.raises(UsageError, match="ohlcv"):
        open_world(folder).check()


def test_a_folder_without_a_single_price(folder: Path) -> None:
    for path in folder.glob("ohlcv*"):
        path.write_bytes(gzip.compress(ADJUSTED.encode()))
    with pytest.raises(UsageError, match="nothing could trade"):
        open_world(folder).check()


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder"):
        open_world(tmp_path / "none")


GOOD = json.dumps(CONGRESS)


@pytest.mark.parametrize(
    ("name", "text", "line", "what"),
    [
        ("congress_v1.jsonl.gz", f"{GOOD}\n{GOOD[:-9]}\n", 2, "not JSON"),
        ("congress_v1.jsonl.gz", f"{GOOD}\n\n[]\n", 3, "a JSON object is wanted"),
        ("congress_v1.jsonl.gz", "{}\n", 1, "the field 'Representative' is missing"),
        (
            "congress_v1.jsonl.gz",
            json.dumps({**CONGRESS, "ReportDate": "soon"}),
            1,
            "ReportDate is not a date: 'soon'",
        ),
        (
            "congress_v1.jsonl.gz",
            json.dumps({**CONGRESS, "ReportDate": None}),
            1,
            "ReportDate is not",
        ),
        (
            "congress_v1.jsonl.gz",
            json.dumps({**CONGRESS, "Amount": "much"}),
            1,
            "Amount is not a number",
        ),
        (
            "insiders.jsonl.gz",
            json.dumps({**INSIDER, "Shares": "ten"}),
            1,
            "Shares is not a number",
        ),
        ("insiders.jsonl.gz", json.dumps({**INSIDER, "Shares": [1]}), 1, "Shares is not a number"),
        ("insiders.jsonl.gz", '{"Shares": NaN}', 1, "not JSON"),
        ("insiders.jsonl.gz", json.dumps({**INSIDER, "fileDate": 5}), 1, "fileDate is not a date"),
        ("committees_2024.json.gz", '{\n"as_of": }', 2, "not JSON"),
        ("committees_2024.json.gz", '{"as_of": "2024-01-01"}', 1, "'committees' is missing"),
        ("ohlcv_a_raw.csv.gz", f"{RAW}AAPL,2020-08-28,504.05,505\n", 2, "4 values where"),
        (
            "ohlcv_a_raw.csv.gz",
            f"{RAW}AAPL,2020-08-28,x,1,1,1,1,0,1\n",
            2,
            "open is not a number: 'x'",
        ),
        (
            "ohlcv_a_raw.csv.gz",
            f"{RAW}AAPL,2020-08-28,nan,1,1,1,1,0,1\n",
            2,
            "open is out of range",
        ),
        ("ohlcv_a_raw.csv.gz", f"{RAW}AAPL,2020-08-28,-1,1,1,1,1,0,1\n", 2, "open is out of range"),
        ("ohlcv_a_raw.csv.gz", f"{RAW}AAPL,2020-08-28,1,1,1,1,1,0,0\n", 2, "split is out of range"),
        ("ohlcv_a_raw.csv.gz", f"{RAW}AAPL,28.8.2020,1,1,1,1,1,0,1\n", 2, "date is not YYYY-MM-DD"),
        ("ohlcv_a_raw.csv.gz", f"{RAW},2020-08-28,1,1,1,1,1,0,1\n", 2, "the symbol is empty"),
        ("ohlcv_a_raw.csv.gz", "symbol,date,open\n", 1, "the header lacks the column 'high'"),
        ("ohlcv_a_raw.csv.gz", "", 1, "the file is empty"),
        ("symbols.csv.gz", 'symbol,name\nAAPL,"Apple\n', 2, "not CSV"),
        ("symbols.csv.gz", "symbol,name\n,Apple\n", 2, "the symbol is empty"),
    ],
)
def test_a_broken_line_is_named(folder: Path, name: str, text: str, line: int, what: str) -> None:
    put(folder, name, text)
    with pytest.raises(UsageError) as raised:
        open_world(folder).check()
    told, _, why = str(raised.value).partition(f", line {line}: ")
    assert told == str(folder / name)
    assert what in why


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(b"x" * 1000)[:-9], b""],
    ids=["text", "cut off", "empty"],
)
def test_a_file_that_is_not_gzip(folder: Path, content: bytes) -> None:
    (folder / "symbols.csv.gz").write_bytes(content)
    with pytest.raises(UsageError, match=r"symbols\.csv\.gz"):
        open_world(folder).check()


def test_text_that_is_not_utf_8(folder: Path) -> None:
    (folder / "symbols.csv.gz").write_bytes(gzip.compress(b"symbol,name\nAAPL,Apple\nX,\xff\n"))
    with pytest.raises(UsageError, match=r"symbols\.csv\.gz, line 3: not UTF-8"):
        open_world(folder).check()


def test_the_command_ends_with_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(folder, "insiders.jsonl.gz", "{")
    assert main(["check", str(folder)]) == 2
    assert "insiders.jsonl.gz, line 1: not JSON" in capsys.readouterr().err
