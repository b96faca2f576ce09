"""Small backup files as SQL Server 2005 to 2025 write them, made of nothing but what is known of their format.

    build([BackupSet(...)], packed=True) -> bytes

Everything has a default, so a test says only what it is about. Pages and log of a set are given as bytes. What the format
is stands in the laboratory, whose SQL Server writes its backups by the same functions.
"""

from __future__ import annotations

import dataclasses
import io
import struct
import uuid
from collections.abc import Sequence
from datetime import timedelta
from functools import reduce
from itertools import pairwise

from prs_lab.sqlserver.storage.tape.huffman import xpress_huffman
from prs_lab.sqlserver.storage.tape.packed import frame_checksum
from prs_lab.sqlserver.storage.tape.records import (
    LOG_FILE,
    BackupSet,
    DatabaseFile,
    end_part,
    media_part,
    numbered_guid,
    set_part,
)
from prs_lab.sqlserver.storage.tape.writer import TapeWriter

__all__ = [
    "LOG_FILE",
    "PAGE",
    "BackupSet",
    "DatabaseFile",
    "build",
    "chain",
    "frame_checksum",
    "numbered_guid",
    "page",
    "page_checksum",
    "xpress_huffman",
]

PAGE = 8192


def build(
    sets: Sequence[BackupSet] | None = None,
    *,
    packed: bool = False,
    filemark_size: int = 512,
    stripes: int = 1,
    stripe: int = 1,
    media: str = numbered_guid(0xE1),
    media_name: str = "",
    media_password: str = "",
) -> bytes:
    """A whole file; one of the stripes of a media set."""
    sets = [BackupSet()] if sets is None else list(sets)
    file = io.BytesIO()
    tape = TapeWriter(
        file,
        packed=packed,
        mark_size=filemark_size,
        release=sets[0].version[0] if sets else 13,
        pack=xpress_huffman,
    )
    tape.write(
        media_part(
            stripes=stripes,
            stripe=stripe,
            media=media,
            filemark_size=filemark_size,
            name=media_name,
            password=media_password,
        )
    )
    tape.close_part()
    for number, made in enumerate(sets, start=1):
        position = made.position or number
        for part in (set_part(made, position), end_part(made, position)):
            tape.write(part, pieces=_pieces(part))
            tape.close_part()
    return file.getvalue()


def _pieces(part: bytes) -> list[bytes]:
    """As SQL Server does: the blocks in front of the data, the data in pieces of 64 KiB, what is behind them."""
    ends = sorted(
        {0, len(part), *(at for at in range(0, len(part), 512) if part[at : at + 4] in (b"MSDA", b"MSTL", b"MSLS"))}
    )
    return [part[at : min(at + 65536, end)] for start, end in pairwise(ends) for at in range(start, end, 65536)]


def page(
    number: int, *, file_id: int = 1, kind: int = 1, content: bytes = b"row", protection: str = "checksum"
) -> bytes:
    """A page of data with a right checksum; protection: checksum or none."""
    data = bytearray(PAGE)
    struct.pack_into("<BBBBH", data, 0, 1, kind, 0, 0, 0x200 if protection == "checksum" else 0)
    struct.pack_into("<IH", data, 0x20, number, file_id)
    data[96 : 96 + len(content)] = content
    if protection == "checksum":
        struct.pack_into("<I", data, 0x3C, page_checksum(bytes(data)))
    return bytes(data)


def page_checksum(data: bytes) -> int:
    """Each sector's words xor-ed, turned left by 15 - its number, xor-ed together; the field itself counts as zero."""
    data = data[:0x3C] + bytes(4) + data[0x40:]
    total = 0
    for sector in range(16):
        words = struct.unpack_from("<128I", data, 512 * sector)
        value = reduce(lambda left, right: left ^ right, words)
        turn = 15 - sector
        total ^= (value << turn | value >> 32 - turn) & 0xFFFFFFFF if turn else value
    return total


def chain(count: int = 3, **common: object) -> list[BackupSet]:
    """A full backup and the logs that follow it, a minute apart."""
    full = BackupSet(**common)  # type: ignore[arg-type]
    sets, reach = [full], full.first_lsn
    for number in range(1, count + 1):
        last = full.last_lsn + number * 100_00000
        sets.append(
            dataclasses.replace(
                full,
                letter="L",
                guid=numbered_guid(int(uuid.UUID(full.guid)) + 0x1000 * number),
                first_lsn=reach,
                last_lsn=last,
                started=full.started + timedelta(minutes=number),
                finished=full.finished + timedelta(minutes=number),
                database_backup_lsn=full.checkpoint_lsn,
            )
        )
        reach = last
    return sets
