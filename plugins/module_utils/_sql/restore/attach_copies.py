# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of surviving data files, which are attached in the place of the originals: an attach changes files for good.

Windows copies them into the folders of the server and compares both by their hashes. Nothing that is there is
overwritten. What an interrupted run has copied is used. Imported only where C(source.attach.copy) is given.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ntpath import splitext
from typing import Any

from ..._core.errors import RecoveryError
from ..._core.windows_paths import base_name, join, parent, server_asked
from ..connection.session import Session
from ..instance.windows_host import Windows

__all__ = ["Copy", "copy_files", "is_copy_of", "plan_copies", "remove_copies"]

PARTIAL = ".partial"
MOST_NAMES = 50


@dataclass(frozen=True, kw_only=True)
class Copy:
    """done: it is there already, with the same content. sha256: of both, '' before it was copied."""

    source: str
    target: str
    size: int
    done: bool
    sha256: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {"source": self.source, "target": self.target, "size": self.size, "sha256": self.sha256 or None}


def is_copy_of(path: str, source: str) -> bool:
    """Whether a file of a database has a name that a copy of the source gets."""
    return any(base_name(path).lower() == name.lower() for name in _names(source))


def _names(source: str) -> list[str]:
    """The source's own, then others where that is taken."""
    stem, ending = splitext(base_name(source))
    return [f"{stem}{ending}", *(f"{stem}_{number}{ending}" for number in range(2, MOST_NAMES))]


def plan_copies(
    windows: Windows, sources: Sequence[tuple[str, str]], *, used: Collection[str], host: str
) -> list[Copy]:
    """sources: each file with the folder that it is copied to. used: paths that belong to databases, in lower case.

    Raises RecoveryError where a file is not there, or where there is no room.
    """
    copies: list[Copy] = []
    for source, folder in sources:
        taken = {*used, *(copy.target.lower() for copy in copies)}
        copies.append(_planned(windows, source, folder, taken=taken, host=host))
    _require_room(windows, [copy for copy in copies if not copy.done], host)
    return copies


def _planned(windows: Windows, source: str, folder: str, *, taken: Collection[str], host: str) -> Copy:
    [state] = windows.files(parent(source)).stat(source)
    if not state.exists or state.folder:
        raise RecoveryError(
            f"There is no file {source} on {host} for the account of WinRM",
            code="not_found",
            advice="Correct the path in 'source.attach'",
        )
    targets = [join(folder, name) for name in _names(source)]
    free = [path for path in targets if path.lower() not in taken and path.lower() != source.lower()]
    content = ""
    for target, there in zip(free, windows.files(parent(source)).stat(*free), strict=True):
        if not there.exists:
            return Copy(source=source, target=target, size=state.size, done=False)
        if there.size == state.size:
            content = content or _hash(windows, source)
            if _hash(windows, target) == content:
                return Copy(source=source, target=target, size=state.size, done=True, sha256=content)
    raise RecoveryError(
        f"The file {source} finds no free name in {folder} on {host}",
        code="in_use",
        advice="Move away what nobody needs there",
    )


def copy_files(session: Session, windows: Windows, copies: Sequence[Copy], *, host: str) -> list[Copy]:
    """Copy what is not there yet, and compare. Raises RecoveryError."""
    return [copy if copy.done else _copied(session, windows, copy, host) for copy in copies]


def _copied(session: Session, windows: Windows, copy: Copy, host: str) -> Copy:
    """Under another name until it is whole: a copy that was broken off is no database."""
    session.progress.line(f"copying {copy.source} to {parent(copy.target)} ({copy.size / 1e6:.0f} MB)")
    files = windows.files(parent(copy.source))
    partial = f"{copy.target}{PARTIAL}"
    files.copy(copy.source, partial)
    content = _hash(windows, copy.source)
    if _hash(windows, partial) != content:
        windows.files().discard(partial)
        raise RecoveryError(
            f"The copy of {copy.source} in {parent(copy.target)} on {host} is not the same",
            code="damaged",
            advice="Look at the disks and the network between them; the original is as it was",
        )
    windows.files().rename(partial, copy.target)
    return Copy(source=copy.source, target=copy.target, size=copy.size, done=True, sha256=content)


def remove_copies(windows: Windows, copies: Sequence[Copy]) -> None:
    """Those that are there. Raises RecoveryError."""
    for copy in copies:
        windows.files().discard(copy.target)


def _hash(windows: Windows, path: str) -> str:
    folder = parent(path)
    return windows.files(folder).hash_one(folder, base_name(path)).sha256 or ""


def _require_room(windows: Windows, copies: Sequence[Copy], host: str) -> None:
    needed: dict[str, int] = {}
    folders: dict[str, str] = {}
    for copy in copies:
        drive = copy.target[:2].upper()
        needed[drive] = needed.get(drive, 0) + copy.size
        folders[drive] = parent(copy.target)
    for drive, size in needed.items():
        free = windows.files().stat(folders[drive])[0].free if server_asked(folders[drive]) is None else None
        if free is not None and size > free:
            raise RecoveryError(
                f"The data files need {size / 2**20:,.0f} MiB on {drive} of {host}, where {free / 2**20:,.0f} MiB "
                "are free",
                code="no_space",
                advice="Make room, or give another folder in 'relocate'",
            )
