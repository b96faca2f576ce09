"""Ten minutes of damage by chance, at night: whatever is in a file, reading it ends soon, and in an answer.

Most changes are made good again in the checksums around them, so that they reach what lies behind. PRS_FUZZ_SECONDS and
PRS_FUZZ_SEED in the environment choose; a failure names the seed of its case.
"""

from __future__ import annotations

import os
import random
import resource
import struct
import time
from collections.abc import Iterator

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import assemble
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.chain_report import families
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import read_backup_file
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.deep_check import check_content
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import FileFormatError
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.reading import ExaminedFile, file_reading
from backup_file_builder import BackupSet, build, chain, frame_checksum, page
from bounded_reads import BoundedReads

SECONDS = float(os.environ.get("PRS_FUZZ_SECONDS", "600"))
LONGEST_CASE = 5.0
"""Seconds of processor time: a loop without end takes more."""
MOST_MEMORY = 100 << 10
"""KB by which the process may grow."""

PAGES = b"".join(page(number, content=bytes((number * 31 + at * 17) % 253 for at in range(900))) for number in range(3))
FILES = [
    build(sets, packed=packed, filemark_size=size)
    for packed in (False, True)
    for size in (512, 4096)
    for sets in (
        chain(2, pages=PAGES, log=bytes(2048)),
        [BackupSet(version=(15, 0, 1), provisional=(1, 2, 3), pages=PAGES)],
    )
]
BLOCKS = (b"TAPE", b"SFMB", b"SSET", b"VOLB", b"MSCI", b"MSDA", b"MSTL", b"MSLS", b"ESET")
STREAMS = (b"RAID", b"SPAD", b"APAD", b"MQCI", b"MQDA", b"MQTL", b"OTCP", b"TSMP")
EXTREME = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


def xor16(data: bytes) -> bytes:
    total = 0
    for (word,) in struct.iter_unpack("<H", data):
        total ^= word
    return struct.pack("<H", total)


def places(data: bytes, *kinds: bytes) -> Iterator[int]:
    for kind in kinds:
        at = data.find(kind)
        while at >= 0:
            yield at
            at = data.find(kind, at + 1)


def change(data: bytearray, choice: random.Random) -> None:
    """One change in a place that matters or anywhere."""
    near = list(places(bytes(data), choice.choice(BLOCKS + STREAMS)))
    at = choice.choice(near) + choice.randrange(120) if near and choice.random() < 0.8 else choice.randrange(len(data))
    size = choice.choice((1, 2, 4, 8))
    value = choice.choice(EXTREME) if choice.random() < 0.6 else choice.getrandbits(8 * size)
    data[at : at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
    what = choice.random()
    if what < 0.05:
        del data[at : at + choice.randrange(2000)]
    elif what < 0.1:
        data[at:at] = choice.randbytes(choice.randrange(2000))
    elif what < 0.15:
        start = choice.randrange(len(data) or 1)
        data[at:at] = data[start : start + choice.randrange(4000)]


def make_good(data: bytearray) -> None:
    """The checksums of blocks, streams and frames, where something still looks like one."""
    for kinds, length in ((BLOCKS, 50), (STREAMS, 20)):
        for at in places(bytes(data), *kinds):
            if at + length + 2 <= len(data):
                data[at + length : at + length + 2] = xor16(bytes(data[at : at + length]))
    at = 0x1E0
    while data[:8] == b"MSSQLBAK" and 0 <= at + 28 < len(data):
        end = at + 28 + int.from_bytes(data[at + 2 : at + 4], "little")
        if data[at] == 0x21 and end <= len(data):
            data[at + 24 : at + 28] = struct.pack("<I", frame_checksum(bytes(data[at + 28 : end])))
            at = end
        else:
            at = data.find(b"\x21", at + 1)
            if at < 0:
                break


def read_all(data: bytes) -> None:
    """What backup_file_info does with it. Raises nothing, whatever is in it."""
    read = BoundedReads(20_000).of(data)
    examined = ExaminedFile(path="fuzzed", size=len(data))
    try:
        examined.file = read_backup_file(read, len(data))
        examined.deep = check_content(read, len(data), examined.file)
        assert 0 <= examined.deep.judged <= len(data)
    except FileFormatError as problem:
        examined.reason = str(problem)
    examined.to_dict()
    for family in families(assemble([file_reading(examined)]).sets):
        assert family


def run(seconds: float, seed: int) -> int:
    """How many cases there were. seconds: of processor time."""
    begin, cases = time.process_time(), 0
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while time.process_time() - begin < seconds:
        case = seed + cases
        choice = random.Random(case)
        data = bytearray(choice.choice(FILES))
        for _change in range(choice.choice((1, 1, 1, 2, 3, 8))):
            change(data, choice)
        if choice.random() < 0.8:
            make_good(data)
        started = time.process_time()
        try:
            read_all(bytes(data))
        except Exception as problem:
            raise AssertionError(f"PRS_FUZZ_SEED={case}") from problem
        assert time.process_time() - started < LONGEST_CASE, f"PRS_FUZZ_SEED={case}"
        cases += 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < MOST_MEMORY
    return cases


def test_files_are_whole_before_they_are_damaged():
    for data in FILES:
        good = bytearray(data)
        make_good(good)
        assert good == data
        read_all(data)


@pytest.mark.parametrize(
    "seconds", [pytest.param(2, id="quick"), pytest.param(SECONDS, id="long", marks=pytest.mark.nightly)]
)
def test_whatever_is_in_a_file_reading_it_ends_in_an_answer(seconds: float, capsys: pytest.CaptureFixture[str]):
    seed = int(os.environ.get("PRS_FUZZ_SEED", "0")) or (
        1 if seconds < SECONDS else random.SystemRandom().getrandbits(32)
    )
    cases = run(seconds, seed)
    with capsys.disabled():
        print(f"\n{cases} cases from seed {seed} in {seconds:.0f} s")
    assert cases > 10 * seconds
