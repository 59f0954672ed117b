"""What can be a symbol. Pure."""

from __future__ import annotations

from tradetrail.errors import UsageError

# Longer ones exist nowhere: the longest in use are option codes of 21 characters.
_LENGTH_MAX = 32
_PUNCTUATION = frozenset(".-$^=/")


def check_symbol(text: str) -> str:
    """Return ``text`` as a symbol, upper case. Raises UsageError for what can't be one."""
    symbol = text.strip().upper()
    if (
        not symbol
        or len(symbol) > _LENGTH_MAX
        or not all(c.isascii() and (c.isalnum() or c in _PUNCTUATION) for c in symbol)
    ):
        raise UsageError(
            f"{text[:80]!r} is no symbol: letters, digits and {' '.join(sorted(_PUNCTUATION))}, "
            f"at most {_LENGTH_MAX} of them"
        )
    return symbol
