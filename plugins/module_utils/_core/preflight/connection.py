# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of a host that was not inspected: WinRM, the account, its rights.

A server that refuses or cannot be known is not lost, and the advice to rebuild elsewhere is for a lost one alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..advice.unreachable import (
    ACCOUNT_REFUSED,
    BROKEN_OFF,
    CONNECTION_REFUSED,
    NO_ANSWER,
    NO_TICKET,
    PROXY,
    UNKNOWN_NAME,
    UNVERIFIED,
    cause_of,
    reason_of,
)
from .facts import FAILED, UNREACHABLE, HostFacts

__all__ = ["CHECKS"]


def account_refused(facts: HostFacts) -> Iterator[str]:
    if _cause(facts) == ACCOUNT_REFUSED:
        yield (
            f"Windows does not accept the account {facts.account} at {facts.address}. Correct ansible_user and "
            "ansible_password in the inventory."
        )


def no_ticket(facts: HostFacts) -> Iterator[str]:
    if _cause(facts) == NO_TICKET:
        yield (
            f"was not asked at {facts.address}: there is no Kerberos ticket for {facts.account}. Correct ansible_user "
            "(user@REALM) and ansible_password, /etc/krb5.conf and the clock of the control node, or the name of the "
            f"server (ansible_winrm_kerberos_hostname_override). ({reason_of(facts.windows.problem)})"
        )


def certificate_not_verified(facts: HostFacts) -> Iterator[str]:
    if _cause(facts) == UNVERIFIED:
        yield (
            f"answers at {facts.address}, but the certificate of its WinRM listener cannot be verified. Name the file "
            "with its authority in ansible_winrm_ca_trust_path, or give the listener a certificate of that authority "
            f"for this name. ({reason_of(facts.windows.problem)})"
        )


def behind_a_proxy(facts: HostFacts) -> Iterator[str]:
    if _cause(facts) == PROXY:
        yield (
            f"cannot be reached by WinRM at {facts.address} through the proxy of the environment (HTTP_PROXY, "
            "HTTPS_PROXY). Name the server in NO_PROXY, or set ansible_winrm_proxy: null in the inventory. "
            f"({reason_of(facts.windows.problem)})"
        )


def no_connection(facts: HostFacts) -> Iterator[str]:
    reason = reason_of(facts.windows.problem)
    if _cause(facts) == CONNECTION_REFUSED:
        yield (
            f"answers at {facts.address}, but takes no connection for WinRM. Start its service WinRM, and check "
            f"ansible_port, its listener and the firewalls between. ({reason})"
        )
    if _cause(facts) == BROKEN_OFF:
        yield (
            f"takes the connection at {facts.address} and breaks it off. Check ansible_port and its service WinRM, or "
            f"restart it. ({reason})"
        )
    if _cause(facts) == UNKNOWN_NAME:
        yield (
            f"was not asked: the name in {facts.address} has no address. Correct ansible_host, or the DNS of the "
            f"control node. ({reason})"
        )


def not_reached(facts: HostFacts) -> Iterator[str]:
    if _cause(facts) == NO_ANSWER:
        elsewhere = "; if its site is lost, rebuild at another (-e prs_active_site=...)" if facts.need_backup else ""
        yield (
            f"cannot be reached by WinRM at {facts.address}. Switch the server on, check its name, its WinRM listener "
            f"and the firewall{elsewhere}. ({reason_of(facts.windows.problem)})"
        )


def not_inspected(facts: HostFacts) -> Iterator[str]:
    if facts.windows.state == FAILED:
        yield (
            f"cannot be looked at: {facts.windows.problem.rstrip('. ')}. The account must be a local administrator, "
            "and neither a policy nor a virus scanner may stop scripts there."
        )


def _cause(facts: HostFacts) -> str:
    return cause_of(facts.windows.problem) if facts.windows.state == UNREACHABLE else ""


CHECKS = (
    account_refused,
    no_ticket,
    certificate_not_verified,
    behind_a_proxy,
    no_connection,
    not_reached,
    not_inspected,
)
