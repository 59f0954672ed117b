"""What this process was given as a secret never leaves it, in whatever text it turns up.

Keys and passwords are remembered when settings are read; logs, health, metrics, events and recorded answers pass
through here. Known by value, not by name: a vendor that echoes our key or a library that quotes an address is covered.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
from typing import Any
from urllib.parse import quote, quote_plus, unquote

STARS = "**********"
# Shorter ones can't be told from ordinary text; any real key is longer. docs/ingestor.md says so.
SECRET_LENGTH_MIN = 8

_USERINFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_KEYWORD_PASSWORD = re.compile(r"\bpassword\s*=\s*('(?:[^'\\]|\\.)*'|[^\s&]+)", re.IGNORECASE)

# Every form of every secret, the longest first, so that one that holds another goes as a whole. Only ever replaced.
_known: tuple[tuple[str, bytes], ...] = ()


def remember(*secrets: str) -> None:
    """Hide ``secrets`` from now on; what is shorter than ``SECRET_LENGTH_MIN`` is left alone."""
    global _known
    forms = {text for text, _ in _known}
    for secret in secrets:
        if len(secret) >= SECRET_LENGTH_MIN:
            forms |= _forms(secret)
    _known = tuple((form, form.encode()) for form in sorted(forms, key=lambda f: (-len(f), f)))


def remember_address(address: str) -> None:
    """Hide the password in a URL or a database's connection string; a lone user name of a web address is a key."""
    _, _, rest = address.rpartition("://")
    # A password may hold what should have been escaped: every @ may be its end.
    for end in (at for at, character in enumerate(rest) if character == "@"):
        user, colon, password = rest[:end].partition(":")
        if colon:
            # A password that is its user's name is none, and would be found in ordinary text.
            if password != user:
                remember(password, unquote(password))
            both = f"{unquote(user)}:{unquote(password)}"
            remember(base64.b64encode(both.encode()).decode())
        elif address.startswith("http"):
            remember(user, unquote(user))
    for found in _KEYWORD_PASSWORD.finditer(address):
        remember(found[1].strip("'"))


def remember_proxies() -> None:
    """Hide the passwords of the proxies that the environment names."""
    for name, value in os.environ.items():
        if name.casefold().endswith("_proxy"):
            remember_address(value)


def hidden(text: str) -> str:
    """Return ``text`` with stars for every remembered secret and for the user part of any URL."""
    for secret, _ in _known:
        if secret in text:
            text = text.replace(secret, STARS)
    return _USERINFO.sub(STARS, text) if "://" in text else text


def hidden_body(body: bytes) -> tuple[bytes, int]:
    """Return ``body`` with stars for every remembered secret, and how many there were; other bytes stay as they are."""
    count = 0
    for _, secret in _known:
        if found := body.count(secret):
            body = body.replace(secret, STARS.encode())
            count += found
    return body, count


def holds_secret(content: bytes) -> bool:
    """Tell whether a remembered secret stands anywhere in ``content``."""
    return any(secret in content for _, secret in _known)


def hidden_everywhere(value: Any) -> Any:
    """Return ``value`` with every text in it hidden, at any depth; keys and bytes stay."""
    if isinstance(value, str):
        return hidden(value)
    if isinstance(value, dict):
        return {key: hidden_everywhere(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [hidden_everywhere(each) for each in value]
    return value


def _forms(secret: str) -> set[str]:
    """Return ``secret`` as URLs, JSON, HTML and headers may write it."""
    percent = quote(secret, safe="")
    written = {
        secret,
        percent,
        re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), percent),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        secret.replace("/", "\\/"),
        html.escape(secret),
        base64.b64encode(secret.encode()).decode(),
        base64.urlsafe_b64encode(secret.encode()).decode(),
    }
    return {form for form in written if len(form) >= SECRET_LENGTH_MIN}
