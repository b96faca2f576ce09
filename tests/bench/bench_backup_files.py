"""How fast backup files are read without a server, from the cache of the operating system, on one core.

Synthetic files of each kind. Processor time counts, not the clock: other programs must not change the figures. Prints
JSON, or returns it to run.py: ``{"backup_files": {"plain_files_per_second", "compressed_files_per_second",
"deep_compressed_mb_per_second", "deep_plain_mb_per_second", "deep_peak_mb", "pwsh_compressed_mb_per_second",
"pwsh_plain_mb_per_second", "over_winrm": {"files", "requests", "files_seconds", "server_seconds"}}}``; deep_peak_mb is
by how much the peak of the memory grows from a file of 8 MB to one of 64 MB that is checked as a whole; pwsh: by the
verb that a Windows host runs. over_winrm: headers of a folder read over WinRM, and by RESTORE HEADERONLY of each file,
with what the twins of Windows and SQL Server spend for it.
"""

from __future__ import annotations

import functools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "build" / "collections"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from ansible_collections.prs.recovery.plugins.module_utils._backup_files.control_node import examine_files
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import read_backup_file
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.deep_check import check_content, parts
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.conversation import Conversation
from ansible_collections.prs.recovery.plugins.module_utils._winrm.verbs import check_content as check_content_verb
from backup_file_builder import BackupSet, build, page
from bench_verbs import Pipe
from prs_lab.sqlserver.storage.tape import writer

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5
FILES = 200
PARTS_OF_A_LARGE_FILE = 6
"""Times that a file is judged in one call, which costs a while of its own."""
LARGE_FOLDER = "tests/integration/sql/test_large_folder.py"
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


def in_powershell(**files: bytes) -> dict[str, int]:
    """MB that the verb judges in a second of processor time; none where there is no pwsh."""
    if not shutil.which("pwsh"):
        return {}
    figures, pipe = {}, Pipe(compiles_again=True)
    conversation = Conversation(pipe)
    conversation.start()
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = Path(folder, name)
            path.write_bytes(data)
            file = read_backup_file(lambda offset, length, data=data: data[offset : offset + length], len(data))
            item = {"path": str(path), "packed": file.packed, "parts": parts(file, len(data)), "marks": file.marks}
            seconds = []
            for _round in range(3):
                begin = pipe.cpu()
                answers = conversation.call(
                    check_content_verb.SCRIPT, parameters={"MostFlaws": 1}, items=[item] * PARTS_OF_A_LARGE_FILE
                )
                seconds.append(pipe.cpu() - begin)
                assert not any(answer["flaws"] for answer in answers)
            figures[f"pwsh_{name}_mb_per_second"] = round(PARTS_OF_A_LARGE_FILE * len(data) / 1e6 / min(seconds))
    pipe.close()
    return figures


def over_winrm() -> dict[str, float]:
    """What a test of the laboratory records that compares both ways to read 5,000 headers."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", "-q", "-m", "nightly", f"--junitxml={report}", LARGE_FOLDER]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests" / "lab")}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        properties = ElementTree.parse(report).iter("property")
        return {entry.attrib["name"]: float(entry.attrib["value"]) for entry in properties}


def run() -> dict[str, object]:
    pages = written_pages(1000)
    plain = build([BackupSet(pages=pages)])
    packed = packed_file()
    with tempfile.TemporaryDirectory() as folder:
        figures = {
            "plain_files_per_second": round(files_per_second(Path(folder), packed=False)),
            "compressed_files_per_second": round(files_per_second(Path(folder), packed=True)),
        }
    return {
        "backup_files": {
            **figures,
            "deep_compressed_mb_per_second": round(megabytes_per_second(packed)),
            "deep_plain_mb_per_second": round(megabytes_per_second(plain)),
            "deep_peak_mb": round((peak(build([BackupSet(pages=pages * 8)])) - peak(plain)) / 1e6, 1),
            **in_powershell(plain=build([BackupSet(pages=pages * 4)]), compressed=packed),
            "over_winrm": over_winrm(),
        }
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
