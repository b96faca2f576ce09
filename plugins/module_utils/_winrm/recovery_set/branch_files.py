# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that tell of restores, beside the manifests of recovery sets."""

from __future__ import annotations

from collections.abc import Iterable

from ..._core.recovery_set.branches import ENDING, Branch, Lineage, branch_file_name, lines_of_branch, parse_branch
from ..._core.windows_files import FolderEntry
from ..._core.windows_paths import join
from ..host.files import WindowsFiles

__all__ = ["BranchFiles"]


class BranchFiles:
    """Those of one folder. The folder needs the access that its manifests need."""

    def __init__(self, files: WindowsFiles, folder: str) -> None:
        self._files = files
        self._folder = folder
        self._names: list[str] | None = None

    def listed(self, entries: Iterable[FolderEntry]) -> None:
        """The folder was listed, for whatever reason: it need not be listed again."""
        self._names = [entry.name for entry in entries if not entry.folder and entry.name.lower().endswith(ENDING)]

    @property
    def names(self) -> list[str]:
        """As the last listing had them."""
        if self._names is None:
            self.listed(self._files.list_if_there(self._folder))
        return self._names or []

    def lineage(self) -> Lineage:
        """What they say. Raises RecoveryError when one cannot be read."""
        paths = [join(self._folder, name) for name in self.names]
        return Lineage(
            parse_branch("\n".join(file.lines), where=f"{file.path} on {self._files.host}")
            for file in self._files.read_texts(paths)
        )

    def write(self, branches: Iterable[Branch]) -> list[str]:
        """Each in a file of its own, so that two who write at the same time take nothing from one another. The
        paths.
        """
        paths = []
        for branch in branches:
            self._files.make_folder(self._folder, ahead=True)
            paths.append(join(self._folder, branch_file_name(branch)))
            self._files.write_lines(paths[-1], lines_of_branch(branch))
        return paths
