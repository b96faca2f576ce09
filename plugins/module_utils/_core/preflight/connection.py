# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of a host that was not inspected: WinRM, the account, its rights."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .facts import FAILED, UNREACHABLE, HostFacts

__all__ = ["CHECKS"]

_LONGEST = 300
_SYSTEM_ERROR = re.compile(r"Errno -?\d+\] ([^\"')]+)")
"""The reason at the end of a chain of Python's exceptions."""


def account_refused(facts: HostFacts) -> Iterator[str]:
    if facts.windows.state == UNREACHABLE and _refused(facts):
        yield (
            f"Windows does not accept the account {facts.account} at {facts.address}. Correct ansible_user and "
            "ansible_password in the inventory."
        )


def not_reached(facts: HostFacts) -> Iterator[str]:
    if facts.windows.state == UNREACHABLE and not _refused(facts):
        elsewhere = "; if its site is lost, rebuild at another (-e prs_active_site=...)" if facts.need_backup else ""
        yield (
            f"cannot be reached by WinRM at {facts.address}. Switch the server on, check its name, its WinRM listener "
            f"and the firewall{elsewhere}. ({_reason(facts.windows.problem)})"
        )


def not_inspected(facts: HostFacts) -> Iterator[str]:
    if facts.windows.state == FAILED:
        yield f"cannot be looked at: {facts.windows.problem}. The account must be a local administrator."


def _refused(facts: HostFacts) -> bool:
    return "rejected" in facts.windows.problem


def _reason(problem: str) -> str:
    system = _SYSTEM_ERROR.findall(problem)
    reason = (system[-1] if system else problem).strip()
    return reason if len(reason) <= _LONGEST else f"{reason[: _LONGEST - 3].rstrip()}..."


CHECKS = (account_refused, not_reached, not_inspected)
