# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a backup file that was read without a server to what chains, reports and plans are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import label
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import FileReading
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import BackupFile, StoredSet
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.deep_check import DeepCheck
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import (
    BrokenOff,
    FileFormatError,
    Foreign,
    NotABackup,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.foreign_formats import named_after

__all__ = ["ExaminedFile", "file_reading"]

PASSWORD = "RESTORE asks for its password (MEDIAPASSWORD or PASSWORD), which no module of this collection gives"

WHOLE, DAMAGED, CUT_OFF, BEING_WRITTEN = "whole", "damaged", "cut_off", "being_written"
NOT_A_BACKUP, UNREADABLE = "not_a_backup", "unreadable"


@dataclass(slots=True, kw_only=True)
class ExaminedFile:
    """What became of one file. modified: seconds since 1970.

    file: None where it could not be read as a backup; reason then says why, os_error whether that is the machine's word
    and not the file's, foreign whether it surely is something else, broken_off whether it begins as a backup does.
    changing: it became longer or another one while it was looked at, or was written to just before. deep: None where
    its content was not checked.
    """

    path: str
    size: int = 0
    modified: float = 0.0
    file: BackupFile | None = None
    reason: str = ""
    os_error: bool = False
    foreign: bool = False
    broken_off: bool = False
    changing: bool = False
    deep: DeepCheck | None = None

    def refuse(self, problem: FileFormatError) -> None:
        """It could not be read as a backup."""
        self.reason, self.foreign = str(problem), isinstance(problem, Foreign)
        if isinstance(problem, NotABackup) and not self.foreign:
            self.reason = named_after(self.path) or self.reason
        self.broken_off = isinstance(problem, BrokenOff)

    @property
    def state(self) -> str:
        """One word for it: see the module's documentation."""
        if self.file is None:
            if self.os_error:
                return UNREADABLE
            if self.changing:
                return BEING_WRITTEN
            return CUT_OFF if self.broken_off else NOT_A_BACKUP
        if not self.file.ends:
            return BEING_WRITTEN if self.changing else CUT_OFF
        return DAMAGED if self.problems() else WHOLE

    def problems(self) -> list[str]:
        """All that is wrong with it, as clauses for a person."""
        if self.file is None:
            return [self.reason]
        problems = list(self.file.problems)
        for stored in self.file.sets:
            number = f"set {stored.position}: " if len(self.file.sets) > 1 else ""
            problems += [f"{number}{problem}" for problem in stored.problems]
        if self.deep is not None:
            problems += [flaw.reason for flaw in self.deep.flaws]
        return list(dict.fromkeys(problems))

    def to_dict(self) -> dict[str, Any]:
        label = self.file.media.label if self.file else {}
        return {
            "path": self.path,
            "size": self.size,
            "state": self.state,
            "foreign": self.foreign and self.state == NOT_A_BACKUP,
            "problems": self.problems(),
            "sets": len(self.file.sets) if self.file else 0,
            "compressed": self.file.packed if self.file else None,
            "media_set_id": label.get("MediaSetId"),
            "stripe": label.get("FamilySequenceNumber"),
            "stripes": label.get("FamilyCount"),
            "judged": None if self.deep is None else round(self.deep.share, 4),
        }


def file_reading(examined: ExaminedFile) -> FileReading:
    """What :func:`assemble` puts together, as if RESTORE HEADERONLY, FILELISTONLY and LABELONLY had answered.

    A set that cannot be read at all, or that is damaged, has no end or needs a password, is there with its problem, and
    no plan uses it.
    """
    file = examined.file
    if file is None:
        return FileReading(path=examined.path, problem=examined.reason)
    problems = {stored.position: _problem(stored, file, examined) for stored in file.sets}
    return FileReading(
        path=examined.path,
        label=label(file.media.label),
        headers=[stored.header or {"Position": stored.position} for stored in file.sets],
        files={stored.position: stored.files for stored in file.sets},
        set_problems={position: problem for position, problem in problems.items() if problem},
        unknown={stored.position: stored.unknown for stored in file.sets},
    )


def _problem(stored: StoredSet, file: BackupFile, examined: ExaminedFile) -> str:
    problems = list(stored.problems)
    if examined.deep is not None:
        problems += examined.deep.problems(*file.extent(stored.position, examined.size))
        problems += examined.deep.problems(0, file.marks[0])
    return "; ".join(dict.fromkeys([*problems, *([PASSWORD] if stored.password else [])]))
