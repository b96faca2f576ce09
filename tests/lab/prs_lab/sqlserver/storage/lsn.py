"""Log sequence numbers: numeric(25,0) as int, in the shape that SQL Server shows them.

vlf * 10**15 + block * 10**5 + slot: the virtual log file, the log block in it (counted in sectors of 512 bytes), the
record in the block. One commit is one block. They only ever grow along one recovery path; another path uses the same
numbers again.
"""

from __future__ import annotations

import re

__all__ = ["FIRST", "FIRST_BLOCK", "SECTOR", "VLF_SECTORS", "following", "from_mark", "make", "split", "to_hex"]

SECTOR = 512
VLF_SECTORS = 480
"""Of a virtual log file: the .ldf holds one of this size."""
FIRST_BLOCK = 16
MAX_SLOT = 65535


def make(vlf: int, block: int, slot: int) -> int:
    """The LSN of record `slot` in log block `block` of virtual log file `vlf`."""
    return vlf * 10**15 + block * 10**5 + slot


FIRST = make(34, FIRST_BLOCK, 1)
"""Where the log of a database that was just made begins."""


def split(lsn: int) -> tuple[int, int, int]:
    """(vlf, block, slot)."""
    return lsn // 10**15, lsn // 10**5 % 10**10, lsn % 10**5


def to_hex(lsn: int) -> str:
    """As DBCC and fn_dblog show it: 00000022:00000010:0001."""
    vlf, block, slot = split(lsn)
    return f"{vlf:08x}:{block:08x}:{slot:04x}"


def following(lsn: int, size: int) -> int:
    """The LSN after the log block that starts at `lsn` and holds `size` bytes; a full virtual log file is followed by
    the next one.
    """
    vlf, block, _ = split(lsn)
    block += max(1, -(-size // SECTOR))
    if block >= VLF_SECTORS:
        return make(vlf + 1, FIRST_BLOCK, 1)
    return make(vlf, block, 1)


def from_mark(text: str) -> int | None:
    """The LSN in "lsn:N" (STOPATMARK), decimal or as hexadecimal parts; None: it names a mark. ValueError: "lsn:" with
    nonsense after it.
    """
    if not text.lower().startswith("lsn:"):
        return None
    value = text[4:].strip()
    if re.fullmatch(r"\d{1,25}", value):
        return int(value)
    parts = re.fullmatch(r"(?:0x)?([0-9a-fA-F]{1,8}):([0-9a-fA-F]{1,8}):([0-9a-fA-F]{1,4})", value)
    if not parts:
        raise ValueError(text)
    return make(*(int(part, 16) for part in parts.groups()))
