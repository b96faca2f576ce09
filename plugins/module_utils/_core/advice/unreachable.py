# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why Ansible did not reach a host: a server that refuses, or cannot be known, is not one that is gone.

Ansible says it in the text of a chain of Python's exceptions (requests, urllib3, pywinrm), the last of which counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

__all__ = [
    "ACCOUNT_REFUSED",
    "BROKEN_OFF",
    "CONNECTION_REFUSED",
    "NO_ANSWER",
    "NO_TICKET",
    "PROXY",
    "UNKNOWN_NAME",
    "UNVERIFIED",
    "cause_of",
    "is_silence",
    "not_reached",
    "reason_of",
    "state_of",
    "states_of",
]

ACCOUNT_REFUSED = "account_refused"
"""The server answers, and does not accept the account."""
NO_TICKET = "no_ticket"
"""There is no Kerberos ticket to show, so the server was not even asked, or not under its name in the domain."""
UNVERIFIED = "unverified"
"""Something answers whose certificate is of no known authority, or for another name."""
PROXY = "proxy"
"""A proxy of the environment stands between, and does not lead there."""
CONNECTION_REFUSED = "connection_refused"
"""Something at that address answers that nobody listens on the port: a Windows without its WinRM service."""
BROKEN_OFF = "broken_off"
"""Something takes the connection, and ends it or says nothing more."""
UNKNOWN_NAME = "unknown_name"
"""Nobody was asked, for nobody knows the address of that name."""
NO_ANSWER = "no_answer"
"""Nothing answers: the only one of these that a lost server looks like."""

_CAUSES = (
    (
        NO_TICKET,
        re.compile(
            r"Kerberos auth failure|kerberos library is not installed|KerberosExchangeError|authGSSClient|SpnegoError"
            r"|GSSError|KDC"
        ),
    ),
    (
        ACCOUNT_REFUSED,
        re.compile(
            r"rejected|(HTTP|Error|Code:) 401|failed to authenticate|auth failure|Preauthentication failed"
            r"|Access is denied",
            re.IGNORECASE,
        ),
    ),
    (PROXY, re.compile(r"ProxyError|Unable to connect to proxy|Tunnel connection failed")),
    (UNVERIFIED, re.compile(r"certificate verify failed|CERTIFICATE_VERIFY_FAILED|CertificateError|doesn't match")),
    (CONNECTION_REFUSED, re.compile(r"Connection refused|Errno 111\]|actively refused")),
    (
        BROKEN_OFF,
        re.compile(r"reset by peer|Connection aborted|without response|Read timed out|read timeout=|Broken pipe"),
    ),
    (UNKNOWN_NAME, re.compile(r"not known|getaddrinfo|NameResolutionError|[Nn]ame resolution|No address associated")),
)
_SYSTEM_ERROR = re.compile(r"Errno -?\d+\] ([^\"')]+)")
_VERIFICATION = re.compile(r"certificate verify failed: ([^()\"']+)")
_PATIENCE_ENDED = re.compile(r"(Connection to \S+ timed out|Read timed out)")
_LONGEST = 300
_SILENCE = re.compile(
    r"ConnectTimeout|connect timeout=|Connection timed out|connection attempt timed out|No route to host|Host is down"
    r"|(Host|Network) is unreachable"
)
"""What is said when no packet came back, by urllib3 and by the system (ETIMEDOUT, EHOSTUNREACH and their kin)."""


def cause_of(problem: str) -> str:
    """One of the words above. problem: what Ansible says of the host."""
    return next((cause for cause, pattern in _CAUSES if pattern.search(problem)), NO_ANSWER)


def is_silence(problem: str) -> bool:
    """Whether nothing at all answered, for a decision that takes a server for lost: what is not known to be silence (a
    full disk, too many shells, a package that is missing here, a connection that is refused) is none.
    """
    return cause_of(problem) == NO_ANSWER and _SILENCE.search(problem) is not None


_LIVES = {
    ACCOUNT_REFUSED: "answers, but refuses the account: correct ansible_user and ansible_password",
    NO_TICKET: "was not asked, for there is no Kerberos ticket: correct ansible_user, ansible_password and krb5.conf",
    UNVERIFIED: (
        "answers, but its certificate cannot be verified: name its authority in ansible_winrm_ca_trust_path, or reach "
        "it by a name of its certificate"
    ),
    CONNECTION_REFUSED: (
        "answers, but takes no connection for WinRM: start its service WinRM, and check ansible_port, its listener and "
        "the firewalls between"
    ),
    BROKEN_OFF: (
        "takes the connection for WinRM and breaks it off: check ansible_port and its service WinRM, or restart it"
    ),
    UNKNOWN_NAME: "was not asked, for its name has no address: correct ansible_host, or the DNS of the control node",
    NO_ANSWER: "is not silent, but cannot be used",
    PROXY: "is asked by way of a proxy that does not lead there: correct HTTPS_PROXY and no_proxy of the control node",
}


def state_of(problem: str) -> str:
    """What a server that was not reached does, as the end of a sentence about it, with the reason."""
    return "does not answer" if is_silence(problem) else f"{_LIVES[cause_of(problem)]} ({reason_of(problem)})"


def states_of(unreached: Iterable[Mapping[str, str]]) -> tuple[list[str], list[str]]:
    """The hosts that are silent, and of each other one its name and what it does. unreached: {host, problem} each."""
    silent, living = [], []
    for entry in unreached:
        if is_silence(entry["problem"]):
            silent.append(entry["host"])
        else:
            living.append(f"{entry['host']} {state_of(entry['problem'])}")
    return silent, living


def not_reached(unreached: Iterable[Mapping[str, str]], *, so: str, when_lost: str = "") -> list[str]:
    """Why a run ends before anything is touched. so: what cannot be done; when_lost: what to do about a server that is
    lost, as the end of a sentence.
    """
    silent, living = states_of(unreached)
    sentences = [f"{state}. So {so}. Nothing was touched." for state in living]
    if silent:
        sentences.append(
            f"{', '.join(silent)} cannot be reached by WinRM, so {so}. Nothing was touched. Switch the server on, "
            f"check its name, its WinRM listener and the firewall, and run this again{when_lost}."
        )
    return sentences


def reason_of(problem: str) -> str:
    """The innermost reason, in the words of the system where there are some; at most 300 characters."""
    system = _VERIFICATION.findall(problem) or _SYSTEM_ERROR.findall(problem) or _PATIENCE_ENDED.findall(problem)
    reason = (system[-1] if system else problem).strip()
    return reason if len(reason) <= _LONGEST else f"{reason[: _LONGEST - 3].rstrip()}..."
