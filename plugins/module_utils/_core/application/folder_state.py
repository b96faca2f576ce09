# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an application folder is, compared with an archive of it, and whether it is to be replaced."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..times import parse_stored_time
from ..windows_files import PresentFile
from .archive_entries import name_key
from .archive_manifest import Comparison, Manifest

__all__ = ["DATABASE_CONFIG", "FolderState", "Verdict", "assess", "verdict"]

DATABASE_CONFIG = "database.config"

_CLOCK_STEP = dt.timedelta(seconds=2)
"""A ZIP archive keeps times in steps of two seconds."""


@dataclass(frozen=True, kw_only=True)
class FolderState:
    """kind: missing (no folder, or an empty one), identical (to the archive, nothing else in it), whole, damaged,
    foreign (another installation), obscure (damaged, and the archive's keys are of no use where they are not its own).

    damage: names of the files that make it damaged. own: files that differ because they are this server's own, which is
    no damage. untold: files of keys of which nobody can tell whether they are the archive's.
    """

    kind: str
    damage: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()


def assess(
    *,
    manifest: Manifest,
    comparison: Comparison,
    present: Mapping[str, PresentFile],
    expected_differences: Sequence[str] = (),
    key_files: Sequence[str] = (),
    broken: Collection[str] = (),
    shielded: Collection[str] = (),
    untold: Collection[str] = (),
    bound: Collection[str] = (),
) -> FolderState:
    """present: the folder's files by name; comparison: of them with the manifest.

    expected_differences: patterns of files that belong to the server, such as *.config: other content is no damage,
    unless nothing is left of them or they carry the very time that the archive knows, which an edit would have changed.
    key_files: files that tell one installation from another. broken: files that were looked into and cannot be what
    such a file is. shielded: files that this server protects, and of which the archive has the plain form: they differ,
    and are the same. untold: keys that nobody can compare with the archive's; bound: the same where the archive's are
    for one machine alone. Neither is damage, nor another installation.
    """
    if not present:
        return FolderState(kind="missing")
    if comparison.identical:
        return FolderState(kind="identical")
    now = {name_key(name): file for name, file in present.items()}
    then = {name_key(file.name): file for file in manifest.files}
    keys = {name_key(name) for name in key_files}
    patterns = [name_key(pattern) for pattern in expected_differences]
    ruined = {name_key(name) for name in broken}
    different = {name: name_key(name) for name in comparison.different}
    rotten = {key for key in different.values() if _same_time(now[key].modified, then[key].modified)}
    useless = [name for name in bound if name_key(name) not in rotten]
    unclear = [*useless, *(name for name in untold if name_key(name) not in rotten)]
    same = {name_key(name) for name in (*shielded, *unclear)}

    def is_intact(key: str) -> bool:
        """Different from the archive's because somebody wanted it so, as far as one can see."""
        return now[key].size > 0 and key not in ruined | rotten

    def is_own(key: str) -> bool:
        ours = key not in keys and any(fnmatchcase(key.rpartition("/")[2], pattern) for pattern in patterns)
        return key in same or (ours and is_intact(key))

    installed = now.get(name_key(DATABASE_CONFIG), PresentFile(size=0, sha256=None)).size > 0
    foreign = tuple(
        name for name, key in different.items() if installed and key in keys and key not in same and is_intact(key)
    )
    if foreign:
        return FolderState(kind="foreign", damage=foreign)
    own = (
        *(name for name, key in different.items() if is_own(key)),
        *(name for name in comparison.unreadable if name_key(name) in same),
    )
    damage = tuple(sorted({*comparison.missing, *comparison.different, *comparison.unreadable} - set(own)))
    kind = "obscure" if damage and useless else "damaged" if damage else "whole"
    return FolderState(kind=kind, damage=damage, own=own, untold=tuple(unclear))


def _same_time(left: str, right: str) -> bool:
    try:
        return abs(parse_stored_time(left) - parse_stored_time(right)) <= _CLOCK_STEP
    except ValueError:
        return False


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """action: restore, leave or refuse. reason: why, as a part of a sentence about the folder."""

    action: str
    reason: str


def verdict(state: FolderState, *, replace: str) -> Verdict:
    """replace: never, damaged or always."""
    if state.kind == "missing":
        return Verdict(action="restore", reason="is missing or empty")
    if state.kind == "identical":
        return Verdict(action="leave", reason="matches the archive")
    if replace == "always":
        return Verdict(action="restore", reason="was to be replaced in any case")
    if replace == "never":
        return Verdict(action="leave", reason="is there, and replace is never")
    if state.kind == "foreign":
        return Verdict(
            action="refuse",
            reason="belongs to another installation, or is damaged where nobody can tell: "
            f"{', '.join(state.damage)} is another key",
        )
    if state.kind == "obscure":
        return Verdict(
            action="refuse",
            reason=f"{_damaged(state)}. Nobody can tell whether its keys are the archive's, which are protected for "
            f"one machine alone: {', '.join(state.untold)}",
        )
    if state.kind == "damaged":
        return Verdict(action="restore", reason=_damaged(state))
    return Verdict(action="leave", reason="is whole")


def _damaged(state: FolderState) -> str:
    shown = ", ".join(state.damage[:3])
    more = f" and {len(state.damage) - 3} more" if len(state.damage) > 3 else ""
    return f"is damaged: {shown}{more} missing or not as in the archive"
