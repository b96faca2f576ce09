"""Statements as the recogniser understood them.

Where T-SQL allows a literal or a variable there is a `Value`; `resolve(statement, lookup)` replaces the variables, so
whoever executes a BACKUP sees plain values only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = [
    "Backup",
    "BackupCertificate",
    "BackupOptions",
    "Device",
    "Encryption",
    "FileChoice",
    "Mark",
    "Move",
    "Restore",
    "RestoreOptions",
    "Statement",
    "Value",
    "Variable",
    "resolve",
]


class Variable(str):
    """The name of a variable, "@x" included, where a literal could stand."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Variable({str(self)!r})"


Value = str | int | float | bytes | Variable


@dataclass(frozen=True, kw_only=True)
class Statement:
    """text: its own source; line: where it starts in its batch (from 1)."""

    text: str = ""
    line: int = 1


@dataclass(frozen=True)
class Device:
    """kind: disk, tape, url, virtual_device, database_snapshot, or logical (a device's name from sp_addumpdevice)."""

    kind: str
    name: Value


@dataclass(frozen=True)
class FileChoice:
    """kind: file, filegroup, page, read_write_filegroups (name "")."""

    kind: str
    name: Value


@dataclass(frozen=True)
class Encryption:
    """algorithm: AES_128, AES_192, AES_256, TRIPLE_DES_3KEY; by: certificate or asymmetric_key."""

    algorithm: str
    by: str
    name: str


@dataclass(frozen=True)
class Move:
    """MOVE logical TO physical."""

    logical: Value
    physical: Value


@dataclass(frozen=True)
class Mark:
    """STOPATMARK / STOPBEFOREMARK: a mark's name or "lsn:N"; `after`: the time after which the mark counts."""

    name: Value
    before: bool
    after: Value | None = None


@dataclass(frozen=True, kw_only=True)
class BackupOptions:
    """WITH of a BACKUP; None: not said (the server's default holds). `said` holds every keyword as it was given, in
    upper case.
    """

    said: frozenset[str] = frozenset()
    copy_only: bool = False
    differential: bool = False
    compression: bool | None = None
    compression_algorithm: str | None = None
    checksum: bool | None = None
    continue_after_error: bool = False
    encryption: Encryption | None = None
    init: bool = False
    format: bool = False
    skip: bool = False
    name: Value | None = None
    description: Value | None = None
    expire_date: Value | None = None
    retain_days: Value | None = None
    media_name: Value | None = None
    media_description: Value | None = None
    stats: Value | None = None
    block_size: Value | None = None
    buffer_count: Value | None = None
    max_transfer_size: Value | None = None
    no_truncate: bool = False
    norecovery: bool = False
    standby: Value | None = None
    restart: bool = False


@dataclass(frozen=True, kw_only=True)
class Backup(Statement):
    """BACKUP DATABASE (what "database") or BACKUP LOG ("log"); `mirrors`: one tuple of devices per MIRROR TO."""

    what: str
    database: Value
    files: tuple[FileChoice, ...] = ()
    devices: tuple[Device, ...]
    mirrors: tuple[tuple[Device, ...], ...] = ()
    options: BackupOptions = BackupOptions()


@dataclass(frozen=True, kw_only=True)
class RestoreOptions:
    """WITH of a RESTORE. `end`: "recovery", "norecovery", "standby" or None (not said: recovery). stats True: bare
    STATS.
    """

    said: frozenset[str] = frozenset()
    end: str | None = None
    standby: Value | None = None
    moves: tuple[Move, ...] = ()
    replace: bool = False
    restart: bool = False
    restricted_user: bool = False
    partial: bool = False
    file: Value | None = None
    media_name: Value | None = None
    stop_at: Value | None = None
    mark: Mark | None = None
    checksum: bool | None = None
    continue_after_error: bool = False
    keep_replication: bool = False
    keep_cdc: bool = False
    broker: str | None = None
    load_history: bool = False
    metadata_only: bool = False
    stats: Value | None = None
    block_size: Value | None = None
    buffer_count: Value | None = None
    max_transfer_size: Value | None = None


@dataclass(frozen=True, kw_only=True)
class Restore(Statement):
    """what: database, log, headeronly, filelistonly, verifyonly, labelonly, rewindonly; no devices: only recover."""

    what: str
    database: Value | None = None
    files: tuple[FileChoice, ...] = ()
    devices: tuple[Device, ...] = ()
    options: RestoreOptions = RestoreOptions()


@dataclass(frozen=True, kw_only=True)
class BackupCertificate(Statement):
    """BACKUP CERTIFICATE name TO FILE = path [WITH PRIVATE KEY (FILE, ENCRYPTION BY PASSWORD [, DECRYPTION BY
    PASSWORD])].
    """

    name: str
    file: Value
    key_file: Value | None = None
    encryption_password: Value | None = None
    decryption_password: Value | None = None
    format: str | None = None


T = TypeVar("T")


def resolve(node: T, lookup: Callable[[str], Any]) -> T:
    """The same statement with the value of `lookup(name)` in the place of every Variable."""
    if isinstance(node, Variable):
        return lookup(node)
    if isinstance(node, tuple):
        return tuple(resolve(part, lookup) for part in node)  # type: ignore[return-value]
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        changes = {}
        for field in dataclasses.fields(node):
            old = getattr(node, field.name)
            new = resolve(old, lookup)
            if new is not old:
                changes[field.name] = new
        return dataclasses.replace(node, **changes) if changes else node
    return node
