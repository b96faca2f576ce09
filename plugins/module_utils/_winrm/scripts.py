# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of windows_script: scripts on a Windows host, in one session, and what each of them said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import RecoveryError
from .host.files import WindowsFiles
from .verbs import run_scripts

__all__ = ["run_windows_scripts"]

ALONE = ""
"""The name of a script that is the only one."""


def run_windows_scripts(files: WindowsFiles, params: Mapping[str, Any], *, verbosity: int = 0) -> dict[str, Any]:
    """What the task returns. Raises RecoveryError, also where the one script of O(script) failed."""
    several = params["scripts"] is not None
    alone = {"name": ALONE, **{option: params[option] for option in ("script", "parameters")}}
    wanted = params["scripts"] if several else [alone]
    names = [entry["name"] for entry in wanted]
    if len({*names}) < len(names):
        raise RecoveryError(
            "Two of 'scripts' have the same name", advice="Give each a name of its own", code="option_invalid"
        )
    unconnected: dict[str, dict[str, Any]] = {}
    with files.shares.use_each(
        params["share_paths"] or [], user=params["share_user"], password=params["share_password"], refused=unconnected
    ):
        said = files.call(
            run_scripts.SCRIPT,
            doing=f"Running {', '.join(names)}" if several else "Running a script",
            items=[{**entry, "parameters": entry["parameters"] or {}} for entry in wanted],
            CheckMode=files.check_mode,
            Verbosity=verbosity,
            Depth=params["depth"],
            Unconnected=unconnected,
        )
    answers = {answer.pop("name"): answer for answer in said}
    if several:
        return {"changed": any(answer["changed"] for answer in answers.values()), "result": answers}
    return _alone(answers[ALONE])


def _alone(answer: dict[str, Any]) -> dict[str, Any]:
    """What the task returns of its only script."""
    if not answer.pop("failed"):
        return answer
    reasons = [record["exception"]["message"] for record in answer["error"]]
    raise RecoveryError("; ".join(reasons) or "The script says that it failed", code="script_failed", **answer)
