# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several looks at a server in one task: what windows_script is given, or look_at_once.ps1 where another account looks,
and what came of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

__all__ = ["answer", "secrets", "wanted"]

Facts = Mapping[str, Any]

_AS_IT_IS = "+/="
"""What base64 consists of, beside letters and digits: it must not become longer."""


def wanted(facts: Facts) -> list[dict[str, Any]]:
    """The looks that are to be taken. facts: by its name each look that there may be: wanted, script: its text,
    parameters.
    """
    return [
        {"name": name, "script": look["script"], "parameters": look["parameters"]}
        for name, look in facts.items()
        if look["wanted"]
    ]


def secrets(facts: Facts) -> str:
    """The secret parameters of those looks, as the script takes them. facts: as C(wanted) wants them, with secrets, of
    a look that has any, by the names of its parameters.
    """
    return "\n".join(
        f"{name} {parameter} {quote(str(value or ''), safe=_AS_IT_IS)}"
        for name, look in facts.items()
        if look["wanted"]
        for parameter, value in look.get("secrets", {}).items()
    )


def answer(facts: Facts) -> dict[str, Any]:
    """What came of one look, as a task that takes it alone returns it. facts: name: of the look; task: result of the
    task, empty where it never was in turn.
    """
    task = facts["task"]
    own = (task.get("result") or {}).get(facts["name"])
    if own:
        return dict(own)
    if task.get("failed") or task.get("unreachable"):
        # What the task was given may be secret.
        return {name: value for name, value in task.items() if name != "invocation"}
    return {"skipped": True}
