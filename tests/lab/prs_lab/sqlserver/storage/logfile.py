"""The .ldf as bytes: a head with a copy of the boot block's facts, then the log records, oldest first."""

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
from .boot import BLOCK, Boot, pack, unpack
from .pages import PAGE

__all__ = ["LogDamage", "LogFile", "LogRecord", "RecordHead", "read_record"]

_MAGIC = b"PRSLAB-LOG"
_RECORD = struct.Struct("<4sBBHIIIIqII")
_RECORD_MAGIC = b"LREC"
_KINDS = ("commit", "checkpoint", "recovery", "backup")
_PAGE_HEAD = struct.Struct("<II")
_COMPACT_ABOVE = 1 << 20


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
        self._start = self._end = BLOCK
        self._scan()

    @classmethod
    def create(cls, path: pathlib.Path, boot: Boot) -> LogFile:
        """A log without records in the (existing or new) file."""
        with open(path, "wb") as file:
            file.write(pack(_MAGIC, {"start": BLOCK, "boot": boot.to_dict()}))
        return cls(path)

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
        head = unpack(_MAGIC, os.pread(self._file, BLOCK, 0))
        if head is None:
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
                if found is None and len(data) == _RECORD.size:
                    self.damaged_at = self.records[-1].next_lsn if self.records else 0
                break
            try:
                self.records.append(read_record(os.pread(self._file, found[0]["size"], place), place).head)
            except LogDamage as damage:
                if place + found[0]["size"] < size:
                    self.damaged_at = damage.lsn
                break
            place += found[0]["size"]
        self._end = place
        if self.damaged_at is None:
            os.ftruncate(self._file, place)

    def write_boot(self, boot: Boot) -> None:
        """Keep the boot block's facts at the head of the log as well."""
        self.boot = boot.copy()
        os.pwrite(self._file, pack(_MAGIC, {"start": self._start, "boot": boot.to_dict()}), 0)

    def append(self, data: bytes) -> RecordHead:
        """Write a packed record at the end."""
        head = read_record(data, self._end).head
        os.pwrite(self._file, data, self._end)
        self._end += len(data)
        self.records.append(head)
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
        os.pwrite(self._file, data, self._end)
        head = RecordHead(**{**vars(head), "offset": self._end})
        self._end += len(data)
        self.records.append(head)
        return head

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
        if self._start - BLOCK > max(_COMPACT_ABOVE, self.used):
            self._compact()
        self._save_start()

    def replace(self, records: Iterable[bytes]) -> None:
        """Forget everything, then hold these records."""
        self.records, self.damaged_at = [], None
        self._start = self._end = BLOCK
        os.ftruncate(self._file, BLOCK)
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
            os.pwrite(self._file, pack(_MAGIC, {"start": self._start, "boot": self.boot.to_dict()}), 0)
