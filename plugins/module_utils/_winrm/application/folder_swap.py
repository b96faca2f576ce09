# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry out the steps of _core/application/swap_steps.py: a new folder in place of an old one, undone if they fail."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..._core.application.swap_steps import (
    Move,
    Places,
    Remove,
    Step,
    places,
    repair,
    swap_by_children,
    swap_by_renaming,
    undo,
)
from ..._core.errors import RecoveryError
from ..._core.windows_paths import parent
from ..connection.errors import WindowsFault
from ..host.files import WindowsFiles
from ..host.reader import PathState

__all__ = ["FolderSwap"]

ATTEMPTS = 5
PAUSE = 2.0
"""Seconds between two attempts to rename a folder that something has open: virus scanners and indexers let go after a
moment.
"""

_IN_USE = (5, 32, 33)


class FolderSwap:
    """The folder at `path` and its neighbours `.prs-new`, `.prs-part` and `.prs-old`."""

    def __init__(self, files: WindowsFiles, path: str) -> None:
        self.where: Places = places(path)
        self._files = files
        self._done: list[Move] = []
        self._renamed = True
        self._live_existed = True
        self._seen: tuple[PathState, PathState] | None = None
        self.found_old = False
        """Whether an old folder was there when this run came, as `repair` saw."""

    def repair(self) -> bool:
        """Put right what an interrupted run left; answers whether there was anything. Afterwards only the folder and
        perhaps an old one are there.
        """
        places = (self.where.live, self.where.new, self.where.part, self.where.old)
        live, *beside, drive = self._files.stat(*places, parent(self.where.live))
        self._seen, self.found_old = (live, drive), False
        if not any(state.exists for state in beside):
            return False
        self._seen = None
        there = zip(places, (live, *beside), strict=True)
        children = [self._children(path) if state.exists else None for path, state in there]
        steps = repair(self.where, live=children[0], new=children[1], part=children[2], old=children[3])
        fault = self._perform(steps)
        self.found_old = children[3] is not None and self.has_old()
        if fault:
            raise RecoveryError(
                f"An earlier run on {self._files.host} was interrupted while it replaced {self.where.live}, and "
                f"that cannot be put right: {fault.message}",
                code=fault.code,
                advice=fault.advice,
            )
        return bool(steps)

    def look(self) -> tuple[PathState, PathState]:
        """The folder, and the one that it lies in: as C(repair) saw them, where it had nothing to put right."""
        live, drive = self._seen or self._files.stat(self.where.live, parent(self.where.live))
        return live, drive

    def holds_new(self) -> bool:
        """Whether the new folder is in place, after `repair` of a swap of this run."""
        return self.found_old or (not self._live_existed and self._exists(self.where.live))

    def has_old(self) -> bool:
        """Whether an earlier run ended between the swap and the removal of the old folder."""
        return self._exists(self.where.old)

    def finish(self) -> None:
        """The new folder is good: what it was unpacked to is not needed any more, where it is not that folder itself.
        Should it stay, the next run removes it.
        """
        self._done = []
        if not self._renamed:
            self._files.discard(self.where.new)

    def prepare_rights(self, *, like_live: bool) -> None:
        """X.prs-new inherits from where it lies, beside X, and has the rights that X has of its own, and in it: so it
        is ready before the swap, however that ends: ahead of what is asked for next.
        """
        live = self.where.live if like_live else None
        self._files.set_rights(self.where.new, like=live, below=live, ahead=True)

    def swap(self, *, live_exists: bool) -> None:
        """X.prs-new becomes X, what was there becomes X.prs-old. Raises WindowsFault; then undo brings
        everything back.
        """
        self._live_existed = live_exists
        self._files.remove(self.where.old, ahead=True)
        self._done = []
        fault = self._rename(live_exists=live_exists)
        if fault and live_exists and fault.number in _IN_USE:
            self._files.progress.line(f"{self.where.live} cannot be renamed, so its contents are")
            self._renamed = False
            fault = self._swap_children()
        if fault:
            raise fault

    def undo(self) -> None:
        """Bring the old folder back, as far as the swap had come."""
        done, self._done = self._done, []
        fault = self._perform(undo(done))
        self._done = []
        if fault:
            raise RecoveryError(
                f"The old folder {self.where.live} on {self._files.host} could not be brought back: {fault.message}",
                code=fault.code,
                advice=f"It is in {self.where.old} or {self.where.part}; run this again, which puts it right when "
                "nothing has it open any more",
            )
        if not self._renamed:
            self._files.remove(self.where.part)
        self._files.remove(self.where.new)

    def undo_again(self) -> bool:
        """The same after the host was lost in the middle of it: what lies there tells whether the new folder is in
        place still. Returns whether it was undone; else it was put right as `repair` does.
        """
        in_place = self._exists(self.where.live) and (self.has_old() or not self._live_existed)
        if self._renamed and in_place:
            self._done = swap_by_renaming(self.where, live_exists=self._live_existed)
            self.undo()
            return True
        self.repair()
        return False

    def _rename(self, *, live_exists: bool) -> WindowsFault | None:
        for attempt in range(1, ATTEMPTS + 1):
            fault = self._perform(swap_by_renaming(self.where, live_exists=live_exists))
            if not fault:
                return None
            back = self._perform(undo(self._done))
            self._done = []
            if back:
                raise back
            if fault.number not in _IN_USE or attempt == ATTEMPTS:
                break
            self._files.progress.line(f"{self.where.live} is in use, trying again")
            time.sleep(PAUSE)
        return fault

    def _swap_children(self) -> WindowsFault | None:
        self._files.make_folder(self.where.part, private=True)
        live, new = self._children(self.where.live), self._children(self.where.new)
        return self._perform(swap_by_children(self.where, live=live, new=new))

    def _perform(self, steps: Sequence[Step]) -> WindowsFault | None:
        """Do steps in their order until one fails; renames that follow one another go in one request."""
        waiting: list[Move] = []
        for step in [*steps, None]:
            if isinstance(step, Move):
                waiting.append(step)
                continue
            if waiting:
                count, fault = self._files.move(waiting)
                self._done += waiting[:count]
                waiting = []
                if fault:
                    return fault
            if isinstance(step, Remove):
                try:
                    self._files.remove(step.path)
                except WindowsFault as fault:
                    return fault
        return None

    def _exists(self, path: str) -> bool:
        [state] = self._files.stat(path)
        return state.exists

    def _children(self, path: str) -> list[str]:
        return [entry.name for entry in self._files.list_if_there(path)]
