"""Verbs that work on files and folders: they list, hash, look into, read and write them, move, copy and remove them,
and set their rights.
"""

from __future__ import annotations

import base64
import codecs
import contextlib
import gzip
import hashlib
import io
import struct
import time
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from types import FunctionType
from typing import Any

from ..drives import normal, split_unc
from ..errors import WinError
from ..models import ScriptCall
from ..security import WELL_KNOWN, Ace, Descriptor, Rights
from .verbs import DotNetError, fault, joined, moment, verb

__all__ = ["BLOCK", "is_named_in_utf_8", "open_archive", "raw_name"]

BLOCK = 1 << 20
COLLECTED = 4 << 20
"""Bytes that are packed into one."""
_NOTHING_THERE = (2, 3)
_ACCESS_DENIED = 5
_INHERITED_BY_ALL = 3
_NAME_IS_UTF_8 = 0x800
_ZIP64_FIELD = 1
_ZIP64_END = 56 + 20
"""Bytes of what ZIP64 adds at an archive's end."""


@verb("list_folder")
def list_folder(call: ScriptCall, *, Path: str, Recurse: bool = True) -> Iterator[dict[str, Any]]:
    try:
        call.files.list(Path)
    except WinError as error:
        raise WinError(3 if error.number == 2 else error.number, Path) from None
    todo = [(Path, "")]
    while todo:
        folder, prefix = todo.pop()
        try:
            entries = list(_entries(call, folder))
        except WinError as error:
            if not prefix or error.number != _ACCESS_DENIED:
                raise
            yield {"name": prefix.removesuffix("/"), "error": fault(error)}
            continue
        for name, stat in entries:
            path = joined(folder, name)
            yield {
                "name": prefix + name,
                "folder": stat.is_dir,
                "link": stat.link,
                "encrypted": stat.encrypted,
                "size": stat.size,
                "modified": moment(stat.modified),
            }
            if stat.is_dir and Recurse and not stat.link:
                todo.append((path, f"{prefix}{name}/"))


def _entries(call: ScriptCall, folder: str) -> Iterator[tuple[str, Any]]:
    """Windows gives the names of a folder and what they are in one answer: what is removed meanwhile cannot fail."""
    try:
        names = call.files.list(folder)
    except WinError as error:
        if error.number not in _NOTHING_THERE:
            raise
        return
    for name in names:
        try:
            stat = call.files.stat(joined(folder, name))
        except WinError as error:
            if error.number not in _NOTHING_THERE:
                raise
        else:
            yield name, stat


@verb("hash_files")
def hash_files(call: ScriptCall, *, Path: str, Items: list[str] | None = None) -> Iterator[dict[str, Any]]:
    for name in Items or []:
        try:
            digest, size = hashlib.sha256(), 0
            with call.files.open(joined(Path, name)) as file:
                while block := file.read(BLOCK):
                    digest.update(block)
                    size += len(block)
        except WinError as error:
            yield {"name": name, "error": fault(error)}
        else:
            yield {"name": name, "size": size, "sha256": digest.hexdigest()}


@verb("read_ranges")
def read_ranges(call: ScriptCall, *, Items: list[dict[str, Any]] | None = None) -> Iterator[Any]:
    collected = bytearray()
    for item in Items or []:
        try:
            stat = call.files.stat(item["path"])
            with call.files.open(item["path"]) as file:
                parts = [_range(file, stat.size, offset, length) for offset, length in item["ranges"]]
        except WinError as error:
            yield {"path": item["path"], "error": fault(error)}
            continue
        collected += b"".join(parts)
        yield {
            "path": item["path"],
            "size": stat.size,
            "modified": moment(stat.modified),
            "lengths": [len(part) for part in parts],
        }
        if len(collected) >= COLLECTED:
            yield _gzipped(collected)
            collected = bytearray()
    if collected:
        yield _gzipped(collected)


def _range(file: Any, size: int, offset: int, length: int) -> bytes:
    file.seek(max(0, size + offset) if offset < 0 else offset)
    return file.read(max(0, length))


def _gzipped(data: bytes | bytearray) -> str:
    return base64.b64encode(gzip.compress(data, compresslevel=6, mtime=0)).decode("ascii")


