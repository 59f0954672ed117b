"""Company sectors out of a desk's CSV file: what counts, what is odd, what is no such file, and what changed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingestor.recording.counts import sector_counts
from services.ingestor.rows.sectors import Sector, SectorBook, SectorTable, read_rows, read_sectors
from services.ingestor.settings import SectorsSettings
from services.ingestor.sources.http import Exchange
from services.ingestor.sources.sectors import rows_of
from services.ingestor.trouble import ErrorCode
from tradetrail.errors import UsageError
from tradetrail.events.generated import SectorRecorded
from tradetrail.redaction import hidden
from tradetrail.settings import load

APPLE = Sector("AAPL", "Apple Inc.", "Information Technology", "Computers")
HEADER = "symbol,name,sector,industry\n"


def told(text: str) -> SectorTable:
    return read_sectors(read_rows(text))


def recorded(sector: Sector) -> SectorRecorded:
    return SectorRecorded(
        event_id="e",
        occurred_at=datetime(2024, 1, 2, tzinfo=UTC),
        service="ingestor",
        service_version="0",
        instance="test",
        symbol=sector.symbol,
        company_name=sector.company_name,
        sector=sector.sector,
        industry=sector.industry,
        valid_from=date(2024, 1, 2),
        run_id="r",
        api_call_id="c",
    )


def answer(body: bytes, status: int = 200) -> Exchange:
    return Exchange(path="/sectors.csv", query={}, headers={}, status_code=status, body=body)


def test_a_row_tells_a_companys_sector() -> None:
    table = told(f"{HEADER}AAPL,Apple Inc.,Information Technology,Computers\nXOM,Exxon,Energy,\n")
    assert table.sectors == (APPLE, Sector("XOM", "Exxon", "Energy", None))
    assert (table.rows, table.flagged, table.flags) == (2, 0, {})


def test_columns_come_in_any_order_case_and_company() -> None:
    text = "\ufeffMentions,SYMBOL , GICS_Sector,sector,name\n\n7,brk-b,Financials,Money,Berkshire\n"
    table = read_sectors(rows_of("", answer(text.encode()))[0])
    assert table.sectors == (Sector("BRK.B", "Berkshire", "Financials", None),)
    assert table.flags == {"ticker_normalised": 1}


def test_rows_that_tell_nothing_are_counted_by_what_is_odd() -> None:
    table = told(
        f"{HEADER}AAPL,Apple Inc.,Information Technology,Computers\nOLD,Old Corp.,,\n--,Nobody,Energy,\n"
        f"BTC-USD,Bitcoin,Financials,\nAAPL,Apple,Energy,\nBIG,{'x' * 201},{'y' * 201},\n"
        "AAPL,Apple  Inc.,Information Technology,Computers\n"
    )
    assert table.sectors == (APPLE,)
    assert (table.rows, table.flagged) == (7, 5)
    assert table.flags == {
        "crypto_pair": 1,
        "no_sector": 2,
        "not_a_stock": 1,
        "symbol_twice": 1,
        "text_too_long": 1,
        "unknown_ticker": 1,
    }


def test_a_company_without_a_name_goes_by_its_symbol() -> None:
    assert told("symbol,name,sector\nXOM,,Energy\n").sectors[0].company_name == "XOM"


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (b"", ErrorCode.EMPTY_ANSWER, "empty body"),
        (b" \n", ErrorCode.EMPTY_ANSWER, "empty body"),
        (b"<!doctype html>\n<html>no</html>\n", ErrorCode.NOT_CSV, "a page or JSON"),
        (b'{"detail": "gone"}\n', ErrorCode.NOT_CSV, "a page or JSON"),
        (b"symbol,name,sector\nXOM,\xff,Energy\n", ErrorCode.NOT_CSV, "no UTF-8"),
        (b"symbol,name,sector\nXOM,Exxon,Ene", ErrorCode.ANSWER_CUT_OFF, "without its end"),
        (b"symbol;name;sector\nXOM;Exxon;Energy\n", ErrorCode.UNEXPECTED_SHAPE, "symbol, name"),
        (b"symbol,name\nXOM,Exxon\n", ErrorCode.UNEXPECTED_SHAPE, "sector (or gics_sector)"),
        (b"symbol,name,sector,Sector\n", ErrorCode.UNEXPECTED_SHAPE, "column twice: sector"),
        (b"symbol,name,sector\nXOM,Exxon\n", ErrorCode.MALFORMED_ROW, "line 2 has 2 values"),
        (b'symbol,name,sector\nXOM,"Exxon,Energy\n', ErrorCode.MALFORMED_ROW, "is no CSV"),
        (b"symbol,name,sector\nXOM," + b"x" * 200_000 + b",E\n", ErrorCode.MALFORMED_ROW, "limit"),
    ],
    ids=lambda value: value.value if isinstance(value, ErrorCode) else "",
)
def test_what_is_no_such_file_has_a_code(body: bytes, code: ErrorCode, said: str) -> None:
    rows, trouble = rows_of("http://desk", answer(body))
    assert rows is None
    assert trouble is not None
    assert trouble.code is code
    assert said in str(trouble)
    assert str(trouble).startswith("http://desk/sectors.csv answered 200")


def test_a_refusal_is_told_as_any_vendors() -> None:
    _, trouble = rows_of("http://desk", answer(b"no", status=403))
    assert trouble is not None
    assert trouble.code is ErrorCode.FORBIDDEN


@given(st.binary(max_size=200))
def test_no_bytes_make_it_stumble(body: bytes) -> None:
    rows, trouble = rows_of("http://desk", answer(b"symbol,name,sector\n" + body))
    assert (rows is None) is (trouble is not None)
    if rows is not None:
        table = read_sectors(rows)
        assert len(table.sectors) <= table.rows == len(rows)


def test_only_new_and_changed_sectors_are_told() -> None:
    book = SectorBook()
    exxon = Sector("XOM", "Exxon", "Energy", None)
    first = book.changes([exxon, APPLE])
    assert [(c.sector, c.before) for c in first] == [(APPLE, None), (exxon, None)]
    for change in first:
        book.take(recorded(change.sector))
    assert book.changes([APPLE, exxon]) == []
    moved = Sector("XOM", "Exxon", "Materials", None)
    (changed,) = book.changes([moved])
    assert (changed.sector, changed.before) == (moved, exxon)
    counts = sector_counts([*first, changed], SectorTable((), 9, 1, {"no_sector": 1}))
    assert (counts.fetched, counts.created, counts.updated, counts.skipped) == (9, 2, 1, 6)
    assert (counts.flagged, counts.flags) == (1, {"no_sector": 1})


@pytest.mark.parametrize("url", ["ftp://desk/s.csv", "desk/s.csv", "http://", "https:///s.csv"])
def test_an_address_that_is_none_is_a_usage_error(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADETRAIL_SECTORS_URL", url)
    with pytest.raises(UsageError, match="TRADETRAIL_SECTORS_URL"):
        load(SectorsSettings)


def test_the_key_of_a_signed_address_is_hidden() -> None:
    SectorsSettings(url="https://desk/s.csv?version=20240102&token=signed-just-for-us")
    assert hidden("version 20240102, signed-just-for-us") == "version 20240102, **********"
