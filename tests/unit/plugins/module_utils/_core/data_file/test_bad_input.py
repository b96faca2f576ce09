"""Files that lie, or hold what is not understood: told by name with a reason, and no count is believed before memory
is taken. What is empty, cut, grown, zeros, garbage or a web page is tried in test_database_file.py.
"""

from __future__ import annotations

import json
import random
import struct
import time
import tracemalloc
from dataclasses import replace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.database_file import (
    DatabaseFile,
    Fault,
    inspect_file,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.judgement import (
    FILE_KINDS,
    Attach,
    LogFit,
    judge_files,
)
from database_files import PAGE, SECTOR, Database, data_file, log_file, protect

DATA, LOG = data_file(Database()), log_file(Database())


def inspect(data: bytes, *, pages: bool = False) -> DatabaseFile:
    return inspect_file(lambda offset, length: data[offset : offset + length], len(data), pages=pages)


def faults(data: bytes) -> set[Fault]:
    return {fault for fault, _sentence in inspect(data, pages=True).faults}


def replaced(data: bytes, offset: int, value: bytes) -> bytes:
    return data[:offset] + value + data[offset + len(value) :]


def test_an_encrypted_database_is_told_as_such() -> None:
    """What is behind the headers of its pages is noise, and their checksums are right."""
    noise, hidden = random.Random(3), DATA
    for number in range(16, len(DATA) // PAGE):
        data = bytearray(DATA[number * PAGE : (number + 1) * PAGE])
        data[96:] = noise.randbytes(PAGE - 96)
        hidden = replaced(hidden, number * PAGE, protect(data))
    file = inspect(hidden, pages=True)
    assert {fault for fault, _sentence in file.faults} == {Fault.SYSTEM_TABLES}
    assert "may be encrypted (TDE)" in file.faults[0][1] and file.boot and file.boot.name == "PasswordResetServer"
    damaged = inspect(replaced(DATA, 16 * PAGE + 96, noise.randbytes(4000)))
    assert "encrypted" not in str(damaged.faults)


@pytest.mark.parametrize("offset", [0, 3], ids=["a little", "by far"])
def test_a_size_that_lies_takes_no_memory(offset: int) -> None:
    header = bytearray(DATA[:PAGE])
    at = header.index(struct.pack("<I", len(DATA) // PAGE), 96)
    header[at + offset] = 0xFF
    lying = replaced(DATA, 0, protect(header))
    tracemalloc.start()
    found = faults(lying)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == {Fault.CUT_OFF} and peak < 10 << 20


@pytest.mark.parametrize("size", [0, 1, SECTOR, 1 << 62, (1 << 64) - PAGE])
def test_parts_of_a_log_that_lie_about_their_size_or_run_back_end_it(size: int) -> None:
    lying = replaced(LOG, PAGE + 16, struct.pack("<Q", size))
    assert Fault.LOG_CHAIN in faults(lying)
    back = replaced(LOG, PAGE + 24, struct.pack("<Q", 0))  # its own offset: it says that it is another part
    assert faults(back) & {Fault.LOG_CHAIN, Fault.HEADER, Fault.NOT_SQL_SERVER}


def test_pages_of_another_size_are_no_file_of_ours() -> None:
    """4 KB, as other products write: what should be page 1 is in the middle of nowhere."""
    small = b"".join(DATA[start : start + PAGE // 2] for start in range(0, len(DATA), PAGE))
    assert faults(small) and not inspect(small).tables


@pytest.mark.parametrize("raw", [b"\x00\xd8" * 40, b"\xff" * 81, b"\x00" * 80])
def test_names_that_are_no_text_are_shown_all_the_same(raw: bytes) -> None:
    """A lone half of a character, an odd number of bytes, zeros: told, and JSON takes it."""
    boot = bytearray(DATA[9 * PAGE : 10 * PAGE])
    boot[148 : 148 + len(raw)] = raw
    file = inspect(replaced(DATA, 9 * PAGE, protect(boot)))
    assert file.boot and isinstance(file.boot.name, str)
    json.dumps(file.boot.name).encode("utf-8")


@pytest.mark.parametrize("kind", [2, 4])
def test_containers_of_filestream_and_memory_optimised_tables_are_named(kind: int) -> None:
    """They are folders beside the files, and nothing attaches without them."""
    files = (*Database().files, (65537, kind, "Container", "D:\\Data\\Container"))
    database = Database(files=files)
    [found] = judge_files({"mdf": inspect(data_file(database)), "ldf": inspect(log_file(database))})
    assert found.attach is Attach.INCOMPLETE
    assert found.missing == ((FILE_KINDS[kind], "Container", "D:\\Data\\Container"),)


def test_ten_thousand_files_are_judged_in_no_time() -> None:
    """Copies of one database, each with the log of its moment."""
    data, log, files = inspect(DATA), inspect(LOG), {}
    for number in range(5_000):
        for ending, file in (("mdf", data), ("ldf", log)):
            assert file.boot
            boot = replace(file.boot, checkpoint=(0x22, number, 1))
            files[f"{number}.{ending}"] = replace(file, boot=boot)
    start = time.process_time()
    found = judge_files(files)
    assert time.process_time() - start < 5 and len(found) == 5_000
    assert {(database.log_fit, len(database.names)) for database in found} == {(LogFit.SAME, 2)}
