"""How fast backup files are read without a server, from the cache of the operating system, on one core.

Synthetic files of each kind. Processor time counts, not the clock: other programs must not change the figures. Prints
JSON, or returns it to run.py: ``{"backup_files": {"plain_files_per_second", "compressed_files_per_second",
"deep_compressed_mb_per_second", "deep_plain_mb_per_second", "deep_peak_mb"}}``; deep_peak_mb is by how much the peak of
the memory grows from a file of 8 MB to one of 64 MB that is checked as a whole.
"""

from __future__ import annotations

import functools
import json
import random
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "build" / "collections"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "tools"))

from ansible_collections.prs.recovery.plugins.module_utils._backup_files.control_node import examine_files
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import read_backup_file
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.deep_check import check_content
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from backup_file_builder import BackupSet, build, page
from prs_lab.sqlserver.storage.tape import writer

ROUNDS = 5
FILES = 200
MIXED = bytes(byte for byte in random.Random(1).randbytes(10_000) for _time in range(3))


def best(work: Callable[[], object]) -> float:
    """Seconds of processor time, of several rounds the least."""
    seconds = []
    for _round in range(ROUNDS):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    return min(seconds)


def files_per_second(folder: Path, *, packed: bool) -> float:
    data = build([BackupSet(pages=page(1) * 8, log=MIXED)], packed=packed)
    paths = []
    for number in range(FILES):
        paths.append(str(folder / f"{packed}{number}.bak"))
        Path(paths[-1]).write_bytes(data)
    return FILES / best(lambda: examine_files(paths, content=False, progress=Progress()))


def check(data: bytes) -> None:
    def read(offset: int, length: int) -> bytes:
        return data[offset : offset + length]

    result = check_content(read, len(data), read_backup_file(read, len(data)))
    assert not result.flaws and result.share > 0.9


def megabytes_per_second(data: bytes) -> float:
    return len(data) / 1e6 / best(lambda: check(data))


def written_pages(count: int) -> bytes:
    content = random.Random(2).randbytes(8000)
    return b"".join(page(number, content=content) for number in range(count))


def packed_file() -> bytes:
    """Frames as large as SQL Server's, of pages that pack to about a half; each of them is packed once."""
    chance = random.Random(3)
    contents = [bytes(byte for byte in chance.randbytes(2600) for _time in range(3)) for _page in range(64)]
    pages = b"".join(page(number, content=content) for number, content in enumerate(contents))
    writer.frame = functools.cache(writer.frame)
    return build([BackupSet(pages=pages * 60)], packed=True)


def peak(data: bytes) -> int:
    tracemalloc.start()
    check(data)
    result = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result


def run() -> dict[str, object]:
    pages = written_pages(1000)
    plain = build([BackupSet(pages=pages)])
    with tempfile.TemporaryDirectory() as folder:
        figures = {
            "plain_files_per_second": round(files_per_second(Path(folder), packed=False)),
            "compressed_files_per_second": round(files_per_second(Path(folder), packed=True)),
        }
    return {
        "backup_files": {
            **figures,
            "deep_compressed_mb_per_second": round(megabytes_per_second(packed_file())),
            "deep_plain_mb_per_second": round(megabytes_per_second(plain)),
            "deep_peak_mb": round((peak(build([BackupSet(pages=pages * 8)])) - peak(plain)) / 1e6, 1),
        }
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
