"""The .ldf as bytes: page 0 with the copy of the boot page, a virtual log file with the last checkpoint and the commits
since, as far as it has room for them, and one that SQL Server never used: there are the twin's records, oldest first.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import pathlib
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import lsn as lsns
from .boot import Boot, pack, unpack
from .disk.facts import boot_record, file_header
from .disk.page import FILE_HEADER, PAGE, SECTOR, intact, make_page
from .disk.virtual_log import CHECKPOINT, COMMIT, log_blocks
from .disk.virtual_log import head as virtual_log_head
from .file_facts import database_facts, file_facts

__all__ = ["LogDamage", "LogFile", "LogRecord", "RecordHead", "read_log_boot", "read_record"]

_MAGIC = b"PRSLAB-LOG"
_RECORD = struct.Struct("<4sBBHIIIIqII")
_RECORD_MAGIC = b"LREC"
_KINDS = ("commit", "checkpoint", "recovery", "backup")
_PAGE_HEAD = struct.Struct("<II")
_COMPACT_ABOVE = 1 << 20
_ACTIVE = PAGE
"""Where the virtual log file in use begins."""
_OWN = _ACTIVE + lsns.VLF_SECTORS * SECTOR
"""Where the one with our records begins: its head, our facts, and from the next page on the records."""
_RECORDS = _OWN + PAGE
_GROWTH = 64 << 10


class LogDamage(Exception):
    """A log record whose checksum is wrong; `lsn` is its LSN as far as it can be known."""

    def __init__(self, lsn: int) -> None:
        super().__init__(f"log record {lsns.to_hex(lsn)} is damaged")
        self.lsn = lsn


@dataclass(frozen=True, kw_only=True)
class RecordHead:
    """What is known of a record without its pages.

    lsn: its first LSN. end_lsn: the LSN of the commit itself. next_lsn: where the following record begins. time: of the
    commit, aware UTC, None for records that carry none. size: bytes on disk, the record's own head included.
    """

    kind: str
    lsn: int
    end_lsn: int
    next_lsn: int
    time: dt.datetime | None
    bulk: bool = False
    mark: str | None = None
    mark_description: str = ""
    size: int = 0
    offset: int = 0


@dataclass(frozen=True, kw_only=True)
class LogRecord:
    """A record with the stamped page images that it holds; `pages` is the database's size after it."""

    head: RecordHead
    pages: int = 0
    images: Sequence[tuple[int, bytes]] = field(default=())


def pack_record(
    kind: str,
    *,
    lsn: int,
    time: dt.datetime | None,
    pages: int = 0,
    images: Sequence[tuple[int, bytes]] = (),
    bulk: bool = False,
    mark: str | None = None,
    mark_description: str = "",
) -> tuple[RecordHead, bytes]:
    """A record as bytes, with its head."""
    meta = json.dumps({"mark": mark, "description": mark_description} if mark is not None else {}).encode()
    body = zlib.compress(
        b"".join(
            [_PAGE_HEAD.pack(pages, len(images)), *(struct.pack("<I", number) + image for number, image in images)]
        ),
        1,
    )
    payload = struct.pack("<H", len(meta)) + meta + body
    next_lsn = lsns.following(lsn, _RECORD.size + len(payload))
    vlf, block, _ = lsns.split(lsn)
    next_vlf, next_block, _ = lsns.split(next_lsn)
    slots = min(len(images) + 2, lsns.MAX_SLOT)
    stamp = round(time.timestamp() * 1_000_000) if time else 0
    fields = (
        _RECORD_MAGIC,
        _KINDS.index(kind),
        int(bulk),
        slots,
        vlf,
        block,
        next_vlf,
        next_block,
        stamp,
        len(payload),
    )
    head_bytes = _RECORD.pack(*fields, 0)[:-4]
    head_bytes += struct.pack("<I", zlib.crc32(payload, zlib.crc32(head_bytes)))
    head = RecordHead(
        kind=kind,
        lsn=lsn,
        end_lsn=lsns.make(vlf, block, slots),
        next_lsn=next_lsn,
        time=time,
        bulk=bulk,
        mark=mark,
        mark_description=mark_description,
        size=_RECORD.size + len(payload),
    )
    return head, head_bytes + payload


def _read_head(data: bytes, offset: int) -> tuple[dict[str, Any], int] | None:
    """(fields of a RecordHead, payload length) of a record's head, None when this is none."""
    if len(data) < _RECORD.size:
        return None
    magic, kind, bulk, slots, vlf, block, next_vlf, next_block, stamp, length, _ = _RECORD.unpack_from(data)
    if magic != _RECORD_MAGIC or kind >= len(_KINDS):
        return None
    time = dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=stamp) if stamp else None
    return {
        "kind": _KINDS[kind],
        "lsn": lsns.make(vlf, block, 1),
        "end_lsn": lsns.make(vlf, block, slots),
        "next_lsn": lsns.make(next_vlf, next_block, 1),
        "time": time,
        "bulk": bool(bulk),
        "size": _RECORD.size + length,
        "offset": offset,
    }, length


