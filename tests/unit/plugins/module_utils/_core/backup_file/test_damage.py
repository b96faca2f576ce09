"""Damage: cut anywhere, bytes appended, one bit flipped, garbage. Nothing crashes, and little goes unnoticed."""

from __future__ import annotations

import random
from datetime import datetime, timezone
from itertools import pairwise
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._backup_files.plan import PlanRequest, plan_report
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import assemble
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import read_backup_file
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.deep_check import check_content, parts
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import FileFormatError
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.packed_frames import (
    FIRST_FRAME,
    FRAME_HEADER,
    frame_length,
    is_sound,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.reading import ExaminedFile, file_reading
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.target import parse_target
from ansible_collections.prs.recovery.plugins.module_utils._winrm.backup_files import examine
from backup_file_builder import LOG_FILE, BackupSet, DatabaseFile, build, chain, numbered_guid, page
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PAGES = b"".join(page(n, content=bytes((n * 31 + i * 17) % 253 for i in range(3000))) for n in range(4))
FILES = {
    "plain": build(chain(2, pages=PAGES, log=bytes(2048))),
    "packed": build(chain(2, pages=PAGES, log=bytes(2048)), packed=True),
    "plain 4096": build([BackupSet(pages=PAGES)], filemark_size=4096),
    "packed 4096": build([BackupSet(pages=PAGES)], filemark_size=4096, packed=True),
    "2019": build([BackupSet(version=(15, 0, 2000), provisional=(1, 2, 3), pages=PAGES)]),
}
NOW = datetime(2026, 3, 2, tzinfo=timezone.utc)
HAULS = [pytest.param(100, id="quick"), pytest.param(2500, id="long", marks=pytest.mark.nightly)]
"""How many places are tried."""


def view(data: bytes) -> tuple[Any, bool]:
    """All that is shown, and whether something was noticed."""
    try:
        file = read_backup_file(lambda offset, length: data[offset : offset + length], len(data))
    except FileFormatError as problem:
        return str(problem), True
    shown = (file.media.label, [(stored.header, stored.files, stored.password) for stored in file.sets])
    return shown, bool(file.problems or any(stored.problems or not stored.complete for stored in file.sets))


GOOD = {name: view(data) for name, data in FILES.items()}


def test_the_files_are_good():
    assert not any(noticed for _shown, noticed in GOOD.values())


@pytest.mark.parametrize("count", HAULS)
@pytest.mark.parametrize("name", FILES)
def test_a_cut_is_always_noticed(name: str, count: int):
    data, choice = FILES[name], random.Random(7)
    places = {choice.randrange(len(data)) for _trial in range(count)} | set(range(len(data) - 60, len(data)))
    assert [place for place in places if not view(data[:place])[1]] == []


@pytest.mark.parametrize("name", FILES)
def test_appended_bytes_are_always_noticed(name: str):
    data, choice = FILES[name], random.Random(8)
    tails = [choice.randbytes(choice.choice((1, 2, 511, 512, 4096, 40_000))) for _trial in range(20)]
    tails += [bytes(512), data[:1024], data[-512:], data[-4096:], data]
    assert [len(tail) for tail in tails if not view(data + tail)[1]] == []


def judged(data: bytes, **windows: int) -> tuple[bool, list[str], list[tuple[int, bool]]]:
    file = read_backup_file(lambda offset, length: data[offset : offset + length], len(data), **windows)
    return file.ends, file.problems, [(stored.position, stored.complete) for stored in file.sets]


REMOTE = {"head": examine.HEAD, "tail": examine.TAIL, "look_back": examine.LOOK_BACK}


@pytest.mark.parametrize("packed", [False, True])
def test_a_cut_or_bytes_behind_are_judged_the_same_however_much_is_read_at_a_time(packed: bool):
    """Between the ends that a control node reads and those that are fetched over WinRM, and before and behind both."""
    whole = build(chain(2, log=bytes(random.Random(4).choices(range(30), k=100_000))), packed=packed)
    file = read_backup_file(lambda offset, length: whole[offset : offset + length], len(whole))
    second_ends = file.marks[4] + 512
    for behind in (1, 3, 4, 60, 511, 512, 5000, 9000, 12_000, 20_000, 40_000, 63_000, 80_000):
        cut, added = whole[: second_ends + behind], whole[:second_ends] + b"\x07" * behind
        assert judged(cut) == judged(cut, **REMOTE), behind
        assert judged(added) == judged(added, **REMOTE), behind
        ends, problems, sets = judged(cut)
        assert not ends and sets == [(1, True), (2, True), (3, False)] and "it was cut off" in problems[0], behind
        ends, problems, sets = judged(added)
        assert (
            ends
            and sets == [(1, True), (2, True)]
            and problems == [f"{behind} bytes follow its end, which do not belong to it"]
        )


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("length", [4, 8, 51, 60, 400, 479, 600, 800, 1023])
def test_what_ends_within_the_head_of_the_media_was_cut_off(name: str, length: int):
    """Whoever reads it, and nothing that begins otherwise."""
    data = FILES[name][:length]
    begins = "not_a_backup" if name.startswith("packed") and length < 8 else "cut_off"
    for start, state in ((data, begins), (b"X" + data[1:], "not_a_backup")):
        item = ExaminedFile(path="x", size=length)
        try:
            item.file = read_backup_file(lambda offset, size, start=start: start[offset : offset + size], length)
        except FileFormatError as problem:
            item.refuse(problem)
        assert item.state == state


def flips(name: str, count: int, *, seed: int) -> list[tuple[int, bool, bool]]:
    """(place, whether something shown changed, whether it was noticed) of single bits flipped outside of the pages."""
    data, choice, results = FILES[name], random.Random(seed), []
    pages = [data.find(PAGES, at) for at in range(len(data)) if data.startswith(PAGES[:64], at)]
    headers = [place for place in range(len(data)) if not any(at <= place < at + len(PAGES) for at in pages)]
    for _trial in range(count):
        place, bit = choice.choice(headers), choice.randrange(8)
        flipped = bytearray(data)
        flipped[place] ^= 1 << bit
        shown, noticed = view(bytes(flipped))
        results.append((place, shown != GOOD[name][0], noticed))
    return results


@pytest.mark.parametrize("name", ["packed", "packed 4096"])
@pytest.mark.parametrize("count", HAULS)
def test_a_flipped_bit_in_packed_headers_never_changes_what_is_shown_in_silence(name: str, count: int):
    assert [place for place, changed, noticed in flips(name, count, seed=9) if changed and not noticed] == []


def test_a_flipped_bit_in_a_packed_frame_is_always_noticed():
    """In the frames that are read: of the head of the media, and of the start, the end and behind the end of a set."""
    data = FILES["packed 4096"]
    frames = [at for at in range(len(data)) if data[at] == 0x21 and frame_length(data, at) and is_sound(data, at)]
    kinds = [frames[0], frames[1], frames[-2], frames[-1]]
    for at in kinds:
        for place in range(at + FRAME_HEADER, at + (frame_length(data, at) or 0), 11):
            flipped = bytearray(data)
            flipped[place] ^= 4
            assert view(bytes(flipped))[1], f"byte {place} of the frame at {at}"


@pytest.mark.parametrize("name", ["plain", "plain 4096", "2019"])
@pytest.mark.parametrize("count", HAULS)
def test_a_flipped_bit_in_plain_headers_changes_little_in_silence(name: str, count: int):
    """At most 3 of 100 change a shown value and are not noticed: texts and GUIDs that stand there once."""
    results = flips(name, 6 * count, seed=10)
    silent = [place for place, changed, noticed in results if changed and not noticed]
    assert len(silent) <= 0.03 * len(results)
    assert sum(noticed for _place, _changed, noticed in results) > len(silent)


@pytest.mark.parametrize("name", ["packed", "packed 4096"])
def test_a_frame_that_tells_another_size_is_noticed(name: str):
    """How much a frame holds is no part of what its checksum covers. Frames of data are not unpacked, and not asked here."""
    data = FILES[name]
    file = read_backup_file(lambda offset, length: data[offset : offset + length], len(data))
    asked = [0x1E0]
    for number, mark in enumerate(file.marks[:-1]):
        at, frames = mark + file.media.filemark, list[int]()
        while length := frame_length(data, at):
            frames.append(at)
            at += length
        asked += frames if number % 2 else [frames[0], frames[-1]]
    for at in asked:
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at + 1] ^= 1 << bit
            assert view(bytes(flipped))[1], f"{flipped[at + 1]} sectors in the frame at {at}"


