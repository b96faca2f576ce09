# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the control node, found by name and read by ranges."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ._core.binary.range_reader import Read
from ._core.errors import RecoveryError

__all__ = ["find_files", "range_reader", "walk"]


def walk(folder: str, *, recurse: bool = True) -> Iterator[str]:
    """The paths of the files in a folder and in all below it, in order. Folders behind links are left out, so that this
    ends.

    Raises :class:`RecoveryError` for a folder that cannot be looked into.
    """
    waiting = [iter(_entries(folder))]  # no recursion, whose depth Python limits
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
        elif entry.is_dir(follow_symlinks=False):
            if recurse:
                waiting.append(iter(_entries(entry.path)))
        elif entry.is_file():
            yield entry.path


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """By name."""
    try:
        with os.scandir(folder) as listing:
            return sorted(listing, key=lambda entry: entry.name)
    except OSError as problem:
        raise RecoveryError(
            f"The folder {folder} on the control node cannot be looked into: {problem.strerror}",
            advice="Check the path, and the rights of the account that runs ansible",
            code="access_denied" if isinstance(problem, PermissionError) else "not_found",
        ) from None


def find_files(paths: Iterable[str], *, endings: Collection[str], recurse: bool) -> list[Path]:
    """The files that are named, and those with one of the endings (lower case) in the folders that are named.

    Sorted, each once. Raises :class:`RecoveryError` for what is not there, or cannot be looked into.
    """
    files: set[Path] = set()
    for name in paths:
        path = Path(name)
        if path.is_dir():
            inside = map(Path, walk(name, recurse=recurse))
            files.update(file for file in inside if file.suffix.lower() in endings)
        elif path.is_file():
            files.add(path)
        else:
            raise RecoveryError(
                f"There is no file or folder {path} on the control node",
                advice="Name one that the user who runs Ansible can see",
                code="not_found",
            )
    return sorted(files)


@contextmanager
def range_reader(path: Path) -> Iterator[tuple[Read, int]]:
    """read(offset, length) of a file and its size in bytes. The file is opened for reading alone."""
    with path.open("rb") as stream:

        def read(offset: int, length: int) -> bytes:
            stream.seek(offset)
            return stream.read(length)

        yield read, path.stat().st_size