def read_record(data: bytes, offset: int = 0) -> LogRecord:
    """The record whose bytes `data` are. Raises LogDamage."""
    found = _read_head(data, offset)
    if found is None:
        raise LogDamage(0)
    fields, length = found
    checksum = struct.unpack_from("<I", data, _RECORD.size - 4)[0]
    payload = data[_RECORD.size : _RECORD.size + length]
    if len(payload) != length or zlib.crc32(payload, zlib.crc32(data[: _RECORD.size - 4])) != checksum:
        raise LogDamage(fields["lsn"])
    meta_length = struct.unpack_from("<H", payload)[0]
    meta = json.loads(payload[2 : 2 + meta_length])
    body = zlib.decompress(payload[2 + meta_length :])
    pages, count = _PAGE_HEAD.unpack_from(body)
    images = []
    for place in range(count):
        start = _PAGE_HEAD.size + place * (PAGE + 4)
        images.append((struct.unpack_from("<I", body, start)[0], body[start + 4 : start + 4 + PAGE]))
    head = RecordHead(**fields, mark=meta.get("mark"), mark_description=meta.get("description", ""))
    return LogRecord(head=head, pages=pages, images=tuple(images))


def read_log_boot(path: pathlib.Path) -> Boot | None:
    """What a log says of its database, without opening it for use; None where it is no log, or its beginning is damaged."""
    with open(path, "rb") as file:
        first = file.read(PAGE)
        file.seek(_OWN + SECTOR)
        head = unpack(_MAGIC, file.read(PAGE - SECTOR))
    return Boot.from_dict(head["boot"]) if head and intact(first) and first[1] == FILE_HEADER else None


