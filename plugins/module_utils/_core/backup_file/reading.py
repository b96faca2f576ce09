# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a backup file that was read without a server to what chains, reports and plans are made of."""

from __future__ import annotations

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import label
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import FileReading
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import BackupFile, StoredSet

__all__ = ["file_reading"]

PASSWORD = "RESTORE asks for its password (MEDIAPASSWORD or PASSWORD), which no module of this collection gives"


def file_reading(path: str, file: BackupFile) -> FileReading:
    """What :func:`assemble` puts together, as if RESTORE HEADERONLY, FILELISTONLY and LABELONLY had answered.

    A set that cannot be read at all, or that is damaged, has no end or needs a password, is there with its problem, and
    no plan uses it.
    """
    return FileReading(
        path=path,
        label=label(file.media.label),
        headers=[stored.header or {"Position": stored.position} for stored in file.sets],
        files={stored.position: stored.files for stored in file.sets},
        set_problems={stored.position: problem for stored in file.sets if (problem := _problem(stored))},
        unknown={stored.position: stored.unknown for stored in file.sets},
    )


def _problem(stored: StoredSet) -> str:
    return "; ".join([*stored.problems, *([PASSWORD] if stored.password else [])])
