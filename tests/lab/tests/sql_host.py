"""A host double for the SQL Server twin: a folder with drives, a certificate store of two functions, settings as an
argument.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import os
import pathlib
import random
import socket
import stat
from typing import Any

from prs_lab.record import Record
from prs_lab.sqlserver.instance import Instance
from prs_lab.sqlserver.settings import Settings
from prs_lab.windows.errors import WinError

__all__ = ["PASSWORD", "FolderFiles", "LabHost", "make_instance"]

PASSWORD = "Sa-Password-1"


@dataclasses.dataclass(frozen=True)
class FolderStat:
    size: int
    modified: dt.datetime
    created: dt.datetime
    is_dir: bool
    name: str


def _as_spelled(folder: str, name: str) -> str:
    """What is called so without regard to case; the name itself where nothing is."""
    with contextlib.suppress(OSError):
        return next((entry for entry in os.listdir(folder) if entry.lower() == name.lower()), name)
    return name


class FolderFiles:
    """X:\\a\\b is root/X/a/b. `refused`: prefixes (lower case) -> Win32 error; `free`: bytes that are left."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.refused: dict[str, int] = {}
        self.free = 1 << 40
        self.held: dict[str, str] = {}

    def _path(self, path: str) -> pathlib.Path:
        return pathlib.Path(self._real(path))

    def _real(self, path: str) -> str:
        for prefix, number in self.refused.items():
            if path.lower().startswith(prefix):
                raise WinError(number, path)
        drive, _, rest = path.replace("/", "\\").partition(":\\")
        if not rest and not path.endswith(":\\"):
            raise WinError(3, path)
        folder = f"{self.root}/{drive.upper()}"
        asked = f"{folder}/{rest.strip(chr(92)).replace(chr(92), '/')}"
        if rest and os.path.lexists(asked):  # mostly, and a folder of thousands of files is not gone through for each
            return asked
        if not os.path.isdir(folder):
            raise WinError(3, path)
        for part in filter(None, rest.split("\\")):
            folder = f"{folder}/{_as_spelled(folder, part)}"
        return folder

    def open(self, path: str, mode: str = "rb") -> Any:
        real = self._path(path)
        if not real.parent.is_dir():
            raise WinError(3, path)
        if mode.startswith("r") and not real.is_file():
            raise WinError(2, path)
        return real.open(mode)

    def read(self, path: str) -> bytes:
        with self.open(path) as file:
            return file.read()

    def write(self, path: str, data: bytes) -> None:
        with self.open(path, "wb") as file:
            file.write(data)

    def exists(self, path: str) -> bool:
        return self._path(path).exists()

    def is_dir(self, path: str) -> bool:
        return os.path.isdir(self._real(path))

    def is_file(self, path: str) -> bool:
        return os.path.isfile(self._real(path))

    def stat(self, path: str) -> FolderStat:
        real = self._real(path)
        try:
            found = os.stat(real)
        except FileNotFoundError:
            raise WinError(2, path) from None
        moment = dt.datetime.fromtimestamp(found.st_mtime, dt.UTC)
        return FolderStat(found.st_size, moment, moment, stat.S_ISDIR(found.st_mode), os.path.basename(real))

    def list(self, path: str) -> list[str]:
        real = self._path(path)
        if not real.is_dir():
            raise WinError(3, path)
        return [child.name for child in real.iterdir()]

    def make_dir(self, path: str, parents: bool = True) -> None:
        self._path(path).mkdir(parents=parents, exist_ok=True)

    def remove(self, path: str) -> None:
        real = self._path(path)
        if not real.exists():
            raise WinError(2, path)
        real.unlink()

    def rename(self, old: str, new: str) -> None:
        self._path(old).rename(self._path(new))

    def real_path(self, path: str, mode: str = "r+b", *, owner: str | None = None) -> pathlib.Path:
        real = self._path(path)
        if not real.parent.is_dir():
            raise WinError(3, path)
        if not real.exists():
            raise WinError(2, path)
        return real

    def free_bytes(self, path: str) -> int:
        self._path(path)
        return self.free

    def mount_point(self, path: str) -> str:
        return path[:3]

    def hold(self, path: str, owner: str) -> None:
        self.held[path.lower()] = owner

    def release(self, path: str, owner: str) -> None:
        self.held.pop(path.lower(), None)


class _Keys:
    def __init__(self) -> None:
        self.known: dict[str, tuple[bytes, bytes] | None] = {}

    def key_for(self, thumbprint: str, account: str, *, legacy: bool = False) -> tuple[bytes, bytes]:
        if thumbprint not in self.known:
            raise KeyError(thumbprint)
        found = self.known[thumbprint]
        if found is None:
            raise PermissionError(f"{account} may not read the key")
        return found


class _Sql:
    def __init__(self, settings: Settings) -> None:
        self.value = settings

    def settings(self, name: str) -> Settings:
        return self.value


class LabHost:
    """What host_protocol.Host asks for. `shift` moves its clock."""

    def __init__(
        self, root: pathlib.Path, settings: Settings, *, name: str = "SQLLAB", record: Record | None = None
    ) -> None:
        self.name = name
        self.fqdn = f"{name.lower()}.lab.test"
        self.domain = "LAB"
        self.address = "127.0.0.1"
        self.time_zone = "UTC"
        self.record = record or Record()
        self.certificates = _Keys()
        self.sql_server = _Sql(settings)
        self.shift = dt.timedelta(0)
        for folder in ("C", "D/Data", "D/Backup"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        self.view = FolderFiles(root)

    def clock(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.shift

    def files(self, account: str) -> FolderFiles:
        return self.view

    def route(self, name: str, port: int) -> str | None:
        return self.address

    def knows_account(self, name: str) -> bool:
        return name.upper() != "LAB\\NOBODY"

    def network_name(self, account: str) -> str | None:
        return None


def make_instance(root: pathlib.Path, *, host: LabHost | None = None, start: bool = True, **settings: Any) -> Instance:
    """An instance over a folder, in mixed mode, sa's password PASSWORD, at a port of its own."""
    values = {
        "mixed_mode": True,
        "sa_password": PASSWORD,
        "port": free_port(),
        "data_dir": "D:\\Data",
        "log_dir": "D:\\Data",
        "backup_dir": "D:\\Backup",
    }
    chosen = Settings(**{**values, **settings})
    if host is None:
        host = LabHost(root / "drives", chosen)
    else:
        host.sql_server.value = chosen
    instance = Instance(host, "MSSQLSERVER", root / "sql")
    if start:
        instance.start()
    return instance


def free_port() -> int:
    """A port that nobody has now, of those that no client gets for its own end of a connection."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(12000, 32000)))
            return probe.getsockname()[1]
