# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of one run of a playbook, typed: what its page and its JSON are made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

__all__ = [
    "Check", "Event", "Failure", "Measure", "Outcome", "Road", "Run", "RunReport", "Server", "ServerState", "Span",
    "TaskState",
]  # fmt: skip


class TaskState(str, Enum):
    """What became of a task on one host. RESCUED: it failed, and the playbook went on."""

    OK, CHANGED, SKIPPED, FAILED, RESCUED, UNREACHABLE = "ok", "changed", "skipped", "failed", "rescued", "unreachable"


class Outcome(str, Enum):
    SUCCEEDED, FAILED = "succeeded", "failed"


class ServerState(str, Enum):
    """How a server was found. SILENT: nothing answers there. REFUSES: it answers, but not to us."""

    WORKING, DAMAGED, SILENT, REFUSES, UNKNOWN = "working", "damaged", "silent", "refuses", "unknown"


@dataclass(frozen=True, kw_only=True)
class Event:
    """A task that ended on one host. play: its title, which several may have. role: empty outside of one. begun, ended:
    aware. result: as the module returned it, without what Ansible hides.
    """

    play_number: int
    play: str
    role: str
    task: str
    action: str
    host: str
    begun: dt.datetime
    ended: dt.datetime
    state: TaskState
    result: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Server:
    """parts: web server, database server, witness. notes: what was found on it, a sentence each."""

    host: str
    site: str
    parts: Sequence[str]
    active: bool
    state: ServerState = ServerState.UNKNOWN
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Road:
    """obstacle: why it cannot be gone, '' where it can. needs: variables by which somebody has to say yes."""

    name: str
    source: str
    loss: str
    duration: str
    obstacle: str
    needs: Sequence[str]
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class Span:
    """What one host did in one phase. tasks, changed: how many."""

    phase: str
    host: str
    begun: dt.datetime
    ended: dt.datetime
    state: TaskState
    tasks: int
    changed: int

    @property
    def seconds(self) -> float:
        return (self.ended - self.begun).total_seconds()


@dataclass(frozen=True, kw_only=True)
class Failure:
    host: str
    phase: str
    task: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Measure:
    """How long a phase of a plan took on one host. size: bytes that were moved, 0 where nobody counted."""

    phase: str
    host: str
    seconds: float
    size: int


@dataclass(frozen=True, kw_only=True)
class Check:
    """A row of the table that verifies the service: ok, warn or fail."""

    what: str
    where: str
    state: str
    value: str
    next: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is known of a run beside what its tasks returned. servers: as the inventory has them. failed_hosts: on which
    it ended before its end.
    """

    playbook: str
    check_mode: bool
    begun: dt.datetime
    ended: dt.datetime
    by: str
    servers: Sequence[Server]
    failed_hosts: Collection[str]
    versions: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """begun, ended: aware, UTC. loss: what was lost, or would be, in words; '' where nothing was at stake.

    recovery_point: a text in ISO 8601, '' where nobody learned one. steps: of the chosen road. planned, done,
    left_to_do, warnings: sentences. versions: by what they are of. by: who ran it, from where.
    """

    playbook: str
    check_mode: bool
    outcome: Outcome
    begun: dt.datetime
    ended: dt.datetime
    by: str
    site: str
    servers: Sequence[Server] = ()
    roads: Sequence[Road] = ()
    steps: Sequence[str] = ()
    planned: Sequence[str] = ()
    loss: str = ""
    recovery_point: str = ""
    spans: Sequence[Span] = ()
    measures: Sequence[Measure] = ()
    failures: Sequence[Failure] = ()
    done: Sequence[str] = ()
    left_to_do: Sequence[str] = ()
    warnings: Sequence[str] = ()
    checks: Sequence[Check] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return (self.ended - self.begun).total_seconds()

    @property
    def road(self) -> Road | None:
        return next((road for road in self.roads if road.chosen), None)
