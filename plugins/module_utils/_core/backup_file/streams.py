# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams: what a block holds behind its own fields, each with a header and padded to a multiple of 4 bytes."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.values import u16, u64, xor_words

__all__ = ["BAD_HEADER", "CUT_OFF", "MQCI", "MQDA", "MQTL", "RAID", "SPAD", "STREAM_HEADER", "Stream", "stream_at"]

CUT_OFF, BAD_HEADER = "a stream is cut off", "the header of a stream fails its checksum"

RAID, SPAD, MQCI, MQDA, MQTL = (
    b"RAID",  # stripes: media_header
    b"SPAD",  # padding up to the next block, the last stream of each
    b"MQCI",  # records: records
    b"MQDA",  # pages of data
    b"MQTL",  # transaction log
)

STREAM_HEADER = 22  # bytes (proven)
LENGTH = 0x08  # u64: bytes of data behind the header (proven)
CHECKSUM = 0x14  # u16: the 10 words before it, xor-ed (proven); covers these 22 bytes alone


class Stream(NamedTuple):
    """kind; start and end of its data, as offsets into what was searched."""

    kind: bytes
    start: int
    end: int

    @property
    def next(self) -> int:
        """Where the header of the next stream lies."""
        return (self.end + 3) & ~3


def stream_at(data: bytes, offset: int) -> Stream:
    """The stream whose header lies at an offset; its data may end outside. Raises :class:`Damaged`."""
    if len(data) < offset + STREAM_HEADER:
        raise Damaged(CUT_OFF)
    if xor_words(data[offset : offset + CHECKSUM]) != u16(data, offset + CHECKSUM):
        raise Damaged(BAD_HEADER)
    start = offset + STREAM_HEADER
    return Stream(data[offset : offset + 4], start, start + u64(data, offset + LENGTH))
