"""Which symbol a ticker text means: real texts, and properties that hold for any text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingestor.rows.flags import Flag
from services.ingestor.rows.tickers import read_ticker


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("AAPL", "AAPL"),
        ("  MSFT ", "MSFT"),
        ("AAPl", "AAPL"),
        ("BRK.B", "BRK.B"),
        ("BRK-B", "BRK.B"),
        ("BRK/B", "BRK.B"),
        ("LGF-B", "LGF.B"),
        ("NYSE:BRK.B", "BRK.B"),
        ('"GE"', "GE"),
        ('<a href="https://finance.yahoo.com/q?s=MSFT" target="_blank">MSFT</a>', "MSFT"),
        ("TWTR - DEFUNCT", "TWTR"),
        ("F", "F"),
    ],
)
def test_a_usable_ticker_gives_a_symbol(text: str, symbol: str) -> None:
    found = read_ticker(text, "ST")
    assert found.symbol == symbol
    assert (Flag.TICKER_NORMALISED in found.flags) == (text.strip() != symbol)


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        (None, Flag.UNKNOWN_TICKER),
        ("", Flag.UNKNOWN_TICKER),
        ("--", Flag.UNKNOWN_TICKER),
        ("N/A", Flag.UNKNOWN_TICKER),
        ("--AMCR", Flag.UNKNOWN_TICKER),
        ("COLPAL", Flag.UNKNOWN_TICKER),
        ("Broadcom Inc.", Flag.UNKNOWN_TICKER),
        ("fo9jod#z", Flag.UNKNOWN_TICKER),
        ("LEN, LEN.B", Flag.SEVERAL_TICKERS),
        ("PARAA,PARA", Flag.SEVERAL_TICKERS),
        ("PX" + " " * 170 + "LIN", Flag.SEVERAL_TICKERS),
        ("--" + " " * 170 + "DWDP", Flag.SEVERAL_TICKERS),
        ("^RGP" + " " * 170 + "ETP", Flag.SEVERAL_TICKERS),
        ("BTC-USD", Flag.CRYPTO_PAIR),
        ("USD-LGB", Flag.CRYPTO_PAIR),
        ("BAC$K", Flag.PREFERRED_SHARE),
        ("T$A", Flag.PREFERRED_SHARE),
        ("COF-PP", Flag.PREFERRED_SHARE),
        ("SPY160219P00180000", Flag.OPTION_CONTRACT),
        ("SBUX.SW", Flag.FOREIGN_LISTING),
        ("LM09.SG", Flag.FOREIGN_LISTING),
        ("MSTY.PA", Flag.FOREIGN_LISTING),
        ("ADT.F", Flag.FOREIGN_LISTING),
        ("ETWO.W", Flag.NOT_A_STOCK),
        ("PCPL.U", Flag.NOT_A_STOCK),
        ("XLS-WI", Flag.NOT_A_STOCK),
    ],
)
def test_what_is_no_us_stock_has_no_symbol_and_says_why(text: str | None, flag: Flag) -> None:
    found = read_ticker(text, "ST")
    assert found.symbol is None
    assert flag in found.flags


@pytest.mark.parametrize("kind", [None, "", "ST", "Stock", "CS", " st "])
def test_stock_types_are_stocks(kind: str | None) -> None:
    assert read_ticker("AAPL", kind).symbol == "AAPL"


@pytest.mark.parametrize("kind", ["OP", "Stock Option", "GS", "Municipal Security", "AB"])
def test_other_types_are_no_stocks(kind: str) -> None:
    found = read_ticker("AAPL", kind)
    assert found.symbol is None
    assert Flag.NOT_A_STOCK in found.flags


@given(st.text(max_size=40), st.none() | st.text(max_size=5))
def test_any_text_gives_a_plain_symbol_or_a_reason(text: str, kind: str | None) -> None:
    found = read_ticker(text, kind)
    if found.symbol is None:
        assert found.flags
    else:
        assert re.fullmatch(r"[A-Z]{1,5}(\.[A-K])?", found.symbol)
        assert read_ticker(found.symbol, kind).symbol == found.symbol
