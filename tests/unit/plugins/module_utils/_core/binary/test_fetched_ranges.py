"""A reader that is given parts of a file, and says which it needs besides."""

from __future__ import annotations

import random

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import (
    BackupFile,
    read_backup_file,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.fetched_ranges import (
    FetchedRanges,
    RangeMissing,
)
from backup_file_builder import build, chain, page

LOG = bytes(byte for byte in random.Random(2).randbytes(4000) for _time in range(6))


def rounds(data: bytes, head: int, tail: int) -> tuple[BackupFile, int]:
    """What was read, and how often something was fetched."""
    fetched = FetchedRanges(len(data))
    fetched.add(0, data[:head])
    fetched.add(-tail, data[-tail:])
    for number in range(1, 100):
        try:
            return read_backup_file(fetched.read, len(data), head=head, tail=tail), number
        except RangeMissing as missing:
            for offset, length in missing.ranges:
                fetched.add(offset, data[offset : offset + length])
    raise AssertionError("it asks for ever")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("head", "tail"), [(8192, 9728), (1024, 1024), (1 << 20, 1 << 20)])
def test_the_result_is_that_of_the_whole_file(packed: bool, head: int, tail: int):
    data = build(chain(4, pages=page(1) * 3, log=LOG), packed=packed)
    expected = read_backup_file(lambda offset, length: data[offset : offset + length], len(data))
    assert rounds(data, head, tail)[0] == expected


def test_one_set_needs_one_round():
    assert rounds(build(chain(0, log=LOG)), 8192, 9728)[1] == 1


@pytest.mark.parametrize("packed", [False, True])
def test_many_sets_need_hardly_more_rounds_than_two(packed: bool):
    """BACKUP appends by default: a day's logs lie in one file. A filemark of 512 bytes lists those of 27 sets before it."""
    two, many = (rounds(build(chain(count - 1, log=LOG), packed=packed), 8192, 9728) for count in (2, 96))
    assert len(many[0].sets) == 96 and all(stored.complete for stored in many[0].sets)
    assert (two[1], many[1]) == (3, 7)


def test_ends_of_short_files_and_what_lies_behind_the_end():
    fetched = FetchedRanges(10)
    fetched.add(-100, b"0123456789")
    assert fetched.read(3, 100) == b"3456789" and fetched.read(20, 5) == b""
    with pytest.raises(RangeMissing) as caught:
        FetchedRanges(10).read(3, 100)
    assert caught.value.ranges == [(3, 7)]
