# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a site's answer means: at which step of the way it ended, and what to do about it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ANSWERED", "CONNECT", "HTTP", "NAME", "TLS", "Answer", "judge"]

NAME, CONNECT, TLS, HTTP, ANSWERED = "name", "connect", "tls", "http", "answered"
"""The steps of a request; an answer names the one at which it ended."""

_SHOWN = 300


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of asking one address.

    step: where it ended. reason: why, in a word, when that was before an answer: unknown, refused, timeout,
    unreachable, expired, name, untrusted, not_yet, no_tls, dropped. detail: the system's own words. status, text: of
    the last page, redirects followed. certificate: {subject, names, not_after (ISO 8601, UTC)} where TLS was agreed
    upon.
    """

    url: str
    host: str
    port: int
    step: str
    reason: str = ""
    detail: str = ""
    addresses: tuple[str, ...] = ()
    status: int = 0
    text: str = ""
    certificate: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


# (step, reason) -> what it means, what to do. {host}, {port} and {detail} are filled in.
_EXPLAINED = {
    (NAME, "unknown"): (
        "the name {host} is not known to this control node's DNS ({detail})",
        "Lead the public name to the web server of the active site, or correct prs_app_public_name",
    ),
    (CONNECT, "refused"): (
        "{host}:{port} refuses the connection: nothing listens there",
        (
            "Look on the web server whether IIS is installed, its service W3SVC and the site are started, and the site "
            "is bound to port {port}"
        ),
    ),
    (CONNECT, "timeout"): (
        "{host}:{port} does not answer",
        "Look whether the web server is on, and whether a firewall drops what comes to port {port}",
    ),
    (CONNECT, "unreachable"): (
        "{host}:{port} cannot be reached ({detail})",
        "Check the network between this control node and the web server",
    ),
    (TLS, "expired"): (
        "the site's certificate has expired",
        "Have a new one issued, put it in prs_app_certificate_pfx and run rebuild_prs",
    ),
    (TLS, "not_yet"): (
        "the site's certificate is not valid yet",
        "Check the clocks of the control node and of the authority",
    ),
    (TLS, "name"): (
        "the site's certificate is not for {host} ({detail})",
        "Bind a certificate with that name, or ask for the name that is in it",
    ),
    (TLS, "untrusted"): (
        "the site's certificate is from an authority that this control node does not trust ({detail})",
        "Name the authority's file in prs_ca_file, and let the server send its intermediate certificates",
    ),
    (TLS, "no_tls"): (
        "{host}:{port} takes the connection, and TLS fails ({detail})",
        "Look in IIS whether the binding is https and has a certificate whose private key is there",
    ),
    (HTTP, "dropped"): (
        "{host}:{port} ends the connection without an answer ({detail})",
        "Look at the application pool and the Windows event log",
    ),
    (HTTP, "timeout"): (
        "{host}:{port} takes the request and does not answer in time",
        "The first request after a start is slow: try again; then look at the application pool and at the database",
    ),
}
_BY_STATUS = {
    503: (
        "the application pool is stopped, or its account cannot log on",
        "Start the pool, and look at its identity and the Windows event log",
    ),
    404: ("there is no such page", "Look at the site's folder, and whether ASP.NET 4.5 is among the features of IIS"),
    401: ("the site asks for a password", "Let anonymous users in, or correct the address"),
    403: ("the site refuses", "Look at the site's rights and its SSL settings"),
}
_OWN_FAULT = (
    "the application fails",
    "Look at database.config, at the way to the database and at the Windows event log of the web server",
)
_NO_PAGE = ("this is not the page of Password Reset Server", "Look which site answers at this address")


def judge(answer: Answer, *, ready_pattern: str, wizard_pattern: str) -> dict[str, str]:
    """{state: ready|wizard|broken|unreachable, problem, advice}; the last two empty when the site is ready."""
    if answer.step != ANSWERED:
        problem, advice = _EXPLAINED[answer.step, answer.reason]
        values = {"host": answer.host, "port": answer.port, "detail": answer.detail}
        return {"state": "unreachable", "problem": problem.format(**values), "advice": advice.format(**values)}
    if answer.status == 200 and re.search(wizard_pattern, answer.url + answer.text):
        return {
            "state": "wizard",
            "problem": "the page shows the setup wizard: database.config is missing, or the database is empty",
            "advice": "After a fresh installation answer it; else bring the application back with restore_prs",
        }
    if answer.status == 200 and re.search(ready_pattern, answer.text):
        return {"state": "ready", "problem": "", "advice": ""}
    meaning, advice = _NO_PAGE if answer.status == 200 else _BY_STATUS.get(answer.status, _OWN_FAULT)
    words = _readable(answer.text)
    return {
        "state": "broken",
        "problem": f"it answers {answer.status}: {meaning}" + (f" ({words})" if words else ""),
        "advice": advice,
    }


def _readable(text: str) -> str:
    """What a person sees of a page, shortened."""
    seen = re.sub(r"(?is)<(head|script|style).*?</\1>|<[^>]+>", " ", text)
    words = re.sub(r"\s+", " ", html.unescape(seen)).strip()
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}..."
