# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run says when a step of its plan begins: which of how many, how long it takes, how far the run is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..recovery_plan.cost import Phase
from ..text import age

__all__ = ["STEPS_OF_PLAYS", "Progress"]

_PROVISIONING = {
    "sql_server": (Phase.INSTALL_SQL_SERVER, Phase.START),
    "iis": (Phase.INSTALL_IIS, Phase.START),
    "prs_app": (Phase.INSTALL_IIS, Phase.START),
}
"""Roles of the plays that provision, and what they may do of a plan."""
STEPS_OF_PLAYS = {
    "Restore the database": (Phase.RESTORE_DATABASE, Phase.ATTACH_FILES, Phase.CREATE),
    "Restore the application": (Phase.RESTORE_APPLICATION,),
    "Verify": (Phase.VERIFY,),
}
"""Plays by their titles, which a test compares with the playbooks'."""


class Progress:
    """steps: of recovery_plan {phase, host, sentence, seconds}, in their order. Each is said once."""

    def __init__(self, steps: Sequence[Mapping[str, Any]]) -> None:
        self._steps = steps
        self._said: set[int] = set()

    def begun(self, *, play: str, role: str, host: str) -> Iterator[str]:
        """A line for each step that begins with this task, if it is the first of one."""
        phases = (
            _PROVISIONING.get(role.rpartition(".")[2], ())
            if play.startswith("Provision ")
            else STEPS_OF_PLAYS.get(play, ())
        )
        for index, step in enumerate(self._steps):
            if index not in self._said and step["host"] == host and Phase(step["phase"]) in phases:
                self._said.add(index)
                yield self._line(index)

    def _line(self, index: int) -> str:
        step = self._steps[index]
        seconds = [float(each["seconds"]) for each in self._steps]
        percent = round(100 * sum(seconds[:index]) / (sum(seconds) or 1))
        return (
            f"{index + 1} of {len(self._steps)}, {step['host']}: {step['sentence']}: "
            f"about {age(seconds[index])}, {percent} %"
        )
