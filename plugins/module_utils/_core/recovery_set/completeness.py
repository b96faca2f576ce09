# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A recovery set's manifest against its files: what is missing, and what broke off while it was copied."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..text import bytes_text
from .recovery_set import RecoverySet

__all__ = ["MISSING", "incomplete_files"]

MISSING = "is missing"
_AT_LEAST = 0.9
"""Of what SQL Server counted (msdb's compressed_backup_size) a file has all, and some more for its heads: 86 real files
that are no stripes have 1.003 of it and more.
"""


def incomplete_files(
    recovery_set: RecoverySet, wanted: Collection[str], sizes: Mapping[str, int | None]
) -> dict[str, str]:
    """Those of the files `wanted` that cannot be used, each with what is wrong with it. sizes: bytes by path in lower
    case, of files that were looked at; None for one that is not there.
    """
    looked_at = [path for path in wanted if path.lower() in sizes]
    missing = {path: MISSING for path in looked_at if sizes[path.lower()] is None}
    if missing:
        return missing
    wanted_here = {path.lower() for path in looked_at}
    archive = recovery_set.values["application"]
    result = {}
    if archive["archive"].lower() in wanted_here and archive.get("bytes"):
        result |= _of_archive(archive["archive"], sizes[archive["archive"].lower()] or 0, archive["bytes"])
    for link in recovery_set.chain:
        paths = [path for path in link["files"] if path.lower() in wanted_here]
        total, expected = sum(sizes[path.lower()] or 0 for path in paths), link.get("size") or 0
        if paths and len(paths) == len(link["files"]) and total < _AT_LEAST * expected:
            result[paths[0]] = f"is cut off, {bytes_text(total)} of {bytes_text(expected)}"
    return result


def _of_archive(path: str, size: int, expected: int) -> dict[str, str]:
    return {} if size == expected else {path: f"has {bytes_text(size)}, and its manifest says {bytes_text(expected)}"}
