# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of a backup set: in the stream MQCI of its blocks MSCI (as it began) and MSLS (as it ended).

SCIN describes the set, SFGI a filegroup, SFIN a file of the database. No other kind was seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.blocks import FIRST_STREAM
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.streams import MQCI, stream_at
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.values import u16, u32

__all__ = ["Records", "read_records"]

SCIN, SFGI, SFIN = b"SCIN", b"SFGI", b"SFIN"
LENGTH = 0x04  # u32: of the record, its kind and this included (proven)

MOST_BYTES = 64 << 20
"""Of records that are believed: 32,767 files, all that a database can have, need less."""


class Records(NamedTuple):
    """set: the record SCIN; block, end: offsets of their block and behind them, in what was searched."""

    set: bytes
    filegroups: list[bytes]
    files: list[bytes]
    block: int
    end: int


def read_records(data: bytes, block: int, *, more: Callable[[int], bytes] | None = None) -> Records:
    """The records in the block MSCI or MSLS at an offset. Raises :class:`Damaged`.

    more(length): gives the same data up to a greater length, for a database with many files.
    """
    stream = stream_at(data, block + u16(data, block + FIRST_STREAM))
    if stream.kind != MQCI or stream.end - stream.start > MOST_BYTES:
        raise Damaged("a list of records of an impossible length")
    if stream.end > len(data) and more is not None:
        data = more(stream.end)
    if stream.end > len(data):
        raise Damaged("the list of records is cut off")
    sorted_out: dict[bytes, list[bytes]] = {SCIN: [], SFGI: [], SFIN: []}
    at = stream.start
    while at < stream.end:
        length = u32(data, at + LENGTH) if at + 8 <= stream.end else 0
        if length < 8 or at + length > stream.end:
            raise Damaged("a record of an impossible length")
        kind = data[at : at + 4]
        if kind not in sorted_out:
            raise Damaged("a record of a kind that no backup of SQL Server 2005 to 2025 has")
        sorted_out[kind].append(data[at : at + length])
        at += length
    if len(sorted_out[SCIN]) != 1:
        raise Damaged("not one record of the set itself")
    return Records(sorted_out[SCIN][0], sorted_out[SFGI], sorted_out[SFIN], block, stream.end)
