# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline of a run: which host spent how long in which phase."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .record import Event, Span, TaskState

__all__ = ["phases_of", "spans_of"]

_PROVISIONING = {
    "iis": "set up IIS",
    "prs_app": "set up the application",
    "sql_server": "set up SQL Server",
}
"""Roles that a play runs one after the other; of others the play's title says enough."""
_WORSE = (
    TaskState.OK, TaskState.CHANGED, TaskState.RESCUED, TaskState.UNREACHABLE, TaskState.FAILED,
)  # fmt: skip


def phases_of(events: Iterable[Event]) -> list[str]:
    """The phase of each event. In a provisioning play a role that another one includes counts for that one."""
    phases, parts = [], {}
    for event in events:
        part = _PROVISIONING.get(event.role.rpartition(".")[2], parts.get((event.play_number, event.host), ""))
        if part and event.play.startswith("Provision "):
            parts[event.play_number, event.host] = part
            phases.append(f"Provision: {part}")
        else:
            phases.append(event.play)
    return phases


def spans_of(events: Sequence[Event]) -> list[Span]:
    """In the order in which they began. What a host only skipped is none."""
    spans: dict[tuple[int, str, str], Span] = {}
    for event, phase in zip(events, phases_of(events), strict=True):
        if event.state is not TaskState.SKIPPED:
            key = (event.play_number, phase, event.host)
            spans[key] = _longer(spans[key], event) if key in spans else _begun(event, phase)
    return sorted(spans.values(), key=lambda span: span.begun)


def _begun(event: Event, phase: str) -> Span:
    return Span(
        phase=phase,
        host=event.host,
        begun=event.begun,
        ended=event.ended,
        state=event.state,
        tasks=1,
        changed=int(event.state is TaskState.CHANGED),
    )


def _longer(span: Span, event: Event) -> Span:
    return replace(
        span,
        begun=min(span.begun, event.begun),
        ended=max(span.ended, event.ended),
        state=max(span.state, event.state, key=_WORSE.index),
        tasks=span.tasks + 1,
        changed=span.changed + int(event.state is TaskState.CHANGED),
    )
