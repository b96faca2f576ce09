"""Verbs that work on ZIP archives: pack, entries, unpack. As .NET's own classes they stream, and names in an archive
have /.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import io
import itertools
import json
import os
import time
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from ..errors import WinError
from ..filesystem import FileView, Stat
from ..models import ScriptCall
from .verb_files import BLOCK, is_named_in_utf_8, open_archive, raw_name
from .verbs import DotNetError, fault, joined, moment, verb

__all__: list[str] = []

pause = time.sleep
"""Between two rounds; a test that has no time gives another one."""


@verb("pack")
def pack(
    call: ScriptCall, *, Path: str, Archive: str, ManifestName: str, ManifestHead: str, Rounds: int = 3, Pause: int = 2000, Settle: int = 32 << 20,
    Items: list[Any] | None = None,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    files = call.files
    lines: list[str] = []
    total = 0
    target = files.open(Archive, "xb")
    try:
        with target, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            todo = Items or []
            for round_number in itertools.count(1):
                again = []
                for item in todo:
                    name, path = (item, joined(Path, item)) if isinstance(item, str) else (item["name"], item["source"])
                    if name.endswith("/"):
                        archive.mkdir(name)
                        continue
                    try:
                        source = files.open(path)
                        before = files.stat(path)
                        settled = before.size <= Settle
                        content: BinaryIO = io.BytesIO(source.read()) if settled else source
                    except WinError as error:
                        if round_number < Rounds and error.number not in (2, 3):
                            again.append(item)
                        else:
                            yield {"name": name, "error": fault(error)}
                        continue
                    with source:
                        changed = settled and _changed(files, path, before, len(content.getbuffer()))  # type: ignore[attr-defined]
                        if changed and round_number < Rounds:
                            again.append(item)
                            continue
                        try:
                            packed = _pack_file(archive, name, content, before.modified)
                        except WinError as error:
                            raise _Meanwhile(error, name) from None
                        answer = {"name": name, "modified": moment(before.modified), **packed}
                        if not settled:
                            changed = _changed(files, path, before, answer["size"])
                    lines.append(json.dumps(answer))
                    yield {**answer, "changed": changed}
                    total += answer["size"]
                    call.progress({"bytes": total})
                todo = again
                if not todo:
                    break
                pause(Pause / 1000)
            head = ManifestHead.replace('"files": {count}', f'"files": {len(lines)}')
            archive.writestr(ManifestName, "".join(f"{line}\n" for line in [head, *lines]))
    except BaseException:
        files.remove(Archive)
        raise


class _Meanwhile(WinError):
    """What went wrong while a file was on its way into the archive, with the file's name."""

    def __init__(self, error: WinError, name: str) -> None:
        super().__init__(error.number, error.path)
        self._said = f"{name}: {error.dotnet}"

    @property
    def dotnet(self) -> str:
        return self._said


def _changed(files: FileView, path: str, before: Stat, count: int) -> bool:
    try:
        after = files.stat(path)
    except WinError:
        return True
    return after.modified != before.modified or after.size != count


def _pack_file(archive: zipfile.ZipFile, name: str, source: BinaryIO, modified: datetime) -> dict[str, Any]:
    entry = zipfile.ZipInfo(name, date_time=max(modified.timetuple()[:6], (1980, 1, 1, 0, 0, 0)))
    entry.compress_type = zipfile.ZIP_DEFLATED
    digest, size = hashlib.sha256(), 0
    with archive.open(entry, "w", force_zip64=True) as writer:
        while block := source.read(BLOCK):
            digest.update(block)
            size += len(block)
            writer.write(block)
    return {"size": size, "sha256": digest.hexdigest()}


@verb("entries")
def entries(call: ScriptCall, *, Archive: str, Hash: bool = False, Checksum: bool = False) -> Iterator[dict[str, Any]]:
    with call.files.open(Archive) as file, open_archive(file) as archive:
        for index, entry in enumerate(archive.infolist()):
            answer: dict[str, Any] = {
                "index": index,
                "name": entry.orig_filename if "\0" in entry.orig_filename else entry.filename,
                "size": entry.file_size,
                "packed": entry.compress_size,
                "attributes": entry.external_attr,
            }
            if Hash:
                digest, checksum, held = hashlib.sha256(), 0, 0
                if Checksum:
                    answer.update(crc=entry.CRC, method=entry.compress_type, encrypted=bool(entry.flag_bits & 1))
                try:
                    for block in _content(archive, entry):
                        digest.update(block)
                        held += len(block)
                        checksum = zlib.crc32(block, checksum) if Checksum else 0
                except DotNetError as error:
                    answer["error"] = fault(error)
                else:
                    answer["sha256"] = digest.hexdigest()
                    if held != entry.file_size:
                        answer["held"] = held
                    if Checksum:
                        answer["crc_read"] = checksum
            yield answer


@verb("entry_names")
def entry_names(call: ScriptCall, *, Archive: str) -> Iterator[dict[str, Any]]:
    with call.files.open(Archive) as file, open_archive(file) as archive:
        for index, entry in enumerate(archive.infolist()):
            if not is_named_in_utf_8(entry) and not entry.filename.isascii():
                fields = {"name": raw_name(entry), "extra": entry.extra}
                yield {"index": index, **{key: base64.b64encode(value).decode() for key, value in fields.items()}}


@verb("unpack")
def unpack(
    call: ScriptCall, *, Archive: str, Target: str, Items: list[tuple[int, str, int, bool]] | None = None
) -> Iterator[dict[str, Any]]:
    files = call.files
    with files.open(Archive) as file, open_archive(file) as archive:
        stored = archive.infolist()
        total = 0
        for index, name, most, folder in Items or []:
            path = joined(Target, name)
            if folder:
                files.make_dir(path)
                continue
            files.make_dir(path.rpartition("\\")[0])
            digest, size = hashlib.sha256(), 0
            with files.open(path, "xb") as writer:
                for block in _content(archive, stored[index]):
                    size += len(block)
                    if size > most:
                        raise DotNetError(
                            "InvalidDataException",
                            f"{name} holds more than the {most} bytes that the archive says",
                        )
                    digest.update(block)
                    writer.write(block)
                    call.progress({"bytes": total + size})
            total += size
            # The time in a ZIP archive is the clock's on the wall, whose zone is this host's; the twin's archives hold
            # UTC.
            written = datetime(*stored[index].date_time, tzinfo=UTC).timestamp()
            os.utime(files.real_path(path), (written, written))
            yield {"name": name, "size": size, "sha256": digest.hexdigest()}


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of an entry. .NET looks neither at the checksum nor at the encryption: such an entry gives other bytes,
    or fails where it cannot be unpacked.
    """
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DotNetError(
            "InvalidDataException", "The archive entry was compressed using an unsupported compression method."
        )
    plain = copy.copy(entry)
    plain.flag_bits &= ~1
    try:
        with archive.open(plain) as reader:
            reader._expected_crc = None
            while block := reader.read(BLOCK):
                yield block
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise DotNetError(
            "InvalidDataException", "The archive entry was compressed using an unsupported compression method."
        ) from None
