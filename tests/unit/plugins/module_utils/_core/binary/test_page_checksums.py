"""The checksum of a page: one way to reckon it against another, and against a reckoning word by word."""

from __future__ import annotations

import random
import struct

from ansible_collections.prs.recovery.plugins.module_utils._core.binary.page_checksums import (
    PAGE,
    SECTOR,
    block_error,
    page_checksum,
    page_error,
    page_errors,
)


def word_by_word(data: bytes, field: int) -> int:
    """As the facts say it, without a shortcut."""
    result, last = 0, len(data) // SECTOR - 1
    for sector in range(last + 1):
        total = 0
        for at, word in zip(
            range(0, SECTOR, 4), struct.unpack("<128I", data[sector * SECTOR : (sector + 1) * SECTOR]), strict=True
        ):
            total ^= 0 if sector * SECTOR + at == field else word
        turns = (last - sector) % 32
        result ^= (total << turns | total >> 32 - turns) & 0xFFFFFFFF
    return result


PAGES = random.Random(3).randbytes(70 * PAGE)


def test_the_sum_of_a_page_is_the_sum_of_its_words() -> None:
    for start in range(0, 5 * PAGE, PAGE):
        page = PAGES[start : start + PAGE]
        assert page_checksum(page) == word_by_word(page, 0x3C)


def test_many_pages_at_once_give_what_each_gives_alone() -> None:
    assert list(page_errors(PAGES)) == [page_error(PAGES[at : at + PAGE]) for at in range(0, len(PAGES), PAGE)]


def test_equal_flaws_in_two_pages_do_not_cancel() -> None:
    page = bytearray(PAGE)
    page[100] = 1
    assert all(page_errors(bytes(page) * 64))


def test_a_block_of_a_log_of_any_length() -> None:
    for sectors in (1, 2, 16, 33, 120):
        block = PAGES[: sectors * SECTOR]
        stored = int.from_bytes(block[0x18:0x1C], "little")
        assert block_error(block) ^ stored == word_by_word(block, 0x18)
