"""Officers' titles as Form 4 has them, thirty free characters: whether one names the head of the whole company. Pure.

A title is cut into parts at commas, ampersands, dashes and "and". It names a head when one part is exactly chief
executive, chief financial officer or president, and every other part is an office of the whole company too: a part
that isn't (``President, International``, ``CEO - Beauty``) makes it a division's. In doubt: an officer like others.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SEPARATORS = re.compile(r"[,;:/&+|()\-–]|\band\b")
# What changes nothing: CEOs share the office, or hold it for a time.
_DROPPED = re.compile(
    r"\b(?:interim|acting)\b|\bco[- ]?(?=ceo|cfo|coo|pres|chief|chair|exec|founder)|\."
)
_VICE_WORDS = (
    r"(?:(?:executive|exec|senior|sr|corporate|corp) )*(?:vice pres(?:ident)?|vp|[ces]vp|sevp)"
)
_FIRST = re.compile(
    rf"(?:{_VICE_WORDS} )?(?:ceo|cfo|chief (?:executive|exec|financial|fin)(?: (?:officer|offr|ofcr|ofc|off))?"
    r"|principal (?:executive|financial) officer)"
)
_PRESIDENT = re.compile(r"president|pres")
_VICE = re.compile(rf"{_VICE_WORDS}(?: finance)?")
_OTHER_OFFICE = re.compile(
    r"|(?:(?:executive|exec|vice|lead) )?chair(?:man|woman|person)?(?: of (?:the )?(?:board|bd|bod))?"
    r"|board chair(?:man)?|cob|founder"
    r"|(?:board )?director|chief [a-z ]+|c[a-z]{1,2}o|chro|principal accounting officer|treasurer|controller|finance"
    r"|(?:corporate |corp )?(?:secretary|secy|sec)|(?:general|gen) counsel|gc"
)


@lru_cache(maxsize=4_096)
def heads_company(title: str) -> bool:
    """Tell whether ``title`` is that of a chief executive, chief financial officer or president of the company."""
    plain = _DROPPED.sub("", title.casefold().replace("vice-", "vice ").replace("&amp;", "&"))
    parts = [" ".join(part.split()) for part in _SEPARATORS.split(plain)]
    first = [bool(_FIRST.fullmatch(part)) for part in parts]
    president = [bool(_PRESIDENT.fullmatch(part)) for part in parts]
    vice = [bool(_VICE.fullmatch(part)) for part in parts]
    # A vice president is president of a part at most.
    is_head = any(first) or (any(president) and not any(vice))
    return is_head and all(
        one or two or three or _OTHER_OFFICE.fullmatch(part)
        for one, two, three, part in zip(first, president, vice, parts, strict=True)
    )
