# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames: how a backup WITH COMPRESSION holds the same blocks that an uncompressed one has.

Such a file begins with MSSQLBAK; its first frame lies at a fixed place, the others behind each filemark, one after the
other. Filemarks themselves are never packed. Behind the last frame before a filemark lies a filler.
"""

from __future__ import annotations

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file import xpress_huffman
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.values import u16, u32

__all__ = [
    "FIRST_FRAME",
    "FRAME_HEADER",
    "SIGNATURE",
    "find_frames",
    "frame_length",
    "is_last_filler",
    "is_sound",
    "unpack_frame",
]

SIGNATURE = b"MSSQLBAK"
FIRST_FRAME = 0x1E0  # where the first frame lies (proven)

FRAME_HEADER = 28  # bytes (proven)
KIND = 0x00  # u8: 0x21 (proven for Xpress Huffman; what others have is unknown)
UNPACKED_SECTORS = 0x01  # u8: unpacked size / 512 (proven)
PACKED_SIZE = 0x02  # u16: bytes behind the header (proven); what follows is memory that was never written
CHECKSUM = 0x18  # u32: of the packed bytes (proven in 1,324 frames)

XPRESS_HUFFMAN = 0x21
FILLERS = (0x24, 0x2C)
FILLER_HEADER = 24  # bytes in front of what the filler's length counts (proven)
SHORT_LENGTH = 0x02  # u16: of a filler 0x24 (proven)
LONG_LENGTH = 0x20  # u32: of a filler 0x2C (proven)
FILLER_ZEROS = (4, 24)  # from, up to: nothing but zeros (seen)

_LANE = 128
"""Bytes after which the turns of the checksum come round: 32 words, each turned by one bit more."""


def frame_length(data: bytes, offset: int) -> int | None:
    """Bytes of the frame at an offset, its header included; None where there is none."""
    if len(data) < offset + 4 or data[offset] != XPRESS_HUFFMAN or not data[offset + UNPACKED_SECTORS]:
        return None
    return FRAME_HEADER + u16(data, offset + PACKED_SIZE)


def checksum(packed: bytes) -> int:
    """Words of 32 bits, padded with zeros: each is xor-ed in after a turn by one bit to the left.

    32 turns are none, so words 32 apart are xor-ed first, half by half; zeros in front change nothing.
    """
    padded = len(packed) + 3 & ~3
    size = _LANE
    while size < padded:
        size *= 2
    folded = int.from_bytes(packed, "big") << 8 * (padded - len(packed))
    while size > _LANE:
        size //= 2
        folded = folded >> 8 * size ^ folded & (1 << 8 * size) - 1
    total = 0
    lane = folded.to_bytes(_LANE, "big")
    for at in range(0, _LANE, 4):
        total = (total << 1 & 0xFFFFFFFF | total >> 31) ^ u32(lane, at)
    return total


def is_sound(data: bytes, offset: int) -> bool:
    """Whether the frame at an offset, which must be there, is whole and passes its checksum."""
    end = offset + FRAME_HEADER + u16(data, offset + PACKED_SIZE)
    return end <= len(data) and checksum(data[offset + FRAME_HEADER : end]) == u32(data, offset + CHECKSUM)


def unpack_frame(data: bytes, offset: int, *, size: int | None = None) -> bytes:
    """What the frame at an offset holds, or the first bytes of it. Raises :class:`Damaged`."""
    length = frame_length(data, offset)
    if length is None or offset + length > len(data):
        raise Damaged("a packed frame is cut off")
    if not is_sound(data, offset):
        raise Damaged("a packed frame fails its checksum")
    whole = data[offset + UNPACKED_SECTORS] * 512
    packed = data[offset + FRAME_HEADER : offset + length]
    if size is None:
        return xpress_huffman.unpack_whole(packed, whole)
    return xpress_huffman.unpack(packed, min(size, whole))


def find_frames(data: bytes) -> dict[int, list[int]]:
    """The frames at the end of a part, which data end with: where something ends -> where frames that end there begin.

    Frames can be followed forwards only, but the filler tells its own length: a chain of them that ends there holds.
    The first key is where the filler begins. Raises :class:`Damaged` where there is none.
    """
    filler = next((at for at in range(len(data) - FILLER_HEADER - 12, -1, -1) if is_last_filler(data, at)), None)
    if filler is None:
        raise Damaged("the packed data have no end")
    ending: dict[int, list[int]] = {filler: []}
    at = data.rfind(XPRESS_HUFFMAN, 0, filler)
    while at >= 0:
        length = frame_length(data, at)
        if length is not None and at + length in ending:
            ending[at + length].append(at)
            ending[at] = []
        at = data.rfind(XPRESS_HUFFMAN, 0, at)
    return ending


def is_last_filler(data: bytes, at: int) -> bool:
    """Whether a filler lies there that ends where data end."""
    if at >= len(data) or data[at] not in FILLERS:
        return False
    start, end = FILLER_ZEROS
    if any(data[at + start : at + end]):
        return False
    length = u32(data, at + LONG_LENGTH) if data[at] == FILLERS[1] else u16(data, at + SHORT_LENGTH)
    return at + FILLER_HEADER + length == len(data)
