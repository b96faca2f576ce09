# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the servers were found: by the first that a run learned of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..advice.unreachable import is_silence, reason_of
from .record import Event, Server, ServerState, TaskState

__all__ = ["ON_CONTROL_NODE", "servers_found"]

ON_CONTROL_NODE = {
    "assert", "debug", "fail", "group_by", "include_role", "include_tasks", "meta", "set_fact", "set_stats",
    "preflight_report", "protection_report", "recovery_plan", "site_info",
}  # fmt: skip
"""Actions that say nothing of the server which their task names."""
_REACH = {"silent": ServerState.SILENT, "refuses": ServerState.REFUSES}
_HEALTHY = {"application": "running", "instance": "running", "database": "healthy"}
_NAMES = {"application": "application", "instance": "SQL Server", "database": "database"}


def servers_found(servers: Iterable[Server], events: Sequence[Event]) -> list[Server]:
    """servers: of the inventory. What the preflight told of one counts for more than that a task went well there."""
    wrecks, first = _wrecks(events), _first_answers(events)
    return [_found(server, wrecks.get(server.host), first.get(server.host)) for server in servers]


def _wrecks(events: Iterable[Event]) -> dict[str, Mapping[str, Any]]:
    wrecks: dict[str, Mapping[str, Any]] = {}
    for event in events:
        facts = event.result.get("ansible_facts") or {}
        if wreck := facts.get("preflight_wreck"):
            wrecks.setdefault(event.host, wreck)
    return wrecks


def _first_answers(events: Iterable[Event]) -> dict[str, Event]:
    answers: dict[str, Event] = {}
    for event in events:
        if event.state is not TaskState.SKIPPED and event.action.rpartition(".")[2] not in ON_CONTROL_NODE:
            answers.setdefault(event.host, event)
    return answers


def _found(server: Server, wreck: Mapping[str, Any] | None, answer: Event | None) -> Server:
    if wreck:
        notes = list(_notes(wreck))
        return replace(server, state=_state(wreck), notes=notes)
    if answer is None:
        return server
    if answer.state is TaskState.UNREACHABLE:
        problem = str(answer.result.get("msg", ""))
        state = ServerState.SILENT if is_silence(problem) else ServerState.REFUSES
        return replace(server, state=state, notes=[reason_of(problem)])
    return replace(server, state=ServerState.WORKING, notes=["answers"])


def _state(wreck: Mapping[str, Any]) -> ServerState:
    for part in ("sql", "web"):
        if state := _REACH.get((wreck.get(part) or {}).get("reach", "")):
            return state
    parts = _parts(wreck)
    if "unknown" in parts.values():
        return ServerState.UNKNOWN
    healthy = all(state == _HEALTHY[part] for part, state in parts.items())
    return ServerState.WORKING if healthy else ServerState.DAMAGED


def _notes(wreck: Mapping[str, Any]) -> Iterator[str]:
    problems = [(wreck.get(part) or {}).get("problem", "") for part in ("sql", "web")]
    if any(problems):
        yield from dict.fromkeys(problem for problem in problems if problem)
        return
    for part, state in _parts(wreck).items():
        yield f"{_NAMES[part]}: {state}"


def _parts(wreck: Mapping[str, Any]) -> dict[str, str]:
    parts = {part: wreck[part] for part in _HEALTHY if wreck.get(part)}
    return {part: state["state"] if isinstance(state, Mapping) else str(state) for part, state in parts.items()}
