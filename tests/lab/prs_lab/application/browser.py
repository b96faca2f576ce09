"""The person at the browser: walks the wizard, reads the page, writes marker rows. Uses nothing but HTTP, as a person
does.
"""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

__all__ = ["Browser", "Page", "WizardStuck"]

MAX_REDIRECTS = 5


class WizardStuck(Exception):
    """The wizard did not take a step's answers; the text is what its page says."""


@dataclass(kw_only=True)
class Page:
    """What a person sees: ``state`` is wizard, ready, broken or unreachable; ``rows`` the marker rows as dicts."""

    url: str
    status: int
    state: str = "broken"
    title: str = ""
    step: int | None = None
    error: str = ""
    detail: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data, without the form's fields."""
        return {
            "url": self.url,
            "status": self.status,
            "state": self.state,
            "title": self.title,
            "step": self.step,
            "error": self.error or self.detail,
            "rows": self.rows,
            "row_count": len(self.rows),
            "meta": self.meta,
        }


class _Reader(HTMLParser):
    """Picks out meta tags, form fields, texts by id and the rows of the marker table."""

    def __init__(self) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.inputs: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.rows: list[dict[str, Any]] = []
        self._into: tuple[dict[str, Any], str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._into = None
        if tag == "meta" and "name" in values:
            self.meta[values["name"]] = values.get("content", "")
        elif tag == "input":
            self.inputs[values.get("name", "")] = values.get("value", "")
        elif tag == "tr":
            self.rows.append({})
        elif tag == "td" and self.rows:
            self._into = (self.rows[-1], values.get("class", ""))
        elif tag == "title":
            self._into = (self.texts, "title")
        elif tag == "p" and "id" in values:
            self._into = (self.texts, values["id"])

    def handle_endtag(self, tag: str) -> None:
        self._into = None

    def handle_data(self, data: str) -> None:
        if self._into:
            target, name = self._into
            target[name] = target.get(name, "") + data


class Browser:
    """Goes to ``address:port`` but asks for ``name``, as a client does whose DNS points there; trusts the CA in
    ``ca_file``.
    """

    def __init__(self, *, url: str, ca_file: str | Path | None, address: str | None = None, timeout: float = 30):
        self.url = url
        self._address = address
        self._timeout = timeout
        self._context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)

    def page(self) -> Page:
        """The application's page, redirects followed. A site that cannot be reached gives status 0."""
        return self._request("GET", self.url)

    def mark(self, *, user: str, password: str, labels: list[str]) -> Page:
        """Writes one marker row per label, as the administrator of the application."""
        return self._request(
            "POST", self.url, {"action": "mark", "user": user, "password": password, "labels": "\n".join(labels)}
        )

    def partner(self, *, user: str, password: str, name: str) -> Page:
        """Gives the application its failover partner, on its page Administration > Database."""
        return self._request(
            "POST", self.url, {"action": "partner", "user": user, "password": password, "failover_partner": name}
        )

    def wizard(self, *, answers: dict[int, dict[str, str]]) -> Page:
        """Walks the wizard from the page that is shown until the site is ready; raises WizardStuck with the page's own
        words.
        """
        current = self.page()
        for _ in range(len(answers) + 1):
            if current.state != "wizard":
                break
            step = current.step or 0
            if step not in answers and step != 1:
                raise WizardStuck(f"step {step} of the wizard has no answers")
            fields = {**current.inputs, **answers.get(step, {}), "step": str(step)}
            current = self._request("POST", urljoin(self.url, "Installer.aspx"), fields)
            if current.error or current.state == "broken":
                raise WizardStuck(f"step {step}: {current.error or current.detail or current.title}")
        if current.state != "ready":
            raise WizardStuck(f"the wizard ended with {current.state}: {current.title}")
        return current

    def _request(self, method: str, url: str, form: dict[str, str] | None = None) -> Page:
        for _ in range(MAX_REDIRECTS):
            try:
                status, headers, body = self._once(method, url, form)
            except (OSError, http.client.HTTPException) as error:
                return Page(url=url, status=0, state="unreachable", error=str(error))
            if status != 302:
                return _read(url, status, body)
            method, url, form = "GET", urljoin(url, headers.get("Location", "")), None
        return Page(url=url, status=302, state="broken", error="too many redirects")

    def _once(self, method: str, url: str, form: dict[str, str] | None) -> tuple[int, Any, bytes]:
        parts = urlsplit(url)
        name = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = _NamedHTTPS(
                self._address or name, port, server_name=name, context=self._context, timeout=self._timeout
            )
        else:
            connection = http.client.HTTPConnection(self._address or name, port, timeout=self._timeout)
        try:
            body = urlencode(form).encode() if form is not None else None
            headers = {"Host": parts.netloc, "Connection": "close"}
            if body is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


class _NamedHTTPS(http.client.HTTPSConnection):
    """Connects to an address while TLS checks the name that was asked for."""

    def __init__(self, address: str, port: int, *, server_name: str, context: ssl.SSLContext, timeout: float):
        super().__init__(address, port, context=context, timeout=timeout)
        self._server_name = server_name
        self._tls = context

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._server_name)


def _read(url: str, status: int, body: bytes) -> Page:
    reader = _Reader()
    reader.feed(body.decode("utf-8", "replace"))
    step = reader.meta.get("prs-step", "")
    rows = [{**row, "number": int(row["number"])} for row in reader.rows if row.get("number", "").isdigit()]
    return Page(
        url=url,
        status=status,
        state=reader.meta.get("prs-state", "broken"),
        title=reader.texts.get("title", ""),
        step=int(step) if step.isdigit() else None,
        error=reader.texts.get("error", ""),
        detail=reader.texts.get("detail", ""),
        rows=rows,
        meta=reader.meta,
        inputs={name: value for name, value in reader.inputs.items() if name},
    )
