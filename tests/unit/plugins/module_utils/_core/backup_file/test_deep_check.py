"""Whole files judged by the checksums in them: what is damaged, where, and how much could be judged at all."""

from __future__ import annotations

import dataclasses
import random

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import read_backup_file
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.deep_check import DeepCheck, check_content
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.packed_frames import (
    FIRST_FRAME,
    FRAME_HEADER,
    frame_length,
    is_sound,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.page_checksums import PAGE, judge_pages
from backup_file_builder import BackupSet, build, chain, page
from prs_lab.sqlserver.storage.tape.blocks import filemark

PAGES = b"".join(page(n, content=bytes((n * 31 + i * 17) % 253 for i in range(3000))) for n in range(70))


def check(data: bytes, *, headers_of: bytes | None = None) -> DeepCheck:
    """headers_of: what the headers were read of, before it was damaged."""
    good = headers_of or data
    file = read_backup_file(lambda offset, length: good[offset : offset + length], len(good))
    return check_content(lambda offset, length: data[offset : offset + length], len(data), file)


def test_plain_pages_are_judged_and_the_log_is_not():
    result = check(build([BackupSet(pages=PAGES, log=bytes(100_000))]))
    assert (result.pages, result.pages_unjudged, result.frames, result.flaws) == (70, 0, 0, [])
    assert 70 * PAGE < result.judged < 70 * PAGE + 2000 + 3 * 512
    assert result.share == pytest.approx(70 * PAGE / result.size, abs=0.01)


@pytest.mark.parametrize(("filemark_size", "share"), [(512, 0.85), (4096, 0.35)])
def test_packed_files_are_judged_but_for_fillers(filemark_size: int, share: float):
    """Of each set one frame in front of the data, nine of data, one of log, one of its end and one behind it."""
    result = check(build(chain(3, pages=PAGES, log=bytes(5000)), packed=True, filemark_size=filemark_size))
    assert result.flaws == [] and result.frames == 1 + 4 * (1 + 9 + 1 + 1 + 1)
    assert result.share > share


@pytest.mark.parametrize("protection", ["none", "zeros", "garbage"])
def test_pages_that_nothing_protects_are_counted_and_not_judged(protection: str):
    odd = {"none": page(7, protection="none"), "zeros": bytes(PAGE), "garbage": b"\xf3" * PAGE}[protection]
    result = check(build([BackupSet(pages=page(1) + odd + page(2))]))
    assert (result.pages, result.pages_unjudged, result.flaws) == (2, 1, [])


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 130])
def test_each_page_is_judged_by_itself(count: int):
    """Also where the same damage is in two pages, which would cancel if they were summed together."""
    pages = [bytearray(page(n, file_id=3)) for n in range(count)]
    bad = {0, count // 2, count - 1}
    for number in bad:
        pages[number][5000] ^= 0x10
    counts = judge_pages(b"".join(pages))
    assert counts.judged == count and counts.damaged == [(3, number) for number in sorted(bad)]


@pytest.mark.parametrize("place", [6, 59, 60, 63, 64, 511, 512, 4095, 8191])
def test_any_bit_of_a_page_counts(place: int):
    damaged = bytearray(page(5))
    damaged[place] ^= 1
    assert judge_pages(bytes(damaged)).damaged == [(1, 5)]


def test_torn_pages():
    data = bytearray(page(9, protection="none"))
    data[5], data[0x3C] = 1, 2
    for sector in range(1, 16):
        data[512 * sector + 511] = data[512 * sector + 511] & 0xFC | 2
    assert judge_pages(bytes(data)) == (1, 0, [])
    data[512 * 7 + 511] ^= 3
    assert judge_pages(bytes(data)).damaged == [(1, 9)]


def test_a_damaged_page_is_named():
    data = bytearray(build([BackupSet(pages=PAGES)]))
    data[data.index(PAGES) + 33 * PAGE + 2000] ^= 1
    result = check(bytes(data))
    assert [flaw.reason for flaw in result.flaws] == ["page 1:33 fails its checksum"]
    assert result.pages == 70 and result.judged < 70 * PAGE


@pytest.mark.parametrize("filemark_size", [512, 4096])
def test_any_bit_in_any_frame_counts(filemark_size: int):
    data, choice = build(chain(1, pages=PAGES[: 20 * PAGE]), packed=True, filemark_size=filemark_size), random.Random(3)
    at, frames = FIRST_FRAME, []
    while at < len(data):
        length = frame_length(data, at) if data[at] == 0x21 else None
        if length and is_sound(data, at):
            frames.append((at, length))
            at += length
        else:
            at += 1
    assert len(frames) > 10
    for at, length in frames:
        for place in [
            at + FRAME_HEADER,
            at + length - 1,
            *(choice.randrange(at + FRAME_HEADER, at + length) for _n in range(4)),
        ]:
            flipped = bytearray(data)
            flipped[place] ^= 1 << choice.randrange(8)
            result = check(bytes(flipped), headers_of=data)
            assert [flaw.at for flaw in result.flaws] == [at]


def test_a_broken_chain_of_frames_is_told_with_what_was_not_judged():
    data = bytearray(build([BackupSet(pages=PAGES[: 9 * PAGE])], packed=True))
    whole, second = bytes(data), FIRST_FRAME
    file = read_backup_file(lambda offset, length: whole[offset : offset + length], len(whole))
    second = file.marks[0] + 512
    data[second + 2] ^= 0x40
    [*_others, flaw] = check(bytes(data), headers_of=whole).flaws
    assert f"between byte {second} and {file.marks[1]}: what follows there was not judged" in flaw.reason


def test_a_damaged_filemark_and_block_are_told():
    whole = build([BackupSet(pages=PAGES[:PAGE])])
    file = read_backup_file(lambda offset, length: whole[offset : offset + length], len(whole))
    for place, reason in (
        (file.marks[1] + 20, f"the filemark at byte {file.marks[1]} is damaged"),
        (file.marks[1] + 0x48, f"the filemark at byte {file.marks[1]} is damaged"),
        (file.marks[1] + 511, f"the filemark at byte {file.marks[1]} is damaged"),
        (whole.index(b"MSDA") + 20, "no block where one should begin"),
        (whole.index(b"MQDA") + 8, "the header of a stream fails its checksum"),
    ):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        assert any(reason in flaw.reason for flaw in check(bytes(damaged), headers_of=whole).flaws)


def test_frames_that_hold_more_or_less_than_the_last_block_tells():
    whole = build([BackupSet(pages=PAGES[: 17 * PAGE])], packed=True)
    file = read_backup_file(lambda offset, length: whole[offset : offset + length], len(whole))
    second = file.marks[0] + 512 + (frame_length(whole, file.marks[0] + 512) or 0)
    damaged = bytearray(whole)
    damaged[second + 1] -= 1
    [flaw] = check(bytes(damaged), headers_of=whole).flaws
    held = file.sets[0].length - 512
    assert flaw.reason == (
        f"the packed frames from byte {file.marks[0] + 512} on hold {held} bytes, where the last block of the set tells "
        f"{held + 512}"
    )


@pytest.mark.parametrize("cut", [PAGE, 512])
def test_bytes_that_are_missing_in_the_middle_of_a_plain_set_are_noticed_by_its_ends(cut: int):
    whole = build([BackupSet(pages=PAGES)])
    middle = whole.index(PAGES) + 10 * PAGE
    data = whole[:middle] + whole[middle + cut :]
    mark = data.rindex(b"SFMB")
    listed = [at for at in range(512, len(data), 512) if data[at : at + 4] == b"SFMB"]
    data = data[:mark] + filemark(listed[:-1], 512)
    file = read_backup_file(lambda offset, length: data[offset : offset + length], len(data))
    [problem] = file.sets[0].problems
    assert problem == "its last block belongs to another place: bytes are missing, or too many"


def test_files_that_are_cut_off_are_judged_as_far_as_they_go():
    for packed in (False, True):
        whole = build([BackupSet(pages=PAGES)], packed=packed)
        data = whole[: len(whole) // 2]
        result = check(data)
        assert result.flaws and result.judged > len(data) // 3


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("share", [0.9, 0.5, 0.1, 0.01, 0])
def test_a_file_that_becomes_shorter_while_it_is_read_comes_to_an_end(packed: bool, share: float):
    whole = build(chain(1, pages=PAGES, log=bytes(5000)), packed=packed)
    cut = int(share * len(whole))
    file = read_backup_file(lambda offset, length: whole[offset : offset + length], len(whole))
    result = check_content(lambda offset, length: whole[:cut][offset : offset + length], len(whole), file)
    assert result.flaws and result.judged <= cut


def test_flaws_are_counted_and_not_collected_without_end():
    pages = b"".join(page(n)[:100] + b"x" + page(n)[101:] for n in range(40))
    result = check(build([BackupSet(pages=pages)]))
    assert len(result.flaws) == 20 and result.pages == 40


def damageable(data: bytes, mark: int, *, packed: bool) -> list[int]:
    """A byte of each frame, or of each page, behind a filemark."""
    if not packed:
        first = data.index(PAGES, mark)
        return [first + number * PAGE + 200 for number in range(70)]
    at, places = mark + 512, []
    while length := frame_length(data, at):
        places.append(at + FRAME_HEADER + 10)
        at += length
    return places


@pytest.mark.parametrize("packed", [False, True])
def test_much_damage_in_one_set_hides_none_of_the_next(packed: bool):
    """Or a plan would use the next."""
    first, *others = chain(2, pages=PAGES)
    whole = build([dataclasses.replace(first, pages=PAGES * 3), *others], packed=packed)
    file = read_backup_file(lambda offset, length: whole[offset : offset + length], len(whole))
    extents = [file.extent(position, len(whole)) for position in (1, 2, 3)]
    damaged = bytearray(whole)
    for at in damageable(whole, extents[0][0], packed=packed)[1:25]:
        damaged[at] ^= 1
    damaged[damageable(whole, extents[1][0], packed=packed)[3]] ^= 1
    result = check(bytes(damaged), headers_of=whole)
    assert [len(result.problems(*extent)) for extent in extents] == [20, 1, 0]
    damaged[file.marks[3] + 8] ^= 1
    assert len(check(bytes(damaged), headers_of=whole).problems(*extents[1])) == 2


def test_memory_is_flat():
    """No piece that is read at a time grows with the file."""
    asked = []
    for count in (100, 400):
        for packed in (False, True):
            data = build([BackupSet(pages=PAGES * (count // 70), log=bytes(1000))], packed=packed)
            file = read_backup_file(lambda offset, length, data=data: data[offset : offset + length], len(data))
            check_content(
                lambda offset, length, data=data: asked.append(length) or data[offset : offset + length],
                len(data),
                file,
            )
    assert max(asked) <= 4 << 20
