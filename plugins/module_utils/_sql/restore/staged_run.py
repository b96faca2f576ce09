# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of sql_restore with stage_path: the backups are copied to a disk of the server first."""

from __future__ import annotations

from typing import Any

from ..._core.backup.backup_set import guid
from ..._core.backup.catalog import BackupCatalog
from ..._core.errors import RecoveryError
from .run import RestoreRun
from .staging import Staged, stage, unstage

__all__ = ["StagedRestoreRun"]


class StagedRestoreRun(RestoreRun):
    """Stages what manifests say that the restore needs; and all the rest, where that does not suffice."""

    staged: Staged

    def _restore_from_source(self) -> dict[str, Any]:
        if self._stays_anyway():
            return self._unchanged()
        if not self._stage():
            return self._only_staged()
        try:
            result = self._restore()
        except RecoveryError as problem:
            if "refusal" not in problem.details or not self.staged.left:
                raise
            self.session.progress.line(f"what was staged does not suffice ({problem.message}): staging the rest")
            self._read_destination()
            if not self._stage(everything=True):
                return self._only_staged()
            result = self._restore()
        return {**result, **self._unstage()}

    def _stays_anyway(self) -> bool:
        """Whether nothing has to be staged to see that nothing will be restored: the database is open, and is not
        known to be another one.
        """
        info = self.destination.info or {"family_guid": None}
        is_stranger = self.family and guid(info["family_guid"]) != self.family
        return self.destination.is_open and self.options.replace != "always" and not is_stranger

    def _stage(self, *, everything: bool = False) -> bool:
        """Copy the backups to a disk of the server. False in check mode, while there are some that were not copied
        yet.
        """
        self.staged = stage(self.session, self.options, needed=None if everything else self._needed)
        self.sources.move_to(self.staged.folder)
        return not self.staged.missing

    def _needed(self, catalog: BackupCatalog) -> set[str] | None:
        """The files of the plan that manifests lead to; None where they lead to none. The headers of what was staged
        decide in the end.
        """
        if self.options.source.history:
            return None
        self.sources.use(catalog)
        try:
            plan = self._plan()
        except RecoveryError as problem:
            if "refusal" not in problem.details:
                raise
            return None
        return {path.lower() for step in plan.steps if step.copies for path in step.copies[0].stripes}

    def _only_staged(self) -> dict[str, Any]:
        """What check mode can say before the backups were staged."""
        note = (
            f"{self.staged.missing} files have to be copied to {self.staged.folder} before their headers tell which "
            "of them are needed"
        )
        plan = {"steps": [], "notes": [note]}
        return {**self._report(), "changed": True, "plan": plan, "staged": self.staged.to_dict()}

    def _unstage(self) -> dict[str, Any]:
        """After all went well: what was staged is not needed any more."""
        if not self.session.check_mode and self.options.opens:
            unstage(self.session, self.staged)
        return {"staged": self.staged.to_dict()}
