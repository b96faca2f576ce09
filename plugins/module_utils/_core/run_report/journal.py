# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: one file for each run, JSON lines. The first says who did what and how it ended, each other one how long
a phase took.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..times import to_stamp, to_text
from .record import RunReport

__all__ = ["FORMAT", "Journal", "journal_file_name", "journal_text", "read_journals"]

FORMAT = "prs.recovery journal 1"
_OF_PHASE = {"phase": str, "host": str, "seconds": (int, float), "size": int}


@dataclass(frozen=True, kw_only=True)
class Journal:
    """entries: {phase, seconds, size} of earlier runs, oldest first. damaged: files that cannot be read."""

    entries: list[dict[str, Any]]
    damaged: list[str]


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
        "done": list(report.done),
        "failures": [f"{failure.host}: {failure.task}" for failure in report.failures],
    }
    phases = [
        {"phase": measure.phase, "host": measure.host, "seconds": round(measure.seconds, 1), "size": measure.size}
        for measure in report.measures
    ]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in (head, *phases))


def read_journals(files: Iterable[Mapping[str, Any]]) -> Journal:
    """files: {path, text, error} each, error not 0 where it could not be opened.

    What is damaged does not count and hinders no other; neither does what somebody else keeps in that folder.
    """
    runs: list[tuple[str, list[dict[str, Any]]]] = []
    damaged = []
    for file in files:
        if file["error"] or not file["path"]:
            continue
        try:
            runs.append(_read(file["text"]))
        except (ValueError, KeyError, TypeError):
            damaged.append(file["path"])
    entries = [entry for _begun, phases in sorted(runs, key=lambda run: run[0]) for entry in phases]
    return Journal(entries=entries, damaged=damaged)


def _read(text: str) -> tuple[str, list[dict[str, Any]]]:
    """When the run began, and its phases. Raises ValueError, KeyError or TypeError."""
    head, *lines = (json.loads(line) for line in text.splitlines() if line.strip())
    if head["format"] != FORMAT:
        return "", []
    return str(head["begun"]), [_phase(line) for line in lines]


def _phase(line: Mapping[str, Any]) -> dict[str, Any]:
    for name, kind in _OF_PHASE.items():
        if not isinstance(line[name], kind) or isinstance(line[name], bool):
            raise TypeError(name)
    if line["seconds"] < 0 or line["size"] < 0:
        raise ValueError("negative")
    return {name: line[name] for name in ("phase", "seconds", "size")}
