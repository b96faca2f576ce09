# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive without a manifest, such as the product's own backup page writes.

Its checksums show that what is in it is what was put in. Nothing shows that all was put in.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import RecoveryError
from .archive_entries import ReadEntry, name_key, name_problem
from .archive_manifest import OWN_FOLDER, Manifest, ManifestFile

__all__ = ["adopt", "common_folder"]

MARK = "web.config"
"""What lies at the top of every application of IIS that a person could mean."""


def common_folder(names: Sequence[str]) -> str:
    """The folder, with / at its end, in which an archive holds the application; empty when it holds it at its top."""
    plain = [name.replace("\\", "/") for name in names]
    tops = {name.partition("/")[0] for name in plain}
    if any(name_key(name) == name_key(MARK) for name in plain) or len(tops) != 1:
        return ""
    folder = f"{tops.pop()}/"
    holds_it = any(name_key(name) == name_key(folder + MARK) for name in plain)
    return folder if holds_it and not name_problem(folder) else ""


def adopt(entries: Sequence[ReadEntry], *, where: str, path: str, created: str) -> Manifest:
    """The manifest that the archive should have had. Raises RecoveryError when it is damaged, or no archive of an
    application.

    entries: all of them, read to their end, by names relative to the application's folder. where: how a message names
    the archive.
    """
    if any(name_key(entry.name.replace("\\", "/").partition("/")[0]) == name_key(OWN_FOLDER) for entry in entries):
        raise RecoveryError(
            f"{where} is of app_backup, and its manifest is gone",
            code="damaged",
            advice="Use another archive: somebody took something out of this one",
        )
    files = [entry for entry in entries if not entry.name.replace("\\", "/").endswith("/")]
    problems = [f"{entry.name} {problem}" for entry in files if (problem := entry.problem)]
    if problems:
        raise RecoveryError(
            f"{where} cannot be used: {'; '.join(problems[:5])}",
            code="damaged",
            advice="Use another archive. One that is encrypted or packed by another method can be unpacked and packed "
            "anew, without a password and by the method Deflate",
        )
    if not any(name_key(entry.name) == name_key(MARK) for entry in files):
        raise RecoveryError(
            f"{where} has no manifest, and no {MARK} at its top: nothing says that it is an archive of an application",
            code="damaged",
            advice="Give an archive that app_backup or the backup page of the product wrote",
        )
    return Manifest(
        path=path,
        host="",
        created=created,
        files=tuple(
            ManifestFile(name=entry.name.replace("\\", "/"), size=entry.size, sha256=entry.sha256 or "")
            for entry in files
        ),
        planned=len(files),
    )