@verb("stat_paths")
def stat_paths(call: ScriptCall, *, Items: list[str] | None = None) -> Iterator[dict[str, Any]]:
    for path in Items or []:
        answer: dict[str, Any] = {
            "path": path,
            "exists": False,
            "folder": False,
            "size": 0,
            "modified": "",
            "free": None,
            "error": None,
        }
        try:
            stat = call.files.stat(path)
            answer.update(exists=True, folder=stat.is_dir, size=stat.size, modified=moment(stat.modified))
        except WinError as error:
            if error.number not in _NOTHING_THERE:
                answer["error"] = fault(error)
        if split_unc(path) is None:
            try:
                answer["free"] = call.files.free_bytes(path)
            except WinError:
                pass
        yield answer


@verb("read_lines")
def read_lines(call: ScriptCall, *, Path: str, Entry: str = "", First: int | None = None) -> Iterator[str]:
    with call.files.open(Path) as file:
        if not Entry:
            content = file.read()
        else:
            archive = open_archive(file)
            names = {info.filename: info for info in archive.infolist()}
            stored = names.get(Entry) or names.get(Entry.replace("/", "\\"))
            if not stored:
                return
            content = archive.read(stored)
    yield from islice(
        (line.removesuffix("\n") for line in io.StringIO(content.decode(_encoding(content), "replace"), newline=None)),
        First,
    )


def _encoding(content: bytes) -> str:
    """By the mark at the beginning, as StreamReader; UTF-8 without one."""
    return "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


@verb("look_into")
def look_into(
    call: ScriptCall, *, Path: str, Entry: int = -1, Items: list[str] | None = None
) -> Iterator[dict[str, Any]]:
    with call.files.open(Path) as file:
        if Entry < 0:
            content = file.read()
        else:
            archive = open_archive(file)
            content = archive.read(archive.infolist()[Entry])
    text = content.decode("latin-1")
    yield {
        "size": len(content),
        "xml": _is_xml(content),
        "found": [position for position, wanted in enumerate(Items or []) if wanted in text],
    }


def _is_xml(content: bytes) -> bool:
    """What XmlReader reads to its end; it refuses every document type."""
    try:
        ElementTree.fromstring(content)
    except ElementTree.ParseError:
        return False
    return b"<!DOCTYPE" not in content


def _clear_read_only(call: ScriptCall, *paths: str) -> None:
    for path in paths:
        if call.files.is_file(path):
            call.files.set_read_only(path, False)


@verb("write_lines")
def write_lines(
    call: ScriptCall, *, Path: str, Patience: int = 0, Utf16: bool = False, Items: list[str] | None = None
) -> Iterator[Any]:
    partial = f"{Path}.partial"
    _clear_read_only(call, partial, Path)
    text = "".join(f"{line}\n" for line in Items or [])
    call.files.write(partial, codecs.BOM_UTF16_LE + text.encode("utf-16-le") if Utf16 else text.encode())
    begin = time.monotonic()
    while True:
        try:
            if call.files.is_file(Path):
                call.files.remove(Path)
            call.files.rename(partial, Path)
            return
        except WinError as error:
            if error.number not in (5, 32, 33) or (time.monotonic() - begin) * 1000 >= Patience:
                with contextlib.suppress(WinError):
                    call.files.remove(partial)
                raise
        time.sleep(0.25)
        call.progress({"waits": True})
    yield


@verb("make_folder")
def make_folder(call: ScriptCall, *, Path: str, Private: bool = False) -> Iterator[Any]:
    call.files.make_dir(Path)
    if Private:
        entries = [
            Ace(sid=WELL_KNOWN[name], mask=Rights.FULL, inheritance=_INHERITED_BY_ALL)
            for name in ("NT AUTHORITY\\SYSTEM", "BUILTIN\\Administrators")
        ]
        _set_descriptor(call, Path, Descriptor(entries=entries, protected=True))
    return
    yield


