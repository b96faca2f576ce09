"""Reading SQLite's write-ahead log as it grows: the page images that each commit wrote."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass

from .pages import PAGE

__all__ = ["WalCommit", "WalReader"]

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_FRAME_SIZE = _FRAME.size + PAGE


@dataclass(frozen=True)
class WalCommit:
    """One commit: (page number, image) in the order written; `generation` counts how often SQLite began the file anew."""

    frames: list[tuple[int, bytes]]
    generation: int


class WalReader:
    """Follows the file at `path`; each `poll` gives the commits since the last one.

    Frames that a rolled-back transaction left behind never carry a commit flag before they are overwritten, so they are
    not seen.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._salts = b""
        self._next = 0
        self._generation = 0

    def poll(self) -> list[WalCommit]:
        """The commits written since the last call, oldest first."""
        try:
            file = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return []
        try:
            return self._read(file)
        finally:
            os.close(file)

    def _read(self, file: int) -> list[WalCommit]:
        header = os.pread(file, _HEADER.size, 0)
        if len(header) < _HEADER.size:
            return []
        if header[16:24] != self._salts:
            self._salts, self._next = header[16:24], 0
            self._generation += 1
        commits: list[WalCommit] = []
        frames: list[tuple[int, bytes]] = []
        place = self._next
        while True:
            data = os.pread(file, _FRAME_SIZE, _HEADER.size + place * _FRAME_SIZE)
            if len(data) < _FRAME_SIZE or data[8:16] != self._salts:
                return commits
            place += 1
            frames.append((int.from_bytes(data[:4], "big"), data[_FRAME.size :]))
            if data[4:8] != b"\0\0\0\0":
                commits.append(WalCommit(frames, self._generation))
                frames = []
                self._next = place
