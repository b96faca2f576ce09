# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is wrong before anything is touched, as sentences: what, on which host, and what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from . import backup_files, backups, connection, iis, media, sql_server, windows
from .certificates import certificate_problems
from .control_node import CHECKS as CONTROL_NODE
from .control_node import ControlNode
from .facts import UNREACHABLE, HostFacts

__all__ = ["problems", "problems_of_backups"]

_OF_BACKUPS: tuple[Callable[[HostFacts], Iterator[str]], ...] = (*backups.CHECKS, *backup_files.CHECKS)
"""What is asked where something is restored from backups."""
_INSPECTED: tuple[Callable[[HostFacts], Iterator[str]], ...] = (
    windows.domain_controller,
    windows.windows_too_old,
    windows.dotnet_too_old,
    windows.firewall_off,
    *sql_server.CHECKS,
    *media.CHECKS,
    *iis.CHECKS,
    windows.too_little_room,
    *_OF_BACKUPS,
)
"""What is asked of a host that answered, in the order of the sentences."""


def problems(facts: HostFacts, node: ControlNode, now: dt.datetime) -> list[str]:
    """All of them. now: aware. Each sentence begins with the host it is about, 'backups' or 'control node'."""
    sentences = [f"{facts.host}: {sentence}" for sentence in _of_the_host(facts, node, now)]
    if facts.windows.ok:
        sentences += [f"backups: {sentence}" for sentence in backups.no_recovery_set(facts)]
    return sentences + [f"control node: {sentence}" for check in CONTROL_NODE for sentence in check(node)]


def problems_of_backups(facts: HostFacts) -> list[str]:
    """Those of them that are none where nothing is restored from backups."""
    if not facts.windows.ok:
        return []
    return [
        *(f"{facts.host}: {sentence}" for check in _OF_BACKUPS for sentence in check(facts)),
        *(f"backups: {sentence}" for sentence in backups.no_recovery_set(facts)),
    ]


def _of_the_host(facts: HostFacts, node: ControlNode, now: dt.datetime) -> Iterator[str]:
    if facts.windows.ok:
        for check in _INSPECTED:
            yield from check(facts)
        yield from certificate_problems(facts, now)
        return
    if facts.windows.state == UNREACHABLE and node.authorities:
        return  # without the authorities no server can be known, and each would look dead
    for check in connection.CHECKS:
        yield from check(facts)
