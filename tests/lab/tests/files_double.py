"""A folder that stands for one host's drives: what `storage` and `backup` need of files, without a Windows twin."""

from __future__ import annotations

import io
import ntpath
import os
import pathlib
import types
from typing import BinaryIO

from prs_lab.windows.errors import WinError


class _Counted(io.FileIO):
    def __init__(self, files: FolderFiles, path: str, real: pathlib.Path, mode: str) -> None:
        self._files, self._path = files, path
        super().__init__(real, mode.replace("b", ""))

    def write(self, data: bytes) -> int:  # type: ignore[override]
        room = self._files.room_left
        if room is not None:
            fits = min(len(data), room)
            self._files.room_left = room - fits
            super().write(bytes(data)[:fits])
            if fits < len(data):
                raise WinError(112, self._path)
            return len(data)
        return super().write(data) or 0


class FolderFiles:
    """Drive C: below `root`. `room_left`: bytes that may still be written (None: any). `denied`: folders that answer 5."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.room_left: int | None = None
        self.denied: set[str] = set()
        self.held: dict[str, str] = {}

    def real(self, path: str) -> pathlib.Path:
        if path.startswith("\\\\"):
            raise WinError(53, path)
        drive, rest = ntpath.splitdrive(path)
        return self.root / drive[0].upper() / rest.strip("\\").replace("\\", "/")

    def _check(self, path: str, mode: str) -> pathlib.Path:
        real = self.real(path)
        if ntpath.dirname(path) in self.denied or real.is_dir():
            raise WinError(5, path)
        if not real.parent.is_dir():
            raise WinError(3, path)
        if mode == "rb" and not real.exists():
            raise WinError(2, path)
        return real

    def open(self, path: str, mode: str = "rb", *, owner: str | None = None) -> BinaryIO:
        real = self._check(path, mode)
        if self.held.get(path.lower(), owner) != owner:
            raise WinError(32, path)
        return open(real, "rb") if mode == "rb" else _Counted(self, path, real, mode)  # type: ignore[return-value]

    def read(self, path: str) -> bytes:
        return self._check(path, "rb").read_bytes()

    def write(self, path: str, data: bytes) -> None:
        self._check(path, "wb").write_bytes(data)

    def exists(self, path: str) -> bool:
        try:
            return self.real(path).exists()
        except WinError:
            return False

    def is_dir(self, path: str) -> bool:
        try:
            return self.real(path).is_dir()
        except WinError:
            return False

    def stat(self, path: str) -> types.SimpleNamespace:
        return types.SimpleNamespace(size=self._check(path, "rb").stat().st_size)

    def make_dir(self, path: str, parents: bool = True) -> None:
        self.real(path).mkdir(parents=parents, exist_ok=True)

    def list(self, path: str) -> list[str]:
        if not self.is_dir(path):
            raise WinError(3, path)
        return sorted(os.listdir(self.real(path)))

    def remove(self, path: str) -> None:
        real = self._check(path, "rb")
        if path.lower() in self.held:
            raise WinError(32, path)
        real.unlink()

    def real_path(self, path: str, mode: str = "r+b", *, owner: str | None = None) -> pathlib.Path:
        real = self._check(path, mode)
        if self.held.get(path.lower(), owner) != owner:
            raise WinError(32, path)
        return real

    def free_bytes(self, path: str) -> int:
        return 1 << 40 if self.room_left is None else self.room_left

    def mount_point(self, path: str) -> str:
        return path[:3]

    def hold(self, path: str, owner: str) -> None:
        self.held[path.lower()] = owner

    def release(self, path: str, owner: str) -> None:
        self.held.pop(path.lower(), None)
