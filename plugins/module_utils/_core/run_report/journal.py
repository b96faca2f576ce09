# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: one file for each run, JSON lines. The first says who did what and how it ended, each other one how long
a phase took.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..times import to_stamp, to_text
from .record import RunReport

__all__ = [
    "FOLDER", "FORMAT", "KEPT", "RECOVERIES", "Journal", "PastRun", "journal_file_name", "journal_text",
    "read_journals",
]  # fmt: skip

FOLDER = "journal"
"""Beside the reports."""
KEPT = 1000
"""Of each playbook there, as C(prs_journal_keep) says it of those beside the backups."""
RECOVERIES = ("*-re*_prs.jsonl", "*-failover_prs.jsonl")
"""Journals of rebuilds and restores, and of moves to another site. As only the newest are read, those of the backups,
which may be taken every few minutes, would soon be all.
"""
FORMAT = "prs.recovery journal 1"
_MOST_LINES = 1000
"""Of one run. No plan has as many phases."""
_LONGEST_TEXT = 200
_LARGEST = {"seconds": 10 * 366 * 86400, "size": 1 << 60}
_DAMAGED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class PastRun:
    """One run, as its journal has it. begun: a text in ISO 8601, UTC. by: who ran it, from where. outcome: succeeded or
    failed; all of them '' where nobody said. servers: of its inventory.

    phases: {phase, seconds, size} of the lines that are whole. damaged: how many are not.
    """

    begun: str
    playbook: str = ""
    site: str = ""
    by: str = ""
    outcome: str = ""
    seconds: float = 0
    servers: Sequence[str] = ()
    phases: Sequence[Mapping[str, Any]] = ()
    damaged: int = 0

    @property
    def identity(self) -> tuple[str, ...]:
        """The same for both copies of a journal."""
        return self.begun, self.playbook, self.site, self.by


@dataclass(frozen=True, kw_only=True)
class Journal:
    """runs: earlier ones, each once, oldest first. damaged: what cannot be read, in words."""

    runs: list[PastRun]
    damaged: list[str]

    @property
    def entries(self) -> list[dict[str, Any]]:
        """{phase, seconds, size} of all runs, oldest first."""
        return [dict(phase) for run in self.runs for phase in run.phases]


def journal_file_name(report: RunReport) -> str:
    """Names sort by time."""
    return f"{to_stamp(report.begun)}-{report.playbook}.jsonl"


def journal_text(report: RunReport) -> str:
    """What one run did."""
    head = {
        "format": FORMAT,
        "playbook": report.playbook,
        "site": report.site,
        "by": report.by,
        "begun": to_text(report.begun),
        "seconds": round(report.seconds, 1),
        "outcome": report.outcome.value,
        "servers": [server.host for server in report.servers],
        "done": list(report.done),
        "failures": [f"{failure.host}: {failure.task}" for failure in report.failures],
    }
    phases = [
        {"phase": measure.phase, "host": measure.host, "seconds": round(measure.seconds, 1), "size": measure.size}
        for measure in report.measures
    ]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in (head, *phases))


def read_journals(
    files: Iterable[Mapping[str, Any]],
    beside_reports: Iterable[Mapping[str, Any]] = (),
    *,
    servers: Collection[str] = (),
) -> Journal:
    """files: of the folder beside the backups; beside_reports: of the control node. Each {path, text, error}, error not
    0 where it could not be opened. servers: of the inventory: a control node may have reports of other estates.

    A run has its journal in both as a rule, and counts once, by the copy that is the more whole. What is damaged does
    not count and hinders no other; neither does what somebody else keeps in that folder.
    """
    runs: dict[tuple[str, ...], PastRun] = {}
    damaged = []
    for file, ours in (*((file, True) for file in files), *((file, False) for file in beside_reports)):
        if file["error"] or not file["path"]:
            continue
        try:
            run = _read(file["text"])
        except _DAMAGED:
            damaged.append(f"{file['path']} is no journal of a run")
            continue
        if run is None or not (ours or not run.servers or set(run.servers) & set(servers)):
            continue
        if run.damaged:
            damaged.append(f"{file['path']} has {run.damaged} damaged {'line' if run.damaged == 1 else 'lines'}")
        known = runs.get(run.identity)
        if known is None or (len(run.phases), -run.damaged) > (len(known.phases), -known.damaged):
            runs[run.identity] = run
    return Journal(runs=sorted(runs.values(), key=lambda run: run.begun), damaged=damaged)


def _read(text: str) -> PastRun | None:
    """None for what somebody else wrote. Raises one of _DAMAGED where it has no head."""
    first, *lines = (line for line in text.split("\n") if line.strip())
    head = json.loads(first)
    if head["format"] != FORMAT:
        return None
    phases = [phase for phase in map(_phase, lines[:_MOST_LINES]) if phase]
    return PastRun(
        begun=_text(head["begun"]),
        **{name: _text(head.get(name, "")) for name in ("playbook", "site", "by", "outcome")},
        seconds=_number(head.get("seconds", 0), "seconds"),
        servers=[_text(server) for server in head.get("servers", ())],
        phases=phases,
        damaged=len(lines) - len(phases),
    )


def _phase(line: str) -> dict[str, Any] | None:
    """None for a damaged line."""
    try:
        phase = json.loads(line)
        _text(phase["host"])
        if not isinstance(phase["size"], int):
            return None
        numbers = {name: _number(phase[name], name) for name in _LARGEST}
        return {"phase": _text(phase["phase"]), **numbers}
    except _DAMAGED:
        return None


def _number(value: Any, name: str) -> Any:
    """What is no number compares with none. Raises ValueError or TypeError."""
    if isinstance(value, bool) or not 0 <= value <= _LARGEST[name]:
        raise ValueError(name)
    return value


def _text(value: Any) -> str:
    """It is shown to a person: no sign in it may move the cursor. Raises TypeError or ValueError."""
    if not isinstance(value, str):
        raise TypeError(value)
    if not value.isprintable() or len(value) > _LONGEST_TEXT:
        raise ValueError("no text of a journal")
    return value
