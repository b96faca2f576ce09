"""What a database knows about itself: what SQL Server's boot page has a place for, and what the twin needs besides. A page
of the .mdf holds all of it, and the head of a virtual log file of the .ldf a copy.
"""

from __future__ import annotations

import dataclasses
import json
import struct
import uuid
import zlib
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "Boot",
    "DifferentialBase",
    "Fork",
    "fork_before",
    "history_before",
    "is_block",
    "new_guid",
    "pack",
    "unpack",
]

_HEAD = struct.Struct("<12sII")


def new_guid() -> str:
    """A GUID as SQL Server writes it: capitals."""
    return str(uuid.uuid4()).upper()


@dataclass(frozen=True)
class Fork:
    """A recovery fork: all log records from `start_lsn` on, up to the next fork of the same history."""

    guid: str
    start_lsn: int


@dataclass(frozen=True)
class DifferentialBase:
    """The full backup that the next differential builds on; `time` is UTC in ISO form."""

    lsn: int
    guid: str
    time: str


def fork_before(forks: list[Fork], lsn: int) -> Fork:
    """The fork on which a database stands that has seen everything before `lsn`, and nothing from there on."""
    return next((fork for fork in reversed(forks) if fork.start_lsn < lsn), forks[0])


def history_before(forks: list[Fork], lsn: int) -> list[Fork]:
    """The way to `lsn`: two databases (or a database and a log) that agree on it hold the same up to there."""
    return [fork for fork in forks if fork.start_lsn < lsn]


@dataclass(kw_only=True)
class Boot:
    """Persistent facts of one database.

    state: ONLINE, RESTORING or STANDBY as it was last left. clean: shut down properly, so nothing of the log is needed.
    next_lsn: where the log ends. log_start_lsn: where the next log backup begins, None while there is no chain (SIMPLE,
    or no full backup yet). begins_chain: the next log backup is the first of its chain, which began at
    chain_start_lsn. database_backup_lsn: the last
    full's checkpoint LSN. redo_start_lsn: while restoring, the LSN that is needed next, None when a restore broke off
    in the data. restored_guid: the backup set of the full that was restored. last_commit: UTC time (ISO) of the newest
    transaction in it. last_log_backup: when it began. paths: where the data file and the log were when the block was
    written. options: what belongs to the database for others (collation, compatibility_level, page_verify, ...).
    """

    name: str
    created: str
    database_guid: str = field(default_factory=new_guid)
    family_guid: str = field(default_factory=new_guid)
    data_guid: str = field(default_factory=new_guid)
    log_guid: str = field(default_factory=new_guid)
    data_name: str = ""
    log_name: str = ""
    version: int = 904
    recovery_model: str = "FULL"
    state: str = "ONLINE"
    clean: bool = True
    pages: int = 0
    checkpoint_lsn: int = 0
    next_lsn: int = 0
    forks: list[Fork] = field(default_factory=list)
    log_start_lsn: int | None = None
    begins_chain: bool = True
    chain_start_lsn: int = 0
    database_backup_lsn: int = 0
    base: DifferentialBase | None = None
    redo_start_lsn: int | None = None
    restored_guid: str | None = None
    last_commit: str | None = None
    last_log_backup: str | None = None
    undo_file: str | None = None
    paths: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def fork(self) -> Fork:
        """The fork on which the database is now."""
        return self.forks[-1]

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Boot:
        base = values.get("base")
        forks = [Fork(**fork) for fork in values.get("forks", [])]
        return cls(**{**values, "forks": forks, "base": DifferentialBase(**base) if base else None})

    def copy(self) -> Boot:
        return Boot.from_dict(self.to_dict())


def pack(magic: bytes, values: dict[str, Any], room: int) -> bytes:
    """A block of at most so many bytes: magic, length, checksum, JSON (zlib)."""
    text = zlib.compress(json.dumps(values, separators=(",", ":")).encode(), 1)
    if len(text) > room - _HEAD.size:
        raise ValueError(f"the twin's own facts have {room - _HEAD.size} bytes, not {len(text)}")
    return _HEAD.pack(magic.ljust(12), len(text), zlib.crc32(text)) + text


def unpack(magic: bytes, block: bytes) -> dict[str, Any] | None:
    """The values of a block, None when it is no such block or damaged."""
    if len(block) < _HEAD.size:
        return None
    found, length, checksum = _HEAD.unpack_from(block)
    text = block[_HEAD.size : _HEAD.size + length]
    if found.rstrip() != magic or len(text) != length or zlib.crc32(text) != checksum:
        return None
    return json.loads(zlib.decompress(text))


def is_block(magic: bytes, block: bytes) -> bool:
    """Whether it begins as such a block does, damaged or not."""
    return block.startswith(magic)
