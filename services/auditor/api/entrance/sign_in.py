"""Where people sign in with a token, so that pages work in a browser: a form, a cookie that no script can read."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from services.auditor.api.entrance.identities import COOKIE, Identities
from services.auditor.api.pages import Pages

_FORM = "application/x-www-form-urlencoded"
_FIELDS_MAX = 8


class SignIn:
    """The sign-in page, and what its form does."""

    def __init__(self, identities: Identities, pages: Pages) -> None:
        """Sign in those whom ``identities`` knows."""
        self._identities = identities
        self._pages = pages

    def add_to(self, app: FastAPI) -> None:
        """Add the routes."""
        app.get("/sign-in", include_in_schema=False)(self.form)
        app.post("/sign-in", include_in_schema=False)(self.sign_in)
        app.post("/sign-out", include_in_schema=False)(self.sign_out)

    async def form(self, request: Request) -> Response:
        """Return the page."""
        return self._pages.sign_in(request, 200, "", "/")

    async def sign_in(self, request: Request) -> Response:
        """Begin a session and lead on to what was asked for; a wrong token gets the page again."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            raise HTTPException(415, f"This takes a form: {_FORM}.")
        fields = _fields(await request.body())
        onward = local(fields.get("next", "/"))
        try:
            session = self._identities.sign_in(request, fields.get("token", "").strip())
        except HTTPException as refusal:
            page = self._pages.sign_in(request, refusal.status_code, str(refusal.detail), onward)
            page.headers.update(refusal.headers or {})
            return page
        answer = RedirectResponse(onward, 303)
        answer.set_cookie(
            COOKIE,
            session,
            max_age=int(self._identities.session_s),
            httponly=True,
            samesite="strict",
            # Over plain HTTP a browser would throw a secure cookie away.
            secure=request.url.scheme == "https",
        )
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        self._identities.sign_out(request)
        answer = RedirectResponse("/sign-in", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer


def _fields(body: bytes) -> dict[str, str]:
    try:
        sent = parse_qs(body.decode("ascii", "replace"), max_num_fields=_FIELDS_MAX)
    except ValueError as error:
        raise HTTPException(400, "This form has too many fields.") from error
    return {name: values[0] for name, values in sent.items()}


def local(address: str) -> str:
    """Return ``address`` if it leads to a page of ours, else the first page's."""
    # Browsers read a backslash as a slash, and two slashes as another site; they drop tabs and line breaks.
    ours = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if ours and address.isprintable() else "/"
