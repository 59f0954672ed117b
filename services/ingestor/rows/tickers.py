"""Which symbol a vendor's ticker text means, if any. Pure; when in doubt, none.

Source: the clean-up rules of two open connectors to the vendor, and the tickers of 24,383 real disclosures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from services.ingestor.rows.flags import Flag

_TAG = re.compile(r"<[^>]*>")
_DEFUNCT = re.compile(r"\s*-\s*DEFUNCT\b")
_OPTION = re.compile(r"[A-Z]{1,6}\d{6}[CP]\d{8}")
_CRYPTO = re.compile(r"[A-Z0-9]{2,10}[-/]USD|USD[-/][A-Z0-9]{2,10}")
_PREFERRED = re.compile(r"[A-Z]{1,5}(\$[A-Z]{0,2}|[-/]P[A-Z]?)")
_PLAIN = re.compile(r"[A-Z]{1,5}")
_CLASS = re.compile(r"([A-Z]{1,5})([./-])([A-CK])")
_FOREIGN = re.compile(r"[A-Z0-9]{1,8}\.([A-Z]{2}|[FLTV])")
_OTHER_ISSUE = re.compile(r"[A-Z]{1,5}[.-](U|W|R|WS|WI|WT|RT|UN|RP|RW|CD)")
_NONE = frozenset({"", "-", "--", "N/A", "NA", "NONE", "NULL", "NAN", "UNKNOWN"})
# What the vendor calls a common stock; empty where its upstream had no type.
_STOCK_TYPES = frozenset({"", "ST", "STOCK", "CS"})


@dataclass(frozen=True, slots=True)
class Ticker:
    """The symbol a text means (share classes with a dot), or None, and what is odd about the text."""

    symbol: str | None
    flags: tuple[Flag, ...] = ()


@lru_cache(maxsize=65_536)
def read_ticker(text: str | None, asset_type: str | None = None) -> Ticker:
    """Return what ``text`` means, given the vendor's ``asset_type``; a symbol only for what trades as a US stock."""
    found = _read(text)
    if (asset_type or "").strip().upper() not in _STOCK_TYPES:
        return Ticker(None, (*found.flags, Flag.NOT_A_STOCK))
    return found


def _read(text: str | None) -> Ticker:
    bare = _TAG.sub(" ", text or "").strip().strip("\"'| ")
    upper = bare.upper()
    if upper in _NONE:
        return Ticker(None, (Flag.UNKNOWN_TICKER,))
    defunct = _DEFUNCT.search(upper) is not None
    parts = _parts(_DEFUNCT.sub("", upper))
    if len(parts) > 1:
        several = all(part in _NONE or _looks_like_symbol(part) for part in parts)
        return Ticker(None, (Flag.SEVERAL_TICKERS if several else Flag.UNKNOWN_TICKER,))
    found = _one(parts[0] if parts else "")
    flags = list(found.flags)
    if found.symbol is not None and found.symbol != (text or "").strip():
        flags.append(Flag.TICKER_NORMALISED)
    if defunct:
        flags.append(Flag.DEFUNCT_TICKER)
    return Ticker(found.symbol, tuple(flags))


def _parts(text: str) -> list[str]:
    """Split what may be several symbols; an exchange before a colon goes (NYSE:BRK.B)."""
    pieces = [piece.strip("\"'|").rpartition(":")[2] for piece in re.split(r"[\s,;|]+", text)]
    return list(dict.fromkeys(piece for piece in pieces if piece))


def _one(text: str) -> Ticker:
    if _OPTION.fullmatch(text):
        return Ticker(None, (Flag.OPTION_CONTRACT, Flag.NOT_A_STOCK))
    if _CRYPTO.fullmatch(text):
        return Ticker(None, (Flag.CRYPTO_PAIR, Flag.NOT_A_STOCK))
    if _PREFERRED.fullmatch(text):
        return Ticker(None, (Flag.PREFERRED_SHARE, Flag.NOT_A_STOCK))
    if _PLAIN.fullmatch(text):
        return Ticker(text)
    if share := _CLASS.fullmatch(text):
        return Ticker(f"{share[1]}.{share[3]}")
    if _OTHER_ISSUE.fullmatch(text):
        return Ticker(None, (Flag.NOT_A_STOCK,))
    if _FOREIGN.fullmatch(text):
        return Ticker(None, (Flag.FOREIGN_LISTING,))
    return Ticker(None, (Flag.UNKNOWN_TICKER,))


def _looks_like_symbol(text: str) -> bool:
    bare = text.lstrip("^")
    return _one(bare).flags != (Flag.UNKNOWN_TICKER,)