@verb("set_rights")
def set_rights(call: ScriptCall, *, Path: str, Like: str = "", Below: str = "") -> Iterator[Any]:
    call.files.list(Path)
    entries: list[Ace] = []
    if Like:
        call.files.list(Like)
        entries = [replace(ace, inherited=False) for ace in call.host.drives.descriptor(normal(Like)).entries]
    _set_descriptor(call, Path, Descriptor(entries=entries))
    for path, stat in call.files.walk(Below) if Below else ():
        inner = path[len(Below) :]
        own = call.host.drives.descriptor(normal(path))
        counts = not stat.link and (stat.is_dir or inner.count("\\") == 1) and (own.protected or own.entries)
        if counts and len(Path + inner) < 248 and call.files.exists(Path + inner):
            _set_descriptor(call, Path + inner, Descriptor(entries=list(own.entries), protected=own.protected))
    return
    yield


def _set_descriptor(call: ScriptCall, path: str, descriptor: Descriptor) -> None:
    """Only for folders of this host, as the collection uses it: on a share the rights are the file server's business."""
    if split_unc(path) is not None:
        raise WinError(5, path)
    call.host.drives.set_descriptor(normal(path), descriptor)


@verb("move")
def move(call: ScriptCall, *, Items: list[tuple[str, str]] | None = None) -> Iterator[dict[str, Any]]:
    for source, target in Items or []:
        answer: dict[str, Any] = {"from": source, "to": target, "error": None}
        try:
            call.files.rename(source, target)
        except WinError as error:
            answer["error"] = fault(error)
        yield answer
        if answer["error"]:
            return


@verb("copy_file")
def copy_file(call: ScriptCall, *, From: str, To: str) -> Iterator[Any]:
    _clear_read_only(call, To)
    call.files.copy(From, To)
    return
    yield


@verb("remove")
def remove(call: ScriptCall, *, Path: str) -> Iterator[dict[str, bool]]:
    found = call.files.exists(Path)
    if found:
        call.files.remove_tree(Path)
    yield {"removed": found}


class _Entry(zipfile.ZipInfo):
    """An entry of which only the extra field for large files is read, as .NET does, and one that is cut is no fault."""

    def _decodeExtra(self, *checksum: Any) -> None:
        fields, self.extra = self.extra, b""
        rest = fields
        while len(rest) >= 4:
            tag, size = struct.unpack_from("<HH", rest)
            if tag == _ZIP64_FIELD and len(rest) >= 4 + size:
                self.extra += rest[: 4 + size]
            rest = rest[4 + size :]
        super()._decodeExtra(*checksum)  # type: ignore[misc]
        self.extra = fields


class _Archive(zipfile.ZipFile):
    """An archive of such entries. Other threads read and write archives meanwhile, so zipfile itself stays as it is."""

    _RealGetContents = FunctionType(
        zipfile.ZipFile._RealGetContents.__code__,  # type: ignore[attr-defined]
        {**vars(zipfile), "ZipInfo": _Entry},
    )


def is_named_in_utf_8(entry: zipfile.ZipInfo) -> bool:
    return bool(entry.flag_bits & _NAME_IS_UTF_8)


def raw_name(entry: zipfile.ZipInfo) -> bytes:
    """A name that is not marked as UTF-8, as its bytes: zipfile takes them for letters of code page 437, each one."""
    return entry.orig_filename.encode("cp437")


def open_archive(file: Any) -> zipfile.ZipFile:
    """A ZIP archive, opened as .NET does: it fails with InvalidDataException when the archive's directory is not where
    the archive says, or has another number of entries. A name that does not say that it is UTF-8 is taken for it all
    the same, and what is none becomes U+FFFD.
    """
    try:
        archive = _Archive(file)
    except (zipfile.BadZipFile, OSError):
        raise DotNetError("InvalidDataException", "End of Central Directory record could not be found.") from None
    end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    in_front = end[9] - end[5] - end[6] - (_ZIP64_END if end[0] == b"PK\x06\x06" else 0)
    if in_front or end[4] != len(archive.infolist()):
        raise DotNetError("InvalidDataException", "Central Directory corrupt.")
    for info in archive.infolist():
        info.filename = info.orig_filename if is_named_in_utf_8(info) else raw_name(info).decode("utf-8", "replace")
    archive.NameToInfo = {info.filename: info for info in archive.infolist()}
    return archive
