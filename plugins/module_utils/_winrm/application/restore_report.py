# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore reports: the archive, the folder as it was, the difference, and the warnings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..._core.application.archive_manifest import Comparison, Manifest
from ..._core.application.folder_state import FolderState, Verdict
from ..._core.application.key_protection import NAMES
from .archive_folder import Candidate

__all__ = ["Finding", "archive_report", "difference", "folder_report", "restore_warnings", "untold_warnings"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The folder as it is, seen beside one archive. wanted: what the restored folder has to hold of the archive's
    manifest.
    """

    wanted: Manifest
    comparison: Comparison
    state: FolderState
    verdict: Verdict


def archive_report(candidate: Candidate) -> dict[str, Any]:
    """The archive that was taken."""
    manifest = candidate.manifest
    return {
        "path": candidate.path,
        "created": manifest.created,
        "host": manifest.host,
        "files": len(manifest.files),
        "bytes": manifest.bytes,
        "labels": dict(manifest.labels),
        "healthy": manifest.healthy,
        "proven_by": candidate.proven_by,
    }


def folder_report(finding: Finding) -> dict[str, Any]:
    """The folder as it was when the run came."""
    return {
        "state": finding.state.kind,
        "damage": list(finding.state.damage),
        "own": list(finding.state.own),
        "extra": list(finding.comparison.extra),
        "untold": list(finding.state.untold),
    }


def restore_warnings(candidate: Candidate, *, restored: bool, path: str, host: str, computer: str) -> list[str]:
    """What an administrator has to know of an archive. path: the application's folder. host: the web server as messages
    name it; computer: its own name, as manifests have it.
    """
    manifest = candidate.manifest
    warnings = []
    if candidate.proven_by != "manifest":
        warnings.append(
            f"{candidate.path} has no manifest, as archives of the product's own backup page have none. Its "
            "checksums are right; that no file is missing in it cannot be proven."
        )
    if manifest.healthy is False:
        warnings.append(f"{candidate.path} was taken while the application did not answer.")
    if not restored:
        return warnings
    if manifest.host != computer:
        warnings += [
            f"{name} in {candidate.path} is protected by {NAMES.get(kind, kind)} of {manifest.host}, and {computer} "
            f"cannot read it. Put the unprotected file into {path} before the application is started."
            for name, kind in manifest.protected.items()
        ]
    if manifest.plain:
        warnings.append(
            f"{', '.join(manifest.plain)} in {path} on {host} is the unprotected copy that was archived: protect it "
            "again."
        )
    return warnings


def untold_warnings(candidate: Candidate, finding: Finding, *, path: str, host: str) -> list[str]:
    """Of a folder that stays."""
    if not finding.state.untold:
        return []
    names = ", ".join(finding.state.untold)
    return [
        f"Nobody can tell whether {names} in {path} on {host} is the same key as in {candidate.path}: what is "
        "protected can be compared with no other form of it. It was left as it is. Have its unprotected copy archived "
        "(prs_backup_plain_copies)."
    ]


def difference(finding: Finding, *, path: str, archive: str, restored: bool) -> dict[str, str]:
    """The files that are not as in the archive: what each is now, and what it is afterwards. What only the old folder
    had goes with it.
    """
    comparison = finding.comparison
    words = {
        "missing": comparison.missing, "different": comparison.different, "unreadable": comparison.unreadable,
        "not in the archive": comparison.extra,
    }  # fmt: skip
    before = {name: word for word, names in words.items() for name in names}
    after = {name: "as in the archive" for name in before if name not in comparison.extra} if restored else before
    return {
        "before_header": path,
        "before": "".join(f"{name}: {word}\n" for name, word in sorted(before.items())),
        "after_header": f"{path} (from {archive})" if restored else path,
        "after": "".join(f"{name}: {word}\n" for name, word in sorted(after.items())),
    }
