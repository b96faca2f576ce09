# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a folder goes into its archive."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import translate

from ..windows_files import FolderEntry
from .archive_entries import Refusal, name_key, name_problem
from .archive_manifest import OWN_FOLDER

__all__ = ["ArchivePlan", "is_essential", "select_contents"]

_ESSENTIAL = (".config", ".dll", ".aspx", ".ashx", ".asax")


@dataclass(frozen=True, kw_only=True)
class ArchivePlan:
    """files and empty folders to archive, sorted by name; what is left out by wish, and what cannot be archived.

    unseen: folders that nobody could look into.
    """

    files: tuple[FolderEntry, ...]
    folders: tuple[str, ...]
    excluded: tuple[str, ...]
    refused: tuple[Refusal, ...]
    unseen: tuple[Refusal, ...] = ()

    @property
    def bytes(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def names(self) -> list[str]:
        """As the archive names them: folders end in /."""
        return [*(f"{folder}/" for folder in self.folders), *(file.name for file in self.files)]

    @property
    def encrypted(self) -> list[str]:
        """Files that EFS protects: their plain content is archived, readable to whoever reads the archive."""
        return [file.name for file in self.files if file.encrypted]


def is_essential(name: str) -> bool:
    """Whether an application of ASP.NET cannot do without it: then an archive without it is worth nothing."""
    return name.lower().endswith(_ESSENTIAL)


def select_contents(listing: Iterable[FolderEntry], *, exclude: Sequence[str] = ()) -> ArchivePlan:
    """exclude: patterns with * and ?, of names relative to the folder; one that matches a folder excludes all that is
    in it.

    A pattern without / matches at any depth.
    """
    matches = _matcher([OWN_FOLDER, f"{OWN_FOLDER}/*", *exclude])
    files: dict[str, FolderEntry] = {}
    folders: list[str] = []
    excluded: list[str] = []
    refused: list[Refusal] = []
    unseen: list[Refusal] = []
    for entry in sorted(listing, key=lambda entry: name_key(entry.name)):
        problem = name_problem(entry.name)
        if any(matches(part) for part in _with_parents(entry.name)):
            excluded.append(entry.name)
        elif entry.link:
            refused.append(Refusal(entry.name, "is a link, and what it leads to lies elsewhere"))
        elif problem:
            refused.append(Refusal(entry.name, problem))
        elif entry.fault:
            unseen.append(Refusal(entry.name, f"cannot be looked into: {entry.fault}"))
        elif entry.folder:
            folders.append(entry.name)
        elif name_key(entry.name) in files:
            refused.append(
                Refusal(entry.name, f"is the same name as {files[name_key(entry.name)].name} to most of Windows")
            )
        else:
            files[name_key(entry.name)] = entry
    used = {
        key
        for entry in [*files.values(), *(FolderEntry(name=folder) for folder in folders)]
        for key in _with_parents(name_key(entry.name))[:-1]
    }
    return ArchivePlan(
        files=tuple(files.values()),
        folders=tuple(folder for folder in folders if name_key(folder) not in used),
        excluded=tuple(excluded),
        refused=tuple(refused),
        unseen=tuple(unseen),
    )


def _with_parents(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]


def _matcher(patterns: Sequence[str]):
    whole = [
        re.compile(translate(name_key(pattern.replace("\\", "/").strip("/"))))
        for pattern in patterns
        if "/" in pattern.replace("\\", "/").strip("/")
    ]
    anywhere = [
        re.compile(translate(name_key(pattern.strip("\\/"))))
        for pattern in patterns
        if "/" not in pattern.replace("\\", "/").strip("/")
    ]

    def matches(name: str) -> bool:
        key = name_key(name)
        last = key.rpartition("/")[2]
        return any(pattern.match(key) for pattern in whole) or any(pattern.match(last) for pattern in anywhere)

    return matches