class LogFile:
    """An open log file. `records` are the heads of what it holds; `damaged_at` the LSN of the first record that cannot
    be read.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDWR)
        self.records: list[RecordHead] = []
        self.damaged_at: int | None = None
        self.boot: Boot | None = None
        self._start = self._end = _RECORDS
        self._shown: Boot | None = None
        """The facts that the virtual log file in use was written for."""
        self._next_block: tuple[int, int] | None = None
        """(sequence, number) of the block that would continue those in the virtual log file in use."""
        self._scan()

    @classmethod
    def create(cls, path: pathlib.Path, boot: Boot) -> LogFile:
        """A log without records in the (existing or new) file."""
        path.write_bytes(b"")
        with open(path, "r+b") as file:
            file.truncate(_RECORDS)
            file.seek(_OWN + SECTOR)
            file.write(pack(_MAGIC, {"start": _RECORDS, "boot": boot.to_dict()}, PAGE - SECTOR))
            file.seek(0)
            file.write(_first_page(boot, _RECORDS))
        log = cls(path)
        log.write_boot(boot)
        return log

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @property
    def size(self) -> int:
        return os.fstat(self._file).st_size

    @property
    def used(self) -> int:
        """Bytes of records."""
        return self._end - self._start

    def _scan(self) -> None:
        first = os.pread(self._file, PAGE, 0)
        head = unpack(_MAGIC, os.pread(self._file, PAGE - SECTOR, _OWN + SECTOR))
        if head is None or not intact(first) or first[1] != FILE_HEADER:
            self.damaged_at = 0
            return
        self.boot = Boot.from_dict(head["boot"])
        place = self._start = head["start"]
        size = self.size
        while place < size:
            data = os.pread(self._file, _RECORD.size, place)
            found = _read_head(data, place)
            if found is None or place + found[0]["size"] > size:
                # A record cut off at the very end is a write that power failure interrupted: that transaction never
                # was.
                if found is None and len(data) == _RECORD.size and any(data):
                    self.damaged_at = self.records[-1].next_lsn if self.records else 0
                break
            try:
                self.records.append(read_record(os.pread(self._file, found[0]["size"], place), place).head)
            except LogDamage as damage:
                if any(os.pread(self._file, _RECORD.size, place + found[0]["size"])):
                    self.damaged_at = damage.lsn
                break
            place += found[0]["size"]
        self._end = place
        if self.damaged_at is None:
            os.ftruncate(self._file, place)
            self._allocate(place)

    def _allocate(self, end: int) -> None:
        """Let the file reach to `end`, in steps: behind the records it is zero."""
        wanted = _RECORDS + -(-(end - _RECORDS) // _GROWTH) * _GROWTH
        if wanted > self.size:
            os.ftruncate(self._file, wanted)
        if self.boot is not None:
            self._write_heads(self.boot)

    def write_boot(self, boot: Boot) -> None:
        """Keep the boot page's facts in the log as well."""
        self.boot = boot.copy()
        self._save_start()
        self._write_heads(self.boot)
        self._write_active(self.boot)

    def _write_heads(self, boot: Boot) -> None:
        """Page 0, and the head of the virtual log file with our records, which reaches to the file's end."""
        size = self.size
        os.pwrite(self._file, _first_page(boot, size), 0)
        os.pwrite(self._file, virtual_log_head(offset=_OWN, size=size - _OWN, sequence=0), _OWN)

    def _write_active(self, boot: Boot) -> None:
        """The virtual log file in use: the checkpoint, and what followed it."""
        if self._shown is not None and self._shown.checkpoint_lsn == boot.checkpoint_lsn:
            return
        sequence, number, _ = lsns.split(boot.checkpoint_lsn)
        before = log_blocks(sequence, lsns.FIRST_BLOCK, number - lsns.FIRST_BLOCK, COMMIT)
        head = virtual_log_head(offset=_ACTIVE, size=_OWN - _ACTIVE, sequence=sequence)
        os.pwrite(self._file, (head.ljust(PAGE, b"\0") + before).ljust(_OWN - _ACTIVE, b"\0"), _ACTIVE)
        self._shown = boot
        if not sequence:  # of a database into which nothing was restored yet
            self._next_block = None
            return
        self._next_block = (sequence, number)
        self._write_blocks(1, CHECKPOINT)
        for later in self.since(boot.checkpoint_lsn):
            self._show(later)

    def _show(self, head: RecordHead) -> None:
        """A record as blocks of the virtual log file in use, where it continues those that are there."""
        sequence, number, _ = lsns.split(head.lsn)
        following, end, _ = lsns.split(head.next_lsn)
        operations = COMMIT
        if self._shown is not None and head.lsn == self._shown.checkpoint_lsn and head.kind != "checkpoint":
            # Nothing was logged for the checkpoint itself: it stands in the block of what came first after it.
            self._next_block, operations = (sequence, number), CHECKPOINT + COMMIT
        if (sequence, number) == self._next_block and following == sequence:
            self._write_blocks(end - number, operations)

    def _write_blocks(self, sectors: int, operations: tuple[int, ...]) -> None:
        assert self._next_block is not None
        sequence, number = self._next_block
        if number + sectors <= lsns.VLF_SECTORS:
            os.pwrite(self._file, log_blocks(sequence, number, sectors, operations), _ACTIVE + number * SECTOR)
            self._next_block = (sequence, number + sectors)

    def append(self, data: bytes) -> RecordHead:
        """Write a packed record at the end."""
        head = read_record(data, self._end).head
        self._add(head, data)
        return head

    def write(
        self,
        kind: str,
        *,
        lsn: int,
        time: dt.datetime | None,
        pages: int = 0,
        images: Sequence[tuple[int, bytes]] = (),
        bulk: bool = False,
        mark: str | None = None,
        mark_description: str = "",
    ) -> RecordHead:
        """Pack and append one record."""
        head, data = pack_record(
            kind,
            lsn=lsn,
            time=time,
            pages=pages,
            images=images,
            bulk=bulk,
            mark=mark,
            mark_description=mark_description,
        )
        head = RecordHead(**{**vars(head), "offset": self._end})
        self._add(head, data)
        return head

    def _add(self, head: RecordHead, data: bytes) -> None:
        if self._end + len(data) > self.size:
            self._allocate(self._end + len(data))
        os.pwrite(self._file, data, self._end)
        self._end += len(data)
        self.records.append(head)
        self._show(head)

    def raw(self, head: RecordHead) -> bytes:
        """The bytes of a record."""
        return os.pread(self._file, head.size, head.offset)

    def read(self, head: RecordHead) -> LogRecord:
        """A record with its pages. Raises LogDamage when it was damaged since the file was opened."""
        return read_record(self.raw(head), head.offset)

    def since(self, lsn: int) -> Iterator[RecordHead]:
        """The heads of all records from `lsn` on."""
        return (head for head in self.records if head.lsn >= lsn)

    def discard_before(self, lsn: int) -> None:
        """Truncate: forget the records before `lsn`, and give their room back once it is worth it."""
        kept = [head for head in self.records if head.lsn >= lsn]
        if len(kept) == len(self.records):
            return
        self._start = kept[0].offset if kept else self._end
        self.records = kept
        if self._start - _RECORDS > max(_COMPACT_ABOVE, self.used):
            self._compact()
        self._save_start()

    def replace(self, records: Iterable[bytes]) -> None:
        """Forget everything, then hold these records."""
        self.records, self.damaged_at = [], None
        self._start = self._end = _RECORDS
        os.ftruncate(self._file, _RECORDS)
        self._allocate(_RECORDS)
        self._save_start()
        for data in records:
            self.append(data)

    def _compact(self) -> None:
        data = [self.raw(head) for head in self.records]
        boot = self.boot
        self.replace(data)
        self.boot = boot

    def _save_start(self) -> None:
        if self.boot is not None:
            facts = pack(_MAGIC, {"start": self._start, "boot": self.boot.to_dict()}, PAGE - SECTOR)
            os.pwrite(self._file, facts, _OWN + SECTOR)


def _first_page(boot: Boot, size: int) -> bytes:
    """Page 0 of a log of so many bytes."""
    facts = database_facts(boot)
    _, file = file_facts(boot, log_pages=size // PAGE)
    return make_page(0, FILE_HEADER, [file_header(facts, file), boot_record(facts)], file=file.file_id)
