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
    "XPRESS_HUFFMAN",
    "find_frames",
    "frame_length",
    "held",
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
SHORT_LENGTH = 0x02  # u16: of a filler 0x24, which has nothing but zeros behind it (proven, seen)
LONG_LENGTH = 0x20  # u32: of a filler 0x2C (proven)
FILLER_ZEROS = {0x24: [1, *range(4, 24)], 0x2C: list(range(1, 24))}  # bytes that are zero (seen in all)

# A filler 0x2C, which a set ends with, lists some frames, the last one among them (proven in 6 sets, all of 2019):
INDEX_HEAD = (0x18, 0x28)  # from, up to; once more in the last bytes of the filler
INDEX_COUNT = 0x04  # in the head, u32: entries
INDEX_CHECKSUM = 0x0C  # in the head, u32: of the entries, as that of a frame
INDEX_ENTRY = 16  # bytes of an entry, u64 its place as unpacked, u64 its place in the file; zeros follow the last

_LANE = 128
"""Bytes after which the turns of the checksum come round: 32 words, each turned by one bit more."""


def frame_length(data: bytes, offset: int) -> int | None:
    """Bytes of the frame at an offset, its header included; None where there is none."""
    if len(data) < offset + 4 or data[offset] != XPRESS_HUFFMAN or not data[offset + UNPACKED_SECTORS]:
        return None
    packed = u16(data, offset + PACKED_SIZE)
    return FRAME_HEADER + packed if packed > xpress_huffman.TABLE else None


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
    whole = held(data, offset)
    packed = data[offset + FRAME_HEADER : offset + length]
    if size is None:
        return xpress_huffman.unpack_whole(packed, whole)
    return xpress_huffman.unpack(packed, min(size, whole))


def held(data: bytes, offset: int) -> int:
    """Bytes that the frame at an offset, which must be there, tells that it holds. No checksum covers that."""
    return data[offset + UNPACKED_SECTORS] * 512


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
    if len(data) < at + FILLER_HEADER or any(data[at + zero] for zero in FILLER_ZEROS[data[at]]):
        return False
    if data[at] == FILLERS[0]:
        return at + FILLER_HEADER + u16(data, at + SHORT_LENGTH) == len(data) and not any(data[at + FILLER_HEADER :])
    if len(data) < at + LONG_LENGTH + 4 or at + FILLER_HEADER + u32(data, at + LONG_LENGTH) != len(data):
        return False
    return _is_sound_index(data[at:])


def _is_sound_index(filler: bytes) -> bool:
    """Whether the list in a filler is what was written. No flipped bit can break both copies of its head and the
    checksum: where all of them are wrong it has another form, which is not judged.
    """
    start, end = INDEX_HEAD
    head, tail = filler[start:end], filler[max(end, len(filler) - (end - start)) :]
    listed = filler[end : len(filler) - len(tail)]
    right = [copy for copy in (head, tail) if len(copy) == end - start and _is_list(listed, copy)]
    if head != tail and not right:
        return True
    return head == tail and bool(right) and not any(listed[INDEX_ENTRY * u32(head, INDEX_COUNT) :])


def _is_list(listed: bytes, head: bytes) -> bool:
    length = INDEX_ENTRY * u32(head, INDEX_COUNT)
    return 0 < length <= len(listed) and checksum(listed[:length]) == u32(head, INDEX_CHECKSUM)
