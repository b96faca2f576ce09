# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the control node, found by name and read by ranges."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ._core.binary.range_reader import Read
from ._core.errors import RecoveryError

__all__ = ["find_files", "range_reader"]


def find_files(paths: Iterable[str], *, endings: Collection[str], recurse: bool) -> list[Path]:
    """The files that are named, and those with one of the endings (lower case) in the folders that are named.

    Sorted, each once. Raises :class:`RecoveryError` for what is not there.
    """
    files: set[Path] = set()
    for name in paths:
        path = Path(name)
        if path.is_dir():
            entries = path.rglob("*") if recurse else path.iterdir()
            files.update(entry for entry in entries if entry.suffix.lower() in endings and entry.is_file())
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
