# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder that a restore replaces: kept beside the new one, or removed.

Other keys are never thrown away: their database cannot be read without them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from ..._core.application.folder_state import FolderState
from ..._core.errors import RecoveryError
from ..._core.times import to_stamp
from ..host.files import WindowsFiles
from .folder_swap import FolderSwap
from .key_files import KeyFiles

__all__ = ["PreviousFolder"]


class PreviousFolder:
    """keep_old: keep it in any case. now: aware, for the name of a folder that is kept."""

    def __init__(
        self, files: WindowsFiles, swap: FolderSwap, keys: KeyFiles, *, keep_old: bool, now: Callable[[], dt.datetime]
    ) -> None:
        self._files = files
        self._swap = swap
        self._keys = keys
        self._keep_old = keep_old
        self._now = now
        self._keep_as: str | None = None
        """Full path that the folder which is replaced gets. None: it goes."""
        self.kept_old: str | None = None
        """Full path of what is kept; None when nothing is."""

    @property
    def _kept_name(self) -> str:
        return f"{self._swap.where.live}.{to_stamp(self._now())}"

    def keep_interrupted(self) -> bool:
        """The old folder of a run that was interrupted after its swap gets its name, where it is one to keep. Answers
        whether it was.
        """
        old = self._swap.where.old
        if not self._swap.found_old:
            return False
        other = self._keys.other_keys(old)
        if not other and not self._keep_old:
            return False
        self.kept_old = f"{self._kept_name}-interrupted"
        if other:
            self._warn_of_keys(f"What an interrupted run left in {old}", other)
        self._files.rename(old, self.kept_old)
        return True

    def plan(self, state: FolderState) -> None:
        """Under which name the folder stays that is to be replaced. state: what it is."""
        foreign = state.kind == "foreign"
        if state.kind != "missing" and (foreign or state.untold or self._keep_old):
            self._keep_as = self.kept_old = self._kept_name
        if foreign:
            self._warn_of_keys(self._swap.where.live, state.damage)
        elif state.untold:
            self._warn_of_keys(self._swap.where.live, state.untold, have="may have")

    def keep_or_remove(self, *, there: bool | None = None, ahead: bool = False) -> None:
        """What was planned, once the new folder is good. A predecessor that stays is no reason to fail: the restored
        folder is in place. there: whether there is one, None where nobody knows. ahead: one that goes is removed with
        what is asked for next.
        """
        old = self._swap.where.old
        try:
            if not (self._swap.has_old() if there is None else there):
                return
            if self._keep_as:
                self._files.rename(old, self._keep_as)
            else:
                self._files.discard(old, ahead=ahead, leave=self._leave)
        except RecoveryError as problem:
            self._leave(problem)

    def _leave(self, problem: RecoveryError) -> None:
        old = self._swap.where.old
        could_not, will = (
            (f"be renamed to {self._keep_as}", "does that") if self._keep_as else ("be removed", "removes it")
        )
        self.kept_old = old if self._keep_as else self.kept_old
        self._files.warnings.append(
            f"The restored folder is in place; its predecessor {old} could not {could_not}. {problem} The next "
            f"run {will}."
        )

    def _warn_of_keys(self, what: str, names: Sequence[str], *, have: str = "has") -> None:
        """have: may have, where they are protected, so that nobody can tell."""
        self._files.warnings.append(
            f"{what} on {self._files.host} {have} other keys than the archive ({', '.join(names)}). Without them their "
            f"database cannot be read, so it is kept as {self.kept_old}. Remove it when nobody needs it."
        )
