"""What a database's files say of it, as the format wants it: page 0 of each, the boot page, its bits."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .page import HEADER, raw_guid, raw_lsn, raw_moment, raw_name, record

__all__ = ["FIRST_SYSTEM_TABLE", "DatabaseFacts", "FileFacts", "boot_record", "file_header"]

FIRST_SYSTEM_TABLE = 16
"""The page of sysallocunits; the boot page tells it."""
_CLEAN, _CHECKSUM, _SIMPLE, _BULK_LOGGED, _READ_ONLY = 0x40000000, 0x10000, 0x8, 0x4, 0x400
_ACCESS = {"RESTRICTED_USER": 0x800, "SINGLE_USER": 0x1000}
_LENGTHS = {611: 732, 655: 1444, 661: 1444, 706: 1504, 782: 1554, 852: 1620, 869: 1644, 904: 1768, 957: 1786}
"""Of the boot page's record, by version."""
_COLUMNS, _COLUMNS_2019 = 46, 49
_MAX_LOG, _NO_MAXIMUM, _GROWTH = 0x10000000, 0xFFFFFFFF, 8192
_SORT_IDS = {"CP1_CS_AS": 51, "CP1_CI_AS": 52, "Pref_CP1_CI_AS": 53, "CP1_CI_AI": 54}
_LANGUAGES = {
    "Arabic": 0x01, "Chinese_Taiwan_Stroke": 0x03, "Danish_Norwegian": 0x05, "Latin1_General": 0x08, "French": 0x0B, "Hebrew": 0x0C,
    "Polish": 0x13, "Romanian": 0x14, "Cyrillic_General": 0x15, "Turkish": 0x1A, "Vietnamese": 0x20, "Chinese_PRC": 0x24,
    "Modern_Spanish": 0x28,
}  # fmt: skip
_IGNORE_CASE, _IGNORE_ACCENT, _IGNORE_WIDTH, _IGNORE_KANA = 0x1000, 0x2000, 0x4000, 0x8000


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """One file of a database; path: where it lies, which the system tables remember. pages: of 8 KB."""

    file_id: int
    is_log: bool
    name: str
    path: str
    guid: str
    pages: int = 0
    base_lsn: int = 0
    base_guid: str | None = None


@dataclass(frozen=True, kw_only=True)
class DatabaseFacts:
    """What all files of a database agree on. LSNs as numbers, 0 or None for none; times in ISO form.

    binding: the same in all of its files, and in no file of another database.
    """

    name: str
    version: int
    binding: str
    family: str
    fork: str
    fork_lsn: int
    first_fork: str
    checkpoint: int
    clean: bool
    recovery_model: str
    read_only: bool = False
    user_access: str = "MULTI_USER"
    created: str | None = None
    collation: str = ""
    compatibility: int = 0
    build: tuple[int, int, int] = (0, 0, 0)
    last_log_backup: str | None = None
    last_log_backup_lsn: int = 0
    full_backup_lsn: int = 0
    full_backup: str | None = None
    chain_start: int = 0
    last_check: str | None = None


def collation_id(name: str) -> int:
    """As COLLATIONPROPERTY (..., 'CollationID') gives it; 0 for a collation whose number is not known here."""
    own = name.removeprefix("SQL_Latin1_General_")
    if own in _SORT_IDS:
        return _SORT_IDS[own] << 24 | _LANGUAGES["Latin1_General"] | _flags(name)
    language = next((language for language in _LANGUAGES if name.startswith(f"{language}_C")), None)
    return _LANGUAGES[language] | _flags(name) if language else 0


def _flags(name: str) -> int:
    parts = set(name.split("_"))
    return (
        (_IGNORE_CASE if "CI" in parts else 0)
        | (_IGNORE_ACCENT if "AI" in parts else 0)
        | (0 if "KS" in parts else _IGNORE_KANA)
        | (0 if "WS" in parts else _IGNORE_WIDTH)
    )


def boot_record(facts: DatabaseFacts) -> bytes:
    """The record of page 1:9, and the second one of a log's page 0. Offsets are those on the boot page."""
    length = _LENGTHS.get(facts.version, _LENGTHS[957])
    data = bytearray(length)

    def put(offset: int, value: bytes) -> None:
        data[offset - HEADER : offset - HEADER + len(value)] = value

    data[0] = 0x10
    put(98, struct.pack("<HHH", length, facts.version, facts.version))
    put(116, raw_moment(facts.last_log_backup))
    put(132, struct.pack("<I", _status(facts)))
    put(140, raw_moment(facts.created))
    put(148, raw_name(facts.name).ljust(256, b"\x20"))
    put(410, struct.pack("<H", facts.compatibility))
    put(420, raw_lsn(facts.last_log_backup_lsn))
    put(432, raw_lsn(facts.full_backup_lsn))
    put(444, raw_lsn(facts.checkpoint))
    put(468, raw_lsn(facts.checkpoint))
    put(488, struct.pack("<I", collation_id(facts.collation)))
    put(504, raw_guid(facts.family))
    put(540, raw_lsn(facts.fork_lsn))
    put(552, raw_guid(facts.fork))
    put(580, raw_guid(facts.first_fork))
    put(596, raw_guid(facts.full_backup))
    put(612, struct.pack("<IH", FIRST_SYSTEM_TABLE, 1))
    put(736, raw_lsn(facts.chain_start))
    put(748, raw_moment(facts.last_check))
    put(772, raw_moment(facts.created))
    major, minor, build = facts.build
    put(780, struct.pack("<HBB", build, minor, major))
    return bytes(data[:length]) + struct.pack("<HB", 1, 0)


def _status(facts: DatabaseFacts) -> int:
    model = {"SIMPLE": _SIMPLE, "BULK_LOGGED": _BULK_LOGGED}.get(facts.recovery_model, 0)
    read_only, clean = _READ_ONLY if facts.read_only else 0, _CLEAN if facts.clean else 0
    return _CHECKSUM | model | clean | read_only | _ACCESS.get(facts.user_access, 0)


def file_header(facts: DatabaseFacts, file: FileFacts) -> bytes:
    """The first record of page 0 of a file."""
    columns = [b""] * (_COLUMNS_2019 if facts.version >= 904 else _COLUMNS)
    columns[0] = raw_guid(facts.binding)
    columns[2], columns[3] = struct.pack("<H", file.file_id), struct.pack("<H", 0 if file.is_log else 1)
    columns[4] = struct.pack("<I", file.pages)
    columns[5] = struct.pack("<I", _MAX_LOG if file.is_log else _NO_MAXIMUM)
    columns[6] = struct.pack("<I", _GROWTH)
    columns[13] = bytes(4)
    columns[15] = struct.pack("<I", 512)
    columns[20], columns[21] = raw_lsn(file.base_lsn), raw_guid(file.base_guid)
    columns[23], columns[24] = raw_guid(file.guid), bytes(4)
    columns[27] = raw_name(file.name)
    if facts.version >= 904:
        columns[48] = struct.pack("<H", file.file_id)
    return record(b"", columns, columns=len(columns))
