# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a backup reports: the archive, the difference from the one before, and the warnings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..._core.application.archive_catalog import StoredArchive, manifest_name
from ..._core.application.archive_contents import ArchivePlan
from ..._core.application.archive_entries import Refusal
from ..._core.application.archive_manifest import Manifest
from ..._core.application.key_protection import NAMES
from .archive_folder import ArchiveFolder
from .read_problems import ReadProblems

__all__ = ["archive_report", "backup_warnings", "difference", "skipped_entries"]


def archive_report(
    archive: StoredArchive, manifest: Manifest, plan: ArchivePlan, *, path: str, verified: bool
) -> dict[str, Any]:
    """The archive at `path`. In check mode its manifest holds no files yet: then their size is the plan's."""
    return {
        "path": path,
        "manifest": manifest_name(path),
        "sha256": manifest.archive_sha256,
        "bytes": archive.size,
        "files": manifest.planned,
        "content_bytes": manifest.bytes or plan.bytes,
        "created": manifest.created,
        "labels": dict(manifest.labels),
        "healthy": manifest.healthy,
        "verified": verified,
    }


def difference(last: StoredArchive | None, plan: ArchivePlan, *, folder: ArchiveFolder, path: str) -> dict[str, str]:
    """The files of the newest archive in `folder` beside those of the application's folder at `path`."""
    before = folder.manifest(last).files if last else ()
    return {
        "before_header": folder.full_path(last) if last else "no archive",
        "before": "".join(f"{file.name} ({file.size} bytes)\n" for file in before),
        "after_header": path,
        "after": "".join(f"{file.name} ({file.size} bytes)\n" for file in plan.files),
    }


def skipped_entries(plan: ArchivePlan, problems: ReadProblems) -> list[Refusal]:
    """What is not in the archive though nobody excluded it."""
    return [*plan.refused, *problems.unread]


def backup_warnings(
    plan: ArchivePlan,
    problems: ReadProblems,
    *,
    where: str,
    protected: Mapping[str, str],
    plain: Collection[str],
) -> list[str]:
    """where: the application's folder and its host. protected: what protects key files, by name (efs, dpapi, rsa).
    plain: names of files whose unprotected copy is archived instead.
    """
    warnings = []
    encrypted = [name for name in plan.encrypted if name not in plain]
    if encrypted:
        warnings.append(
            f"EFS protects {', '.join(encrypted)} in {where}. The archive holds the plain content, since no other "
            "machine could read it otherwise: keep the archive where only those may read who may read the keys."
        )
    warnings += [
        f"{name} in {where} is protected by {NAMES[kind]}: no other machine can use what was archived. Put "
        "an unprotected copy where only administrators may read, and name it in plain_copies."
        for name, kind in protected.items()
        if kind != "efs" and name not in plain
    ]
    if plain:
        warnings.append(
            f"The archive holds the unprotected {', '.join(plain)}: keep it where only those may read who "
            "may read the keys."
        )
    skipped = skipped_entries(plan, problems)
    if skipped:
        shown = "; ".join(f"{refusal.name} {refusal.reason}" for refusal in skipped[:5])
        warnings.append(f"{len(skipped)} entries of {where} are not in the archive: {shown}")
    if problems.changed:
        warnings.append(
            f"{', '.join(problems.changed[:5])} in {where} changed while being read. "
            "The archive holds what was read; name files that are always written to, such as logs, in exclude."
        )
    return warnings
