# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a web site as a browser does, one step after the other, so that each way to fail keeps its own name."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urljoin, urlsplit

from ._core.errors import RecoveryError
from ._core.site_answer import ANSWERED, CONNECT, HTTP, NAME, TLS, Answer

__all__ = ["ask"]

REDIRECTS = 5
LARGEST = 1 << 20
"""Bytes of a page that are read."""

# Numbers of OpenSSL's verification (X509_V_ERR_*).
_CERTIFICATE_FAULTS = {9: "not_yet", 10: "expired", 62: "name", 64: "name"}


class _Ended(Exception):
    """The way ends at a step."""

    def __init__(self, step: str, reason: str, detail: object) -> None:
        super().__init__(str(detail))
        self.step = step
        self.reason = reason


def ask(url: str, *, ca_file: str | None, address: str | None, timeout: float) -> Answer:
    """Fetch a page, redirects followed. address: where to go in place of what the name in the first address leads to.

    Raises RecoveryError for what is no address, or when ca_file cannot be read.
    """
    context = _context(ca_file)
    begin = time.monotonic()
    known: dict[str, Any] = {}
    for _turn in range(REDIRECTS + 1):
        parts = urlsplit(url)
        try:
            host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise RecoveryError(f"{url} is no address of a site: {error}", code="option_invalid") from error
        if parts.scheme not in ("http", "https") or not host:
            raise RecoveryError(
                f"{url} is no address of a site",
                code="option_invalid",
                advice="Write for example https://reset.example.com/",
            )
        known |= {"url": url, "host": host, "port": port}
        first = urlsplit(known.setdefault("first", url))
        there = address if (host, parts.scheme) == (first.hostname, first.scheme) else None
        try:
            status, location, known["text"] = _request(
                parts, host, port, there, context if parts.scheme == "https" else None, timeout, known
            )
        except _Ended as end:
            return _answer(known, step=end.step, reason=end.reason, detail=str(end), seconds=time.monotonic() - begin)
        if not (300 <= status < 400 and location):
            break
        url = urljoin(url, location)
    return _answer(known, step=ANSWERED, status=status, seconds=time.monotonic() - begin)


def _answer(known: Mapping[str, Any], **more: Any) -> Answer:
    return Answer(**{name: value for name, value in known.items() if name != "first"}, **more)


def _context(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise RecoveryError(
            f"The authorities in {ca_file} cannot be read: {error}",
            code="option_invalid",
            advice="Correct prs_ca_file in the inventory",
        ) from error


def _request(
    parts: Any,
    host: str,
    port: int,
    address: str | None,
    context: ssl.SSLContext | None,
    timeout: float,
    known: dict[str, Any],
) -> tuple[int, str, str]:
    """(status, where a redirect leads, text). known gets addresses and certificate as they are found. Raises _Ended."""
    places = _resolve(address or host, port)
    known["addresses"] = tuple(dict.fromkeys(place[4][0] for place in places))
    connected = _connect(places, timeout)
    try:
        if context is not None:
            connected = _agree(connected, context, host)
            known["certificate"] = _described(connected.getpeercert() or {})
        return _fetch(connected, parts, host, port, timeout)
    finally:
        connected.close()


def _resolve(host: str, port: int) -> list[Any]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _Ended(NAME, "unknown", getattr(error, "strerror", None) or error) from error


def _connect(places: list[Any], timeout: float) -> socket.socket:
    """Connected to the first address that takes it."""
    ended: _Ended | None = None
    for family, kind, protocol, _name, place in places:
        tried = socket.socket(family, kind, protocol)
        tried.settimeout(timeout)
        try:
            tried.connect(place)
            return tried
        except OSError as error:
            tried.close()
            reason = (
                "refused"
                if isinstance(error, ConnectionRefusedError)
                else "timeout"
                if isinstance(error, TimeoutError)
                else "unreachable"
            )
            ended = ended or _Ended(CONNECT, reason, error.strerror or error)
    raise ended or _Ended(NAME, "unknown", "no address")


def _agree(connected: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    try:
        return context.wrap_socket(connected, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise _Ended(TLS, _CERTIFICATE_FAULTS.get(error.verify_code, "untrusted"), error.verify_message) from error
    except OSError as error:  # ssl.SSLError is one; so is a connection that the other side ends
        raise _Ended(TLS, "no_tls", getattr(error, "reason", None) or error.strerror or error) from error


def _fetch(connected: socket.socket, parts: Any, host: str, port: int, timeout: float) -> tuple[int, str, str]:
    asked = http.client.HTTPConnection(host, port, timeout=timeout)
    asked.sock = connected
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        asked.request("GET", path, headers={"Accept": "text/html", "User-Agent": "prs.recovery", "Connection": "close"})
        answer = asked.getresponse()
        text = answer.read(LARGEST).decode("utf-8", "replace")
    except TimeoutError as error:
        raise _Ended(HTTP, "timeout", error) from error
    except (OSError, http.client.HTTPException) as error:
        raise _Ended(HTTP, "dropped", str(error) or type(error).__name__) from error
    return answer.status, answer.headers.get("Location") or "", text


def _described(certificate: Mapping[str, Any]) -> dict[str, Any]:
    """Of what Python's ssl tells of a certificate that it has verified."""
    if not certificate:
        return {}
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), tz=timezone.utc)
    subject = ", ".join(f"{name}={value}" for part in certificate.get("subject", ()) for name, value in part)
    return {
        "subject": subject,
        "names": [value for _kind, value in certificate.get("subjectAltName", ())],
        "not_after": end.isoformat(),
    }
