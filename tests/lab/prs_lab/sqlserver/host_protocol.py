"""All that an instance needs of the Windows host it lives on."""

from __future__ import annotations

import datetime as dt
import pathlib
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

from .settings import Settings

__all__ = ["Certificates", "Files", "Host", "Record", "SqlServerPart", "Stat"]


class Stat(Protocol):
    """What is known about one file."""

    size: int
    modified: dt.datetime
    created: dt.datetime
    is_dir: bool
    name: str


class Files(Protocol):
    """Files as one account sees them: local drives and shares. Raises windows.errors.WinError."""

    def open(self, path: str, mode: str) -> BinaryIO: ...
    def read(self, path: str) -> bytes: ...
    def write(self, path: str, data: bytes) -> None: ...
    def exists(self, path: str) -> bool: ...
    def is_dir(self, path: str) -> bool: ...
    def is_file(self, path: str) -> bool: ...
    def stat(self, path: str) -> Stat: ...
    def list(self, path: str) -> list[str]: ...
    def walk(self, path: str) -> Iterator[tuple[str, Stat]]: ...
    def make_dir(self, path: str, parents: bool = True) -> None: ...
    def remove(self, path: str) -> None: ...
    def rename(self, old: str, new: str) -> None: ...
    def real_path(self, path: str) -> pathlib.Path: ...
    def free_bytes(self, path: str) -> int: ...
    def mount_point(self, path: str) -> str: ...
    def hold(self, path: str, owner: str) -> None: ...
    def release(self, path: str, owner: str) -> None: ...


class Record(Protocol):
    """Where everything asked is written down."""

    def add(self, kind: str, host: str, **fields: Any) -> None: ...
    def unmodelled(self, host: str, what: str, detail: str = "") -> None: ...


class Certificates(Protocol):
    """The machine's certificate store."""

    def key_for(self, thumbprint: str, account: str, *, legacy: bool = False) -> tuple[bytes, bytes]:
        """(certificate PEM, private key PEM); KeyError: no such certificate, or (``legacy``) its key is not in a legacy
        provider; PermissionError: no right on its key.
        """


class SqlServerPart(Protocol):
    """What the host knows of its instances: the registry."""

    def settings(self, name: str) -> Settings: ...


class Host(Protocol):
    """A Windows host. `time_zone`: a Windows or IANA name."""

    name: str
    fqdn: str
    address: str
    domain: str | None
    time_zone: str
    record: Record
    certificates: Certificates
    sql_server: SqlServerPart

    def clock(self) -> dt.datetime:
        """Now, aware UTC."""

    def files(self, account: str) -> Files: ...

    def route(self, name: str, port: int) -> str | None:
        """The address behind a name when packets from here get through to that port of it."""

    def knows_account(self, name: str) -> bool:
        """Whether Windows finds a user or group of that name, DOMAIN\\name."""

    def network_name(self, account: str) -> str | None:
        """Who an account of this host is for other hosts of its domain, DOMAIN\\name; None: nobody whom they know."""
