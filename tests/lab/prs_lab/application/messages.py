"""Requests and answers between IIS' twin and the application's twin, and the errors that end as an IIS error page."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Any

__all__ = ["PageError", "Request", "Response", "error_response", "page", "redirect"]

REASONS = {
    200: "OK",
    302: "Found",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request: ``path`` is relative to the application (``Default.aspx``), ``form`` the decoded form fields."""

    method: str
    path: str
    base: str = "/"
    form: dict[str, str] = field(default_factory=dict)
    secure: bool = True
    host: str = ""
    content_length: int = 0


@dataclass(frozen=True, kw_only=True)
class Response:
    """One HTTP answer; ``substatus`` is what IIS writes in its log behind the dot (500.19)."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    substatus: int = 0


class PageError(Exception):
    """A request that IIS or ASP.NET answers with an error page. ``extra`` goes into the page as ``<meta
    name="prs-...">``.
    """

    def __init__(self, status: int, detail: str, *, substatus: int = 0, **extra: Any):
        self.status = status
        self.substatus = substatus
        self.detail = detail
        self.extra = extra
        super().__init__(f"{status}.{substatus} {detail}")


def page(
    *, title: str, body: str, status: int = 200, substatus: int = 0, meta: dict[str, Any] | None = None
) -> Response:
    """An HTML page; ``body`` is HTML already, ``title`` and ``meta`` are plain text."""
    tags = "".join(f'<meta name="{name}" content="{html.escape(str(value))}">' for name, value in (meta or {}).items())
    text = (
        "<!DOCTYPE "
        f"html>\n<html><head><title>{html.escape(title)}</title>{tags}</head>\n<body><h1>{html.escape(title)}</h1>\n{body}\n</body></html>\n"
    )
    return Response(
        status=status,
        substatus=substatus,
        body=text.encode("utf-8"),
        headers={"Content-Type": "text/html; charset=utf-8"},
    )


def redirect(location: str) -> Response:
    return Response(
        status=302, headers={"Location": location, "Content-Type": "text/html"}, body=b"<h2>Object moved</h2>\n"
    )


def error_response(error: PageError) -> Response:
    """The error as IIS shows it to a client on the same machine: status, substatus and what is wrong."""
    status = f"{error.status}.{error.substatus}" if error.substatus else str(error.status)
    title = f"HTTP Error {status} - {REASONS.get(error.status, 'Error')}"
    meta = {
        "prs-state": "broken",
        "prs-status": status,
        **{f"prs-{name.replace('_', '-')}": value for name, value in error.extra.items()},
    }
    return page(
        title=title,
        body=f'<p id="detail">{html.escape(error.detail)}</p>',
        status=error.status,
        substatus=error.substatus,
        meta=meta,
    )
