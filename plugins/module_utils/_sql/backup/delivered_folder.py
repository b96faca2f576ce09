# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup folder that Windows reads, so that SQL Server need have no rights on it: manifests describe what is in it,
hashes tell whether it is whole.
"""

from __future__ import annotations

import datetime as dt
import ntpath

from ..._core.backup.backup_set import BackupSet
from ..._core.backup.catalog import BackupCatalog
from ..._core.backup.file_names import is_beside, manifest_name
from ..._core.backup.manifest import StoredBackup, parse_manifest
from ..._core.windows_paths import base_name, join, parent
from ..._winrm.host.files import WindowsFiles
from ..._winrm.host.readable_folders import list_readable
from ..connection.session import Session
from ..instance.windows_host import Windows

__all__ = ["DeliveredFolder"]

REMOVED = ".removed"


class DeliveredFolder:
    """As pruning needs it. Files without a manifest are none of its business."""

    def __init__(self, session: Session, path: str, *, windows: Windows) -> None:
        self.path = path
        self._session = session
        self._windows = windows
        self._stored: dict[str, StoredBackup] = {}
        self._removed: list[str] = []

    @property
    def _files(self) -> WindowsFiles:
        """Asked for anew before each step: see Windows."""
        return self._windows.files(self.path)

    def inventory(self, *, zone: dt.tzinfo) -> BackupCatalog:
        del zone  # manifests are written in UTC
        if not self._files.stat(self.path)[0].folder:
            return BackupCatalog()
        result = {
            join(self.path, ntpath.normpath(entry.name)): entry.size
            for entry in list_readable(self._files, self.path)
            if not entry.folder
        }
        present = {path.lower(): size for path, size in result.items()}
        for path in result:
            if path.lower().endswith(REMOVED):
                self._finish_removal(path, present)
            elif path.lower().endswith(manifest_name("")):
                stored = parse_manifest(self._files.read_lines(path), path=path, present=present)
                if stored:
                    self._stored[stored.set.guid] = stored
        return BackupCatalog(sets=[stored.set for stored in self._stored.values()])

    def reading_problem(self, backup_set: BackupSet) -> str:
        stored = self._stored[backup_set.guid]
        for path in stored.files:
            self._session.progress.line(f"reading back {path}")
            if self._files.hash_one(parent(path), base_name(path)).sha256 != stored.sha256.get(path):
                return f"the SHA-256 of {path} is not the one in its manifest"
        return ""

    def beside(self, file: str) -> list[str]:
        return [manifest_name(file)] if any(stored.files[0] == file for stored in self._stored.values()) else []

    def remove(self, file: str) -> None:
        """A manifest gets another name first, so that what is interrupted here neither counts as complete nor is
        forgotten.
        """
        if not is_beside(file):
            self._files.remove(file)
            return
        self._removed.append(f"{file}{REMOVED}")
        self._files.rename(file, f"{file}{REMOVED}")

    def end(self) -> None:
        for path in self._removed:
            self._files.remove(path)

    def _finish_removal(self, path: str, present: dict[str, int]) -> None:
        """What a killed run was about to remove."""
        going = parse_manifest(self._files.read_lines(path), path=path, present=present)
        for file in (*(going.files if going else ()), path):
            self._files.remove(file)
