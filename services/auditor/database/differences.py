"""What a comparison of two tables found: how many rows of each kind differ, and the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# As much of a differing value is shown.
SHOWN_CHARACTERS = 200

Kind = Literal["missing", "extra", "different"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that differs: its key, and for a row that both have, the first column and both values as text.

    missing: the left side lacks it; extra: only the left side has it.
    """

    table: str
    kind: Kind
    key: dict[str, str]
    column: str | None = None
    left: str | None = None
    right: str | None = None
    what: str = "row"

    def __str__(self) -> str:
        """Return it as a sentence about the left side."""
        named = ", ".join(f"{name}={value}" for name, value in self.key.items())
        at = f"{self.table} ({named})" if named else self.table
        if self.kind != "different":
            return f"{at}: the {self.what} is {self.kind}"
        return f"{at}: {self.column} is {_shown(self.left)}, the log gives {_shown(self.right)}"


@dataclass(slots=True)
class TableComparison:
    """What a comparison of one table found; ``first`` is the first difference by key."""

    table: str
    left_rows: int = 0
    right_rows: int = 0
    missing: int = 0
    extra: int = 0
    different: int = 0
    first: Difference | None = None

    @property
    def same(self) -> bool:
        """Tell whether both sides hold the same rows."""
        return self.first is None


def first_difference(compared: Sequence[TableComparison]) -> Difference | None:
    """Return the first difference of all tables; None when both schemas hold the same."""
    return next((each.first for each in compared if each.first is not None), None)


def _shown(value: str | None) -> str:
    return "empty" if value is None else repr(value)
