# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the work of a plan took, as the next plan estimates by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..recovery_plan.cost import Phase
from .record import Measure, Span, TaskState

__all__ = ["PLANNED", "PLAYS", "measures_of"]

PLAYS = {
    "Restore the database": Phase.RESTORE_DATABASE,
    "Restore the application": Phase.RESTORE_APPLICATION,
}
"""Plays by their titles. They do their work or nothing, so that one which changed something was measured."""
PLANNED = {
    Phase.INSTALL_SQL_SERVER: ("Provision: set up SQL Server",),
    Phase.INSTALL_IIS: ("Provision: set up IIS", "Provision: set up the application"),
    Phase.VERIFY: ("Verify", "Summary"),
}
"""These always do something: they were measured where the plan said so."""
_UNFINISHED = (TaskState.FAILED, TaskState.UNREACHABLE)


def measures_of(spans: Sequence[Span], steps: Iterable[Mapping[str, Any]]) -> list[Measure]:
    """spans: of a run that touched something. steps: of recovery_plan {phase, host, size}; none where none was made."""
    sizes = {(step["phase"], step["host"]): int(step["size"]) for step in steps}
    return [*_planned(spans, sizes), *_played(spans, sizes)]


def _planned(spans: Sequence[Span], sizes: Mapping[tuple[str, str], int]) -> Iterator[Measure]:
    for phase, titles in PLANNED.items():
        for host in [host for name, host in sizes if name == phase.value]:
            parts = [span for span in spans if span.phase in titles and span.host == host]
            if parts and not any(span.state in _UNFINISHED for span in parts):
                yield Measure(phase=phase.value, host=host, seconds=sum(span.seconds for span in parts), size=0)


def _played(spans: Sequence[Span], sizes: Mapping[tuple[str, str], int]) -> Iterator[Measure]:
    for span in spans:
        phase = PLAYS.get(span.phase)
        if phase and span.changed and span.state not in _UNFINISHED:
            size = sizes.get((phase.value, span.host), 0)
            yield Measure(phase=phase.value, host=span.host, seconds=span.seconds, size=size)
