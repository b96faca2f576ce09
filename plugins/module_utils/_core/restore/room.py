# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the files of a restored database find room. A folder may be where another volume is mounted, so that the free
bytes of its drive say nothing of it: only what was measured in the folder itself is a reason to refuse.
"""

from __future__ import annotations

import ntpath
from collections.abc import Iterator, Mapping

from .plan import Refusal, ServerFacts, Target

__all__ = ["folder_key", "needed_by_volume", "refused_room", "room_doubts"]


def folder_key(folder: str) -> str:
    """By which ServerFacts.volumes knows a folder."""
    return folder.rstrip("\\").lower()


def needed_by_volume(needed: Mapping[str, int], server: ServerFacts) -> dict[str, int]:
    """needed: bytes by folder. Returns them by what the folders take their room from: a drive ("D:"), a folder where a
    volume is mounted, a share, or "/" on Linux.
    """
    result: dict[str, int] = {}
    for folder, size in needed.items():
        name = _volume(folder, server)
        result[name] = result.get(name, 0) + size
    return result


def refused_room(
    needed: Mapping[str, int], reclaimed: Mapping[str, int], *, server: ServerFacts, target: Target
) -> Refusal | None:
    """needed: bytes by folder. reclaimed: bytes by folder that overwriting the database gives back."""
    measured = {folder: size for folder, size in needed.items() if folder_key(folder) in server.volumes}
    free_bytes = {volume.mount_point: volume.free_bytes for volume in server.volumes.values()}
    for name, (size, free) in _short_of_room(measured, free_bytes, reclaimed, server):
        return Refusal(
            code="space",
            target=target,
            details={"volume": name, "bytes_needed": size, "bytes_free": free},
            message=f"the database needs {size / 1024**2:,.0f} MiB on {name}, where {free / 1024**2:,.0f} MiB are free",
            advice="free or add room there, or restore to other folders (relocate)",
        )
    return None


def room_doubts(needed: Mapping[str, int], reclaimed: Mapping[str, int], *, server: ServerFacts) -> list[str]:
    """Sentences about drives that look too small, where nobody could tell whether the folders are on others."""
    unmeasured = {folder: size for folder, size in needed.items() if folder_key(folder) not in server.volumes}
    return [
        f"the database needs {size / 1024**2:,.0f} MiB in folders of {name}, which has {free / 1024**2:,.0f} MiB free; "
        "unless other volumes are mounted there, the server will refuse"
        for name, (size, free) in _short_of_room(unmeasured, server.free_bytes, reclaimed, server)
    ]


def _short_of_room(
    needed: Mapping[str, int], free_bytes: Mapping[str, int], reclaimed: Mapping[str, int], server: ServerFacts
) -> Iterator[tuple[str, tuple[int, int]]]:
    """The volumes with too little of it, each with the bytes needed and free."""
    for name, size in sorted(needed_by_volume(needed, server).items()):
        if name not in free_bytes:
            continue
        # A file whose volume is not known may lie on any of its drive: rather count it than refuse without need.
        free = free_bytes[name] + sum(
            given_back
            for folder, given_back in reclaimed.items()
            if _volume(folder, server) == name
            or (folder_key(folder) not in server.volumes and _drive(folder) == _drive(name))
        )
        if size > free:
            yield name, (size, free)


def _volume(folder: str, server: ServerFacts) -> str:
    measured = server.volumes.get(folder_key(folder))
    return measured.mount_point if measured else _drive(folder)


def _drive(path: str) -> str:
    return "/" if path.startswith("/") else ntpath.splitdrive(path)[0].upper()