SMALL = build([BackupSet(pages=page(1), files=(DatabaseFile(),))], packed=True)


def frame_heads(data: bytes) -> list[int]:
    """Where the frames of a file begin. Behind 4 bytes of each lie 20 of what was in the writer's memory."""
    file, heads = read_backup_file(lambda offset, length: data[offset : offset + length], len(data)), []
    for at, _end, _length in parts(file, len(data)):
        while length := frame_length(data, at):
            heads.append(at)
            at += length
    return heads


def is_noticed(data: bytes) -> bool:
    """By a check of the whole file."""

    def read(offset: int, length: int) -> bytes:
        return data[offset : offset + length]

    try:
        file = read_backup_file(read, len(data))
    except FileFormatError:
        return True
    wrong = file.problems or any(stored.problems or not stored.complete for stored in file.sets)
    return bool(wrong or check_content(read, len(data), file).flaws)


@pytest.mark.parametrize("every", [pytest.param(31, id="quick"), pytest.param(1, id="long", marks=pytest.mark.nightly)])
def test_every_bit_of_a_packed_file_counts(every: int):
    """Of those that were written: each one of the heads of frames, which no checksum covers, and each 31st of others."""
    assert not is_noticed(SMALL)
    heads, silent = frame_heads(SMALL), []
    unwritten = {8 + at for at in range(FIRST_FRAME - 8)} | {head + at for head in heads for at in range(4, 24)}
    uncovered = {head + at for head in heads for at in range(4)}
    for place in sorted(set(range(len(SMALL))) - unwritten):
        for bit in range(8):
            if place not in uncovered and (8 * place + bit) % every:
                continue
            flipped = bytearray(SMALL)
            flipped[place] ^= 1 << bit
            if not is_noticed(bytes(flipped)):
                silent.append((place, bit))
    assert silent == []


