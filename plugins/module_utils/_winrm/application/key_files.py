# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key files of an application folder: what protects them, and whether they are the archive's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..._core.application.archive_entries import name_key
from ..._core.application.archive_manifest import Comparison
from ..._core.application.folder_state import DATABASE_CONFIG
from ..._core.application.key_protection import BOUND, MARKS, protection
from ..._core.windows_files import FolderEntry, PresentFile
from ..._core.windows_paths import join
from ..connection.errors import WindowsFault
from ..host.files import WindowsFiles
from ..host.reader import FileInspection
from .archive_folder import Candidate

__all__ = ["ChangedKeys", "KeyFiles"]

LARGEST_KEY = 1 << 20
"""Bytes. What is larger is no file of keys, and not looked into."""


@dataclass(frozen=True, kw_only=True)
class ChangedKeys:
    """Names of key files that are not the archive's. broken: they hold no key any more. shielded: this server's
    protected form of the archive's plain one. untold: nobody can tell whether they are the archive's, which are plain;
    bound: the same of those that the archive has in a form for one machine alone.
    """

    broken: tuple[str, ...] = ()
    shielded: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    bound: tuple[str, ...] = ()


class KeyFiles:
    """path: the folder of the application. names: its key files, relative to it. A key is XML."""

    def __init__(self, files: WindowsFiles, path: str, names: Sequence[str]) -> None:
        self._files = files
        self._path = path
        self._names = names

    def protected(self, entries: Iterable[FolderEntry]) -> Iterator[tuple[str, str]]:
        """Key files that only this machine can use, each with what protects it (efs, dpapi, rsa). Their content stays
        on the host.
        """
        keys = self._keys
        for entry in entries:
            if name_key(entry.name) not in keys or entry.size > LARGEST_KEY:
                continue
            kind = self._protection(self._inspect(entry.name), encrypted=entry.encrypted)
            if kind:
                yield entry.name, kind

    def inspect_changed(
        self,
        candidate: Candidate,
        comparison: Comparison,
        present: Mapping[str, PresentFile],
        *,
        encrypted: Collection[str],
    ) -> ChangedKeys:
        """What became of the key files that differ from the archive's, or cannot be read. What is no XML any more,
        where the archive's is, is no other key. The same key looks different each time that DPAPI or RSA protects it,
        so that such a file can be compared with none but its own copy.

        present: the folder's files by name. encrypted: names of those that EFS protects.
        """
        plain = (
            {name_key(name) for name in candidate.manifest.plain}
            if candidate.manifest.host == self._files.computer
            else set()
        )
        keys, bound_there = self._keys, {name_key(name) for name in candidate.manifest.protected}
        names = {name_key(name): name for name in present}
        broken: list[str] = []
        shielded: list[str] = []
        untold: list[str] = []
        bound: list[str] = []
        for name in (*comparison.different, *comparison.unreadable):
            current = names[name_key(name)]
            if name_key(name) not in keys or not 0 < present[current].size < LARGEST_KEY:
                continue
            inspection = self._inspect(current)
            kind = self._protection(inspection, encrypted=current in encrypted)
            if name_key(name) in plain and kind:
                shielded.append(name)
            elif name_key(name) in bound_there:
                bound.append(name)
            elif name in comparison.unreadable or inspection is None or kind in BOUND:
                untold.append(name)
            elif not inspection.xml:
                index = candidate.index_of(name, self._files)
                if index is not None and self._files.look_into(candidate.path, entry=index).xml:
                    broken.append(name)
        return ChangedKeys(broken=tuple(broken), shielded=tuple(shielded), untold=tuple(untold), bound=tuple(bound))

    def other_keys(self, old: str) -> list[str]:
        """Key files of a finished installation in the folder `old` that are not those which lie in the application's
        folder now. What is no key any more is not one of them.
        """
        result = self._files.hash(old, [*self._names, DATABASE_CONFIG])
        current = self._files.hash(self._path, self._names)
        if not result.get(DATABASE_CONFIG, PresentFile(size=0, sha256=None)).size:
            return []
        return [
            name
            for name in self._names
            if name in result
            and (result[name].sha256 is None or self._is_another_key(join(old, name), result[name], current.get(name)))
        ]

    @property
    def _keys(self) -> set[str]:
        return {name_key(name) for name in self._names}

    def _is_another_key(self, path: str, file: PresentFile, current: PresentFile | None) -> bool:
        if not file.size or (current and file.sha256 == current.sha256):
            return False
        try:
            inspection = self._files.look_into(path, marks=MARKS)
        except WindowsFault:  # nobody knows
            return True
        return inspection.xml or bool(inspection.marks)

    def _inspect(self, name: str) -> FileInspection | None:
        """A file of the application's folder, None when it cannot be read: EFS shuts out everybody but the account that
        encrypted it.
        """
        try:
            return self._files.look_into(join(self._path, name.replace("/", "\\")), marks=MARKS)
        except WindowsFault:
            return None

    def _protection(self, inspection: FileInspection | None, *, encrypted: bool) -> str:
        return protection(encrypted=encrypted, marks=inspection.marks if inspection else ())
