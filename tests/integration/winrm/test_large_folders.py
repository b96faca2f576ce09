"""Long hauls: many files, and an archive that needs Zip64. What they took is printed (pytest -s)."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import time
from pathlib import Path

import pytest

from .windows_twins import APPLICATION, LOCAL, Twins
from .wire import Wire

pytestmark = pytest.mark.nightly

MANY = 70_000
ONE_GB = 1 << 30
FOUR_GB = 4 << 30


def fingerprint(folder: Path) -> str:
    """Of all names and contents below a folder."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def there_and_back(twins: Twins, wire: Wire, what: str) -> None:
    """Archive, read back, lose the folder, restore, and prove by another reader that everything is what it was."""
    folder = twins.files.real_folder(APPLICATION)
    before, begin = fingerprint(folder), time.monotonic()
    archive = twins.backup()["archive"]
    archived, sent = time.monotonic() - begin, wire.bytes
    shutil.rmtree(folder)
    begin = time.monotonic()
    assert twins.restore()["restored"]
    restored = time.monotonic() - begin
    assert fingerprint(folder) == before
    print(
        f"\n{what}: {archive['files']} files, {archive['content_bytes'] / 1e6:.0f} MB in an archive of "
        f"{archive['bytes'] / 1e6:.0f} MB; "
        f"backup {archived:.0f} s with {sent / 1e6:.1f} MB over WinRM, restore {restored:.0f} s with "
        f"{(wire.bytes - sent) / 1e6:.1f} MB"
    )


def test_many_small_files(twins: Twins, wire: Wire) -> None:
    folder = twins.files.real_folder(APPLICATION)
    chance = random.Random(7)
    for number in range(MANY):
        path = folder / "Content" / f"{number % 300:03}" / f"file {number} ü.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chance.randbytes(chance.randrange(900)))
    there_and_back(twins, wire, "many small files")
    assert wire.bytes < 50_000_000


def test_an_archive_past_4_gb(twins: Twins, wire: Wire) -> None:
    """Five names of one gigabyte that cannot be compressed, so that offsets need 64 bits, and one file whose own size
    does.
    """
    for volume in twins.web.drives.volumes.values():
        volume.capacity = 64 << 30
    folder = twins.files.real_folder(APPLICATION)
    first = folder / "large 0.dat"
    block = random.Random(7).randbytes(1 << 20)  # longer than the window in which deflate looks for what it has seen
    with first.open("wb") as file:
        for _ in range(ONE_GB >> 20):
            file.write(block)
    for number in range(1, 5):
        os.link(first, folder / f"large {number}.dat")
    with (folder / "sparse.dat").open("wb") as file:
        file.truncate(FOUR_GB + 1)
    there_and_back(twins, wire, "past 4 GB")
    [archive] = [name for name in twins.names(LOCAL) if name.endswith(".zip")]
    assert twins.files.stat(f"{LOCAL}\\{archive}").size > FOUR_GB
    assert wire.bytes < 1_000_000
