"""The verb that judges backup files by the checksums in them."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import xor
from typing import Any

from ...sqlserver.storage.tape.blocks import STREAM_HEADER, is_block
from ...sqlserver.storage.tape.packed import FRAME_HEADER, frame_checksum, frame_size, is_filler
from ...sqlserver.storage.tape.values import xor16
from ..errors import WinError
from ..models import ScriptCall
from .verbs import fault, moment, verb

__all__: list[str] = []

BLOCK_HEADER = 52
PAGE = 8192
SECTOR = 512
_WORD = 0xFFFFFFFF


class Broken(Exception):
    """What follows in the same part cannot be found."""

    def __init__(self, kind: str, at: int) -> None:
        super().__init__(kind)
        self.flaw = {"kind": kind, "at": at}


@dataclass(kw_only=True)
class Judged:
    """A file whose content is held in memory: those of the lab are small. sound: the part at hand, so far."""

    data: bytes
    most: int
    judged: int = 0
    frames: int = 0
    pages: int = 0
    unjudged: int = 0
    sound: bool = True
    flaws: list[dict[str, Any]] = field(default_factory=list)

    def flaw(self, **flaw: Any) -> None:
        if len(self.flaws) < self.most or self.sound:
            self.flaws.append(flaw)
        self.sound = False

    def packed_part(self, at: int, end: int, length: int) -> None:
        first, held = at, 0
        while size := frame_size(self.data[at : min(at + FRAME_HEADER, end)]):
            whole = self.data[at : min(at + FRAME_HEADER + size[0], end)]
            sound = len(whole) == FRAME_HEADER + size[0] and frame_checksum(whole[FRAME_HEADER:]) == _u32(whole, 0x18)
            if sound:
                self.judged += len(whole)
            else:
                self.flaw(kind="frame", at=at)
            self.frames += 1
            held += size[1]
            at += FRAME_HEADER + size[0]
        if not _is_whole_filler(self.data[at:end]):
            raise Broken("frames_end", at)
        if length and held != length:
            self.flaw(kind="held", at=first, bytes=held, told=length)

    def plain_part(self, at: int, end: int, _length: int) -> None:
        while at + BLOCK_HEADER <= end:
            header = self.data[at : at + BLOCK_HEADER]
            if len(header) == BLOCK_HEADER and not any(header):
                return
            if not is_block(header, header[:4]):
                raise Broken("no_block", at)
            self.judged += BLOCK_HEADER
            at = self.streams(at, end)

    def streams(self, block: int, end: int) -> int:
        """Where the next block begins."""
        at, kind = block + int.from_bytes(self.data[block + 8 : block + 10], "little"), b""
        while kind != b"SPAD":
            header = self.data[at : at + STREAM_HEADER]
            if len(header) < STREAM_HEADER:
                raise Broken("stream_cut_off", at)
            kind, length, checksum = struct.unpack("<4s4xQ4xH", header)
            if xor16(header[:20]) != checksum:
                raise Broken("stream_checksum", at)
            start, whole = at + STREAM_HEADER, at + STREAM_HEADER + length <= end
            if kind == b"MQDA":
                self.some_pages(start + 2, start + length if whole else end, whole=whole)
            if not whole:
                raise Broken("data_end", block)
            self.judged += STREAM_HEADER
            at = start + length + (0 if kind == b"SPAD" else -(STREAM_HEADER + length) % 4)
        return at

    def some_pages(self, start: int, end: int, *, whole: bool) -> None:
        count, rest = divmod(max(0, end - start), PAGE)
        if whole and rest:
            self.unjudged += count
            return
        for at in range(start, start + count * PAGE, PAGE):
            page = self.data[at : at + PAGE]
            if len(page) < PAGE:
                return
            sound = _is_sound(page)
            if sound is None:
                self.unjudged += 1
                continue
            self.pages += 1
            self.judged += PAGE * sound
            if not sound:
                number, file = struct.unpack_from("<IH", page, 0x20)
                self.flaw(kind="page", at=at, file=file, page=number)


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _is_whole_filler(data: bytes) -> bool:
    if not is_filler(data) or data[1] or any(data[4:24]):
        return False
    if data[0] == 0x24:
        return int.from_bytes(data[2:4], "little") + 24 == len(data) and not any(data[24:])
    if len(data) < 36 or any(data[2:4]) or _u32(data, 0x20) + 24 != len(data):
        return False
    if len(data) < 56:
        return True
    head, listed, tail = data[24:40], data[40:-16], data[-16:]
    ends = []
    for copy in (head, tail):
        _form, count, _length, checksum = struct.unpack("<IIII", copy)
        if 0 < 16 * count <= len(listed) and frame_checksum(listed[: 16 * count]) == checksum:
            ends.append(16 * count)
    if head != tail and not ends:
        return True
    return head == tail and bool(ends) and not any(listed[ends[0] :])


def _is_sound(page: bytes) -> bool | None:
    """None where nothing protects it."""
    protection = page[5] & 3
    if page[0] != 1 or not 1 <= page[1] <= 20 or not protection:
        return None
    if protection == 1:
        ends = {page[at + SECTOR - 1] & 3 for at in range(SECTOR, PAGE, SECTOR)}
        return ends == {page[0x3C] & 3} and not ends & {0, 3}
    total = 0
    for sector in range(0, PAGE, SECTOR):
        words = struct.unpack_from("<128I", page, sector)
        total = (total << 1 & _WORD | total >> 31) ^ reduce(xor, words)
    stored = _u32(page, 0x3C)  # counts as zero, in the sector that is turned 15 times
    return total ^ (stored << 15 & _WORD | stored >> 17) == stored


@verb("check_content")
def check_content(
    call: ScriptCall, *, MostFlaws: int, Items: list[dict[str, Any]] | None = None
) -> Iterator[dict[str, Any]]:
    for item in Items or []:
        try:
            stat = call.files.stat(item["path"])
            with call.files.open(item["path"]) as file:
                result = Judged(data=file.read(), most=MostFlaws)
        except WinError as error:
            yield {"path": item["path"], "error": fault(error)}
            continue
        for start, end, length in item["parts"]:
            result.sound = True
            try:
                (result.packed_part if item["packed"] else result.plain_part)(start, end, length)
            except Broken as broken:
                result.flaw(**broken.flaw, start=start, end=end)
        marks = [result.data[mark : mark + item["mark"]] for mark in item["marks"]]
        yield {
            "path": item["path"],
            "size": stat.size,
            "modified": moment(stat.modified),
            "marks": [base64.b64encode(mark if len(mark) == item["mark"] else b"").decode() for mark in marks],
            **{name: getattr(result, name) for name in ("judged", "frames", "pages", "unjudged", "flaws")},
        }
