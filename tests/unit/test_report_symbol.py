"""The symbol report's own rules; what the database answers is tested on a real one."""

from __future__ import annotations

import pytest

from tradetrail.errors import UsageError
from tradetrail.reports.symbol import success_rate
from tradetrail.symbols import check_symbol


@pytest.mark.parametrize(
    ("executed", "total", "rate"),
    [(0, 0, None), (0, 3, 0.0), (2, 3, 66.7), (1, 1, 100.0), (1, 800, 0.1), (1, 16, 6.3)],
)
def test_success_rate_has_one_decimal(executed: int, total: int, rate: float | None) -> None:
    assert success_rate(executed, total) == rate


@pytest.mark.parametrize(
    ("text", "symbol"), [(" aapl ", "AAPL"), ("brk.b", "BRK.B"), ("BAC$K", "BAC$K")]
)
def test_symbols_are_upper_case(text: str, symbol: str) -> None:
    assert check_symbol(text) == symbol


@pytest.mark.parametrize(
    "text", ["", " ", "A" * 33, "A;DROP", "A'", "А", "A B", "A\x00", "../x"[:2] + "%"]
)
def test_what_can_be_no_symbol_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no symbol"):
        check_symbol(text)
