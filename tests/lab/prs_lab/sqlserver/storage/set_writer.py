"""Writing backup media: the head of a file, and sets over one or more files."""

from __future__ import annotations

import datetime as dt
import json
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from .frames import write_frame
from .headerblocks import header_blocks
from .media import OWN_STREAM, Family, Label
from .set_key import crypt
from .setheader import SetHeader
from .tape.blocks import placed, stream
from .tape.packed import ENCRYPTED, XPRESS_HUFFMAN
from .tape.records import BackupSet, end_part, media_part, set_end, set_start
from .tape.writer import MARK, TapeWriter

__all__ = ["CHUNK_PAGES", "NUMBER", "SetWriter", "append_to", "begin_media", "terminate"]

CHUNK_PAGES = 16
NUMBER = struct.Struct("<I")
"""In front of each page in a frame its number, in front of each log record its length."""

_MEDIA = 1024
"""Bytes of the head of the media, which count as the set's."""


def begin_media(files: Sequence[BinaryIO], label: Label) -> list[TapeWriter]:
    """New media on empty files: all of them get the same label."""
    packed = label.compressed or label.encrypted
    own = {name: getattr(label, name) for name in ("mirror_count", "compressed", "encrypted")}
    media = media_part(
        stripes=label.family_count,
        stripe=label.family_sequence,
        media=label.media_set_id,
        filemark_size=MARK,
        name=label.media_name or "",
        description=label.description or "",
        family=int(label.family_id[:8], 16),
        date=dt.datetime.fromisoformat(label.date) if label.date else None,  # type: ignore[arg-type]
        own=stream(OWN_STREAM, json.dumps(own).encode()),
    )
    tapes = [TapeWriter(file, packed=packed, kind=_kind(label)) for file in files]
    for tape in tapes:
        tape.write(media)
        tape.close_part()
    return tapes


def append_to(family: Family, file: BinaryIO) -> TapeWriter:
    """What writes a further set behind those that are there; file: at any place."""
    tape = TapeWriter(
        file,
        packed=family.label.compressed,
        marks=family.marks,
        mark_size=family.mark_size,
        kind=_kind(family.label),
    )
    file.seek(0, os.SEEK_END)
    return tape


def _kind(label: Label) -> int:
    return ENCRYPTED if label.encrypted else XPRESS_HUFFMAN


def terminate(tape: TapeWriter) -> None:
    """Close a set that was given up in the middle, so that others can follow it. Raises WinError."""
    if tape.closed:
        return
    tape.resume()
    if len(tape.marks) % 2:
        tape.close_part()
    tape.write(end_part(BackupSet(server="", finished=None), tape.position))  # type: ignore[arg-type]
    tape.close_part()


class SetWriter:
    """Writes one set over the families of a media set. WinError comes through as it is.

    tapes: per family its file, and those of its mirrors.
    """

    def __init__(self, tapes: Sequence[Sequence[TapeWriter]], header: SetHeader, *, key: bytes | None = None) -> None:
        self._tapes = tapes
        self.header = header
        self._key = key
        self._sequence = 0

    def begin(self) -> None:
        blocks = header_blocks(self.header, final=False)
        frame = self._header_frame("HEAD")
        for tape in self._each():
            tape.write(set_start(blocks, tape.position))
            tape.write(placed(frame, tape.written))

    def pages(self, images: Sequence[tuple[int, bytes]]) -> None:
        """Pages of the data file, at most CHUNK_PAGES at once."""
        self._data("PAGE", b"".join(NUMBER.pack(number) + image for number, image in images))
        self.header.pages += len(images)

    def log(self, records: Sequence[bytes]) -> None:
        """Packed log records."""
        self._data("LOGR", b"".join(NUMBER.pack(len(record)) + record for record in records))

    def finish(self) -> None:
        """The set is whole: only now it counts."""
        first = [copies[0] for copies in self._tapes]
        written = sum(tape.written + _MEDIA for tape in first)
        spared = sum(tape.written - tape.stored for tape in first)
        frame, length = b"", -1
        while len(frame) != length:
            length = len(frame)
            self.header.backup_size = written + length * len(first)
            self.header.compressed_size = self.header.backup_size - spared
            frame = self._header_frame("TAIL")
        blocks = header_blocks(self.header, final=True)
        for tape in self._each():
            tape.write(placed(frame, tape.written))
            tape.write(set_end(blocks, tape.written))
            ending = end_part(blocks, tape.position)
            tape.close_part()
            tape.write(ending)
            tape.close_part()

    def _each(self) -> Iterator[TapeWriter]:
        return (tape for copies in self._tapes for tape in copies)

    def _data(self, kind: str, plain: bytes) -> None:
        data = zlib.compress(plain, 1) if self.header.compressed else plain
        if self._key:
            data = crypt(self._key, self._sequence, data)
        block = write_frame(
            kind,
            data,
            sequence=self._sequence,
            plain_length=len(plain),
            checked=self.header.checksums,
            compressed=self.header.compressed,
            encrypted=self._key is not None,
        )
        for tape in self._tapes[self._sequence % len(self._tapes)]:
            tape.write(placed(block, tape.written))
        self._sequence += 1
        self.header.size += len(plain)
        self.header.stored_size += len(data)

    def _header_frame(self, kind: str) -> bytes:
        return write_frame(kind, json.dumps(self.header.to_dict()).encode())
