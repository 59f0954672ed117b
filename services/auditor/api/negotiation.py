"""In which form a client wants its answer: what its URL says, or what it accepts and how much (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from importlib.util import find_spec

from fastapi import HTTPException, Request

# What a URL says the form by, for links: a browser's own header can't be chosen by whoever follows one.
FORM_PARAMETER = "format"
ANYTHING = "*/*"
VARY = {"Vary": "Accept"}
_SHOWN_MAX = 200


class Form(StrEnum):
    """A form of an answer."""

    JSON = "json"
    HTML = "html"
    CSV = "csv"
    PARQUET = "parquet"


# In order of our own preference, for clients that have none.
MEDIA_TYPES = {
    Form.JSON: "application/json",
    Form.HTML: "text/html",
    Form.CSV: "text/csv",
    Form.PARQUET: "application/vnd.apache.parquet",
}
FILE_FORMS = (Form.JSON, Form.CSV, Form.PARQUET)
_PROBLEM = ("application/problem+json", MEDIA_TYPES[Form.JSON], MEDIA_TYPES[Form.HTML])


def wanted_form(request: Request, offered: Sequence[Form] = tuple(MEDIA_TYPES)) -> Form:
    """Return the form that the URL names, else which of ``offered`` the client likes best.

    Raises a problem 406 when that is none of them.
    """
    there_are = forms_there_are(offered)
    named = request.query_params.get(FORM_PARAMETER)
    if named:
        asked, forms = named, {form.value: form for form in there_are}
        best = named if named in forms else None
    else:
        asked = accepted(request.headers)
        forms = {MEDIA_TYPES[form]: form for form in there_are}
        best = best_type(asked, tuple(forms))
    if best is not None:
        return forms[best]
    told = f"This can't be had as {asked[:_SHOWN_MAX]!r}, only as {', '.join(forms)}."
    if Form.PARQUET in offered and Form.PARQUET not in there_are:
        told += " Parquet needs pyarrow, which is not installed where this service runs."
    raise HTTPException(406, told, VARY)


def forms_there_are(offered: Sequence[Form]) -> list[Form]:
    """Return those of ``offered`` that can be made here."""
    return [form for form in offered if form is not Form.PARQUET or _has_parquet()]


def wants_page(request: Request) -> bool:
    """Tell whether a problem is to be a page: the client likes HTML better than JSON."""
    return best_type(accepted(request.headers), _PROBLEM) == MEDIA_TYPES[Form.HTML]


def accepted(headers: Mapping[str, str]) -> str:
    """Return what a client says it accepts; who says nothing takes anything."""
    return headers.get("accept", "").strip() or ANYTHING


def best_type(accept: str, offered: Sequence[str]) -> str | None:
    """Return which of the media types ``offered`` an Accept header likes best, None when it takes none.

    Of those it likes equally the one it names more exactly, then the one it names first, then the one offered first.
    """
    ranges = list(_ranges(accept))
    best, best_rank = None, (0.0, 0, 0)
    for media_type in offered:
        whole = (media_type, f"{media_type.partition('/')[0]}/*", ANYTHING)
        # The most exact range that fits says how much it is liked, also when that is not at all.
        fitting = [
            (len(whole) - whole.index(name), quality, -place)
            for place, (name, quality) in enumerate(ranges)
            if name in whole
        ]
        exactness, quality, place = max(fitting, default=(0, 0.0, 0))
        rank = (quality, exactness, place)
        if quality > 0 and (best is None or rank > best_rank):
            best, best_rank = media_type, rank
    return best


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """Yield each range with its quality; what can't be read is left out. Parameters but q are not looked at."""
    for part in accept.lower().split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                quality = _quality(value.strip())
        if "/" in name and quality >= 0:
            yield name, quality


def _quality(text: str) -> float:
    """Return a quality from 0 to 1, or -1 for what is none."""
    digits = text.replace(".", "", 1)
    if not (digits.isascii() and digits.isdecimal() and len(text) <= len("0.000")):
        return -1.0
    quality = float(text)
    return quality if quality <= 1 else -1.0


@cache
def _has_parquet() -> bool:
    return find_spec("pyarrow") is not None