CHAIN = [
    build([made], media=numbered_guid(0xE0 + number))
    for number, made in enumerate(chain(3, pages=page(1), log=bytes(512)))
]
TARGETS = ("latest", "2026-03-01T01:01:30Z", "2026-03-01T01:02:30Z")


def planned(files: list[bytes], target: str) -> list[int]:
    """The files that a restore would take, in its order; none where it is refused."""
    examined = []
    for number, data in enumerate(files):
        item = ExaminedFile(path=str(number), size=len(data))
        try:
            item.file = read_backup_file(lambda offset, length, data=data: data[offset : offset + length], len(data))
        except FileFormatError as problem:
            item.reason = str(problem)
        examined.append(item)
    catalog = assemble([file_reading(item) for item in examined])
    report = plan_report(catalog, PlanRequest(target=parse_target(target)), now=NOW)
    return [int(device) for step in (report["plan"] or {"steps": []})["steps"] for device in step["devices"]]


def broken_rule(order: list[int]) -> str:
    """What SQL Server would refuse of that, by what the files held before they were damaged: the numbers of the chain."""
    if order and order[0] != 0:
        return "it begins with a log"
    return next((f"log {later} on {earlier}" for earlier, later in pairwise(order) if later != earlier + 1), "")


@pytest.mark.parametrize(
    "count", [pytest.param(60, id="quick"), pytest.param(3000, id="long", marks=pytest.mark.nightly)]
)
def test_no_flipped_bit_in_plain_headers_leads_to_a_plan_that_breaks_a_rule(count: int):
    """Least of all one that nobody notices."""
    assert [planned(CHAIN, target) for target in TARGETS] == [[0, 1, 2, 3], [0, 1, 2], [0, 1, 2, 3]]
    choice, plans = random.Random(11), 0
    last_lsn = range(CHAIN[0].rindex(b"SCIN") + 0x2A, CHAIN[0].rindex(b"SCIN") + 0x34)
    flips = [(0, place, bit) for place in last_lsn for bit in range(8)]
    for _trial in range(count):
        damaged = choice.randrange(len(CHAIN))
        pages = CHAIN[0].find(page(1)) if damaged == 0 else len(CHAIN[damaged])
        places = [at for at in range(len(CHAIN[damaged])) if not pages <= at < pages + 8192]
        flips.append((damaged, choice.choice(places), choice.randrange(8)))
    for damaged, place, bit in flips:
        data = bytearray(CHAIN[damaged])
        data[place] ^= 1 << bit
        files = [bytes(data) if number == damaged else whole for number, whole in enumerate(CHAIN)]
        for target in TARGETS:
            order = planned(files, target)
            assert not broken_rule(order), f"{target}, bit {bit} of byte {place} of file {damaged}: {order}"
            plans += bool(order)
    assert plans > count


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(
    st.sampled_from(sorted(FILES)),
    st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=40)), max_size=6),
    st.integers(0, 2000),
)
def test_garbage_in_any_place_ends_in_an_answer(name: str, changes: list[tuple[int, bytes]], cut: int):
    data = bytearray(FILES[name])
    for place, garbage in changes:
        place %= len(data)
        data[place : place + len(garbage)] = garbage
    view(bytes(data[: len(data) - cut]))


@settings(max_examples=120, deadline=None)
@given(st.sampled_from([b"TAPE", b"MSSQLBAK", b""]), st.binary(max_size=3000))
def test_garbage_behind_a_signature_is_refused(signature: bytes, garbage: bytes):
    assert view(signature + garbage)[1]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 3), st.booleans())
def test_any_number_of_files_and_stripes(files: int, stripes: int, packed: bool):
    many = [DatabaseFile(logical_name=f"f{n}", file_id=n + 3, unique_id=numbered_guid(n)) for n in range(files)]
    data = build([BackupSet(files=(DatabaseFile(), LOG_FILE, *many))], stripes=stripes, stripe=stripes, packed=packed)
    shown, noticed = view(data)
    assert not noticed and len(shown[1][0][1]) == files + 2
