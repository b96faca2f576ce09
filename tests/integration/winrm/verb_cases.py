"""The contract of the PowerShell verbs: what each is given, and what it answers."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import itertools
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .backup_bytes import FILEMARK, block, changed, filler, frame, index, page, stream
from .windows_twins import POOL, SHARE_PASSWORD

__all__ = ["CASES", "TREE", "Case"]


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def gzipped(data: bytes) -> str:
    """As texts of packed bytes are compared: by what is in them."""
    return base64.b64encode(gzip.compress(data, mtime=0)).decode("ascii")


def zipped(**content: bytes) -> bytes:
    """A ZIP archive; in the names of the arguments __ stands for / and _dot_ for a dot."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            plain = name.replace("__", "/").replace("_dot_", ".")
            archive.mkdir(plain) if plain.endswith("/") else archive.writestr(plain, data)
    return result.getvalue()


ARCHIVE = zipped(a_dot_txt=b"first", sub__=b"", sub__b_dot_txt=b"second" * 1000)
STORED = io.BytesIO()
with zipfile.ZipFile(STORED, "w", zipfile.ZIP_STORED) as stored:
    stored.writestr("s", b"content")
MANY = [f"{number:04}.txt" for number in range(1001)]
"""More than a verb tells at once."""
MANY_STORED = io.BytesIO()
with zipfile.ZipFile(MANY_STORED, "w", zipfile.ZIP_STORED) as stored:
    for name in MANY:
        stored.writestr(name, name)
PLAIN = {"method": zipfile.ZIP_DEFLATED, "encrypted": False}


def without_names_in_utf_8(archive: bytes, name: bytes, raw: bytes) -> bytes:
    """The archive with `raw` for `name`, of the same length, and nothing that says that it is UTF-8."""
    flagged = bytearray(archive.replace(name, raw))
    for position in range(len(flagged) - 4):
        for header, offset in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
            if flagged.startswith(header, position):
                flagged[position + offset] &= ~8
    return bytes(flagged)


def path_field(raw: bytes, name: str | bytes, *, version: int = 1, size: int | None = None) -> bytes:
    """Info-ZIP's Unicode path field: 0x7075, size, version 1, checksum of the name that it stands for, name in UTF-8.
    Source: PKWARE's APPNOTE, 4.6.9.
    """
    path = struct.pack("<BL", version, zlib.crc32(raw)) + (name if isinstance(name, bytes) else name.encode())
    return struct.pack("<HH", 0x7075, len(path) if size is None else size) + path


def with_fields(entries: list[tuple[bytes, bytes]], contents: Sequence[bytes] = (), *, zip64: bool = False) -> bytes:
    """A ZIP archive of entries, each a name as its bytes and its extra fields. contents: of the first ones; x in the
    others. zip64: told as of a large one where its directory is, with a comment for each entry in it.
    """
    bodies, directory, comment = b"", b"", b"PK\x01\x02" if zip64 else b""
    for (raw, fields), content in zip(entries, itertools.chain(contents, itertools.repeat(b"x")), strict=False):
        size, checksum = len(content), zlib.crc32(content)
        told = struct.pack("<5H3L2H", 20, 0, 0, 0, 0x21, checksum, size, size, len(raw), len(fields))
        place = struct.pack("<3H2L", len(comment), 0, 0, 0, len(bodies))
        directory += b"PK\x01\x02\x14\0" + told + place + raw + fields + comment
        bodies += b"PK\x03\x04" + told + raw + fields + content
    count, told, end = len(entries), (len(directory), len(bodies)), b""
    if zip64:
        end = b"PK\x06\x06" + struct.pack("<Q2H2L4Q", 44, 45, 45, 0, 0, count, count, *told)
        end += b"PK\x06\x07" + struct.pack("<LQL", 0, sum(told), 1)
        count, told = 0xFFFF, (0xFFFFFFFF, 0xFFFFFFFF)
    return bodies + directory + end + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, count, count, *told, 0)


def other_names(names: dict[bytes, str], contents: Sequence[bytes] = ()) -> bytes:
    return with_fields([(raw, path_field(raw, name)) for raw, name in names.items()], contents)


def marked(archive: bytes, form: str, offset: int, value: int, *, keep: int = 0) -> bytes:
    """The archive with a number in the headers of all entries: `offset` in the local one, two more in the directory's."""
    result = bytearray(archive)
    for position in range(len(result) - 4):
        for header, more in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
            if result.startswith(header, position):
                before = struct.unpack_from(form, result, position + offset + more)[0]
                struct.pack_into(form, result, position + offset + more, value | before & keep)
    return bytes(result)


def encrypted(archive: bytes) -> bytes:
    """The archive with every entry marked as encrypted, as a program that knows only passwords sees it."""
    return marked(archive, "<H", 6, 1, keep=0xFFFF)


def packed_by(archive: bytes, method: int) -> bytes:
    return marked(archive, "<H", 8, method)


def told_to_hold(archive: bytes, size: int) -> bytes:
    return marked(archive, "<L", 22, size)


def told_to_take(archive: bytes, packed: int) -> bytes:
    return marked(archive, "<L", 18, packed)


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


DAMAGED = {
    "a damaged directory": ARCHIVE.replace(b"PK\x01\x02", b"PK\x01\x09", 1),
    "a program in front": b"MZ a program that unpacks itself" + ARCHIVE,
    "another number of entries": ARCHIVE[:-14] + b"\x05\0\x05\0" + ARCHIVE[-10:],
    "10 bytes": ARCHIVE[:10],
    "nothing at all": b"",
}
NOT_UTF_8 = without_names_in_utf_8(zipped(**{"\u00c4.txt": b"x"}), "\u00c4".encode(), b"\x8e_")
OTHER_NAMES = other_names({b"\x8e.txt": "\u00c4.txt", b"_.txt": "\u65e5.txt", b"a.txt": "../../evil.txt"})
A_UMLAUT, O_UMLAUT = b"\x8e.txt", b"\x99.txt"
"""In code page 850, and no UTF-8."""
UNREADABLE = "\ufffd.txt has letters in a code page that the archive does not name"
OTHER_FIELD = struct.pack("<HHBL", 0x5455, 5, 1, 0)
"""Info-ZIP's of times."""
BESIDE_A_CODE_PAGE: dict[str, tuple[list[tuple[bytes, bytes]], list[str]]] = {
    "a name in UTF-8": ([(A_UMLAUT, path_field(A_UMLAUT, "\u00c4.txt"))], ["\u00c4.txt"]),
    "one behind another field": ([(A_UMLAUT, OTHER_FIELD + path_field(A_UMLAUT, "\u00c4.txt"))], ["\u00c4.txt"]),
    "one for each of two names that .NET takes for the same": (
        [(raw, path_field(raw, name)) for raw, name in ((A_UMLAUT, "\u00c4.txt"), (O_UMLAUT, "\u00d6.txt"))], ["\u00c4.txt", "\u00d6.txt"],
    ),
    "one for letters that could be UTF-8": ([(b"\xc3\x84.txt", path_field(b"\xc3\x84.txt", "\u251c\u00e4.txt"))], ["\u251c\u00e4.txt"]),
    "letters that are UTF-8 without being told": ([(b"\xc3\x84.txt", b"")], ["\u00c4.txt"]),
    "one of a folder": ([(b"\x8e/", path_field(b"\x8e/", "\u00c4/")), (b"a.txt", b"")], ["\u00c4", "a.txt"]),
    "nothing": ([(A_UMLAUT, b"")], [UNREADABLE]),
    "one of another name": ([(A_UMLAUT, path_field(O_UMLAUT, "\u00c4.txt"))], [UNREADABLE]),
    "one of another version": ([(A_UMLAUT, path_field(A_UMLAUT, "\u00c4.txt", version=2))], [UNREADABLE]),
    "one that is cut": ([(A_UMLAUT, path_field(A_UMLAUT, "\u00c4.txt")[:-2])], [UNREADABLE]),
    "one that is cut in its checksum": ([(A_UMLAUT, path_field(A_UMLAUT, "", size=3)[:7])], [UNREADABLE]),
    "a tag alone": ([(A_UMLAUT, b"\x75\x70")], [UNREADABLE]),
    "one that is no UTF-8": ([(A_UMLAUT, path_field(A_UMLAUT, b"\xc4.txt"))], [UNREADABLE]),
    "one without a letter": ([(A_UMLAUT, path_field(A_UMLAUT, ""))], [" has no name"]),
    "one that climbs out": ([(A_UMLAUT, path_field(A_UMLAUT, "../../evil.txt"))], ["../../evil.txt climbs out of the folder"]),
    "one on a drive": ([(A_UMLAUT, path_field(A_UMLAUT, "C:\\evil.txt"))], ["C:\\evil.txt is an absolute path"]),
    "one of a device": ([(A_UMLAUT, path_field(A_UMLAUT, "con.txt"))], ["con.txt is the name of a device"]),
    "the same one twice": (
        [(raw, path_field(raw, "\u00c4.txt")) for raw in (A_UMLAUT, O_UMLAUT)], ["\u00c4.txt", "\u00c4.txt is there twice"],
    ),
    "two that differ in case alone": (
        [(raw, path_field(raw, name)) for raw, name in ((A_UMLAUT, "\u00c4.txt"), (O_UMLAUT, "\u00e4.TXT"))],
        ["\u00c4.txt", "\u00e4.TXT is the same name as \u00c4.txt to Windows"],
    ),
    "a name that another entry has": (
        [(b"a.txt", b""), (A_UMLAUT, path_field(A_UMLAUT, "A.txt"))], ["a.txt", "A.txt is the same name as a.txt to Windows"],
    ),
}  # fmt: skip
"""What an archive may have beside names in a code page, and by which names its entries are written, or refused why."""
MANY_NAMES = [(b"a.txt", OTHER_FIELD), (A_UMLAUT, path_field(A_UMLAUT, "\u00c4.txt")), (O_UMLAUT, b"")]
MOMENT = "2026-11-29T07:02:18Z"
LONG = "/".join(["long name of a folder" * 3] * 6)
TREE = {"web.config": b"<configuration/>", "sub/inner.txt": b"in", "sub/Ümläut 日本.txt": b"\xff\x00", "empty/": b""}


@dataclass(frozen=True, kw_only=True)
class Case:
    """files: what lies below {root} beforehand, a name that ends in / is a folder. In parameters and items {root}
    stands for that folder.

    read_only: names of files that are marked as such. items: what comes back, without what differs from run to run. error: (number, kind) instead. after: files below
    {root} afterwards, if they count.
    """

    verb: str
    about: str
    parameters: dict[str, Any] = field(default_factory=dict)
    given: Sequence[Any] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    read_only: Sequence[str] = ()
    items: list[Any] | None = None
    error: tuple[int, str] | None = None
    after: dict[str, bytes] | None = None
    windows: bool = False


INSPECT_PATHS = (Path(__file__).resolve().parents[3] / "roles/preflight/files/inspect_paths.ps1").read_text()
"""A script that looks at nothing but files, so that it runs everywhere."""


def script(name: str, *paths: str, text: str = INSPECT_PATHS) -> dict[str, Any]:
    return {"name": name, "script": text, "parameters": {"Path": [*paths]}}


def said(name: str, *records: dict[str, Any], **different: Any) -> dict[str, Any]:
    found = {"exists": True, "is_folder": False, "bytes": 0, "version": "", "missing": [], "error": 0}
    result = {"paths": [{**found, **record} for record in records], "newest": []}
    return {"name": name, "failed": False, "changed": False, "diff": {}, "error": [], "result": result, **different}


def stat(path: str, *, exists: bool = True, folder: bool = False, size: int = 0) -> dict[str, Any]:
    return {"path": path, "exists": exists, "folder": folder, "size": size, "error": None}


def entry(name: str, *, size: int = 0, folder: bool = False) -> dict[str, Any]:
    return {"name": name, "folder": folder, "link": False, "encrypted": False, "size": size}


def moved(number: int, *, error: tuple[int, str] | None = None) -> dict[str, Any]:
    fault = {"number": error[0], "kind": error[1]} if error else None
    return {"from": f"{{root}}/from{number}", "to": f"{{root}}/to{number}", "error": fault}


def judged(
    name: str, data: bytes, *flaws: dict[str, Any], marks: Sequence[bytes] = (), **counts: int
) -> dict[str, Any]:
    """Of a backup file; what is not counted is none. marks: bytes where its filemarks should be."""
    none = {"judged": 0, "frames": 0, "pages": 0, "unjudged": 0}
    lists = {"marks": [base64.b64encode(mark).decode() for mark in marks], "flaws": list(flaws)}
    return {"path": f"{{root}}/{name}", "size": len(data), **none, **counts, **lists}


def content(name: str, *parts: list[int], marks: Sequence[int] = (), packed: bool = False) -> dict[str, Any]:
    parts_with_length = [part if len(part) == 3 else [*part, 0] for part in parts]
    return {"path": f"{{root}}/{name}", "packed": packed, "parts": parts_with_length, "marks": list(marks), "mark": 512}


FRAMES = bytes(480) + frame(b"1" * 1000) + frame(b"2" * 2001, damaged=True) + frame(b"3" * 63_000)
PACKED = FRAMES + index(1000, (1, 2), (3, 1 << 40)) + FILEMARK + frame(b"4" * 270) + filler(36) + FILEMARK[:-1]
FILLERS = {
    "whole": index(400, (1, 2), (3, 4)), "zeros": filler(400), "form": index(400, (1, 2), form=0x10003),
    "unknown": index(400, (1, 2))[:44] + b"x" + bytes(355), "small": b"\x2c" + bytes(31) + b"\x0c" + bytes(3),
    "entry": changed(index(400, (1, 2)), 44), "head": changed(index(400, (1, 2)), 24), "tail": changed(index(400, (1, 2)), -16),
    "count": changed(index(400, (1, 2)), 28), "sum": changed(index(400, (1, 2)), 36), "sum behind": changed(index(400, (1, 2)), -1),
    "behind": changed(index(400, (1, 2)), 380), "no zeros": changed(filler(400), 399), "short": index(56)[:39],
    "first": changed(filler(400), 1), "third": changed(index(400, (1, 2)), 3),
}  # fmt: skip
PAGES = [page(0, protection="checksum"), page(1, protection="none"), page(2, protection="checksum", damaged=True)]
PAGES += [page(3, protection="torn"), page(4, protection="torn", damaged=True), bytes(8192)]
PLAIN_BLOCK = block(b"MSDA", stream(b"APAD", b"x"), stream(b"MQDA", b"\0\0" + b"".join(PAGES)), stream(b"MQDA", b""))
LARGE = block(b"MSDA", stream(b"MQDA", b"\0\0" + page(7, protection="checksum") * 200 + PAGES[2]))
CUT = block(b"MSDA", stream(b"MQDA", b"\0\0" + b"".join(PAGES)))[:-9000]
ODD = block(b"MSDA", stream(b"MQDA", bytes(3 * 8192)), stream(b"MQDA", b"x"))

MISSING = (3, "DirectoryNotFoundException")
NO_FILE = (2, "FileNotFoundException")
NO_ZIP = (0, "InvalidDataException")

CASES = [
    Case(
        verb="list_folder", about="everything below", parameters={"Path": "{root}"}, files=TREE,
        items=[
            entry("empty", folder=True), entry("sub", folder=True), entry("sub/inner.txt", size=2), entry("sub/Ümläut 日本.txt", size=2),
            entry("web.config", size=16),
        ],
    ),
    Case(
        verb="list_folder", about="the folder alone", parameters={"Path": "{root}", "Recurse": False}, files=TREE,
        items=[entry("empty", folder=True), entry("sub", folder=True), entry("web.config", size=16)],
    ),
    Case(
        verb="list_folder", about="more than is told at once", parameters={"Path": "{root}"},
        files={**{f"a/{name}": b"x" for name in MANY}, "b/c/y": b"yy"},
        items=[
            entry("a", folder=True), *(entry(f"a/{name}", size=1) for name in MANY), entry("b", folder=True), entry("b/c", folder=True),
            entry("b/c/y", size=2),
        ],
    ),
    Case(verb="list_folder", about="nothing in it", parameters={"Path": "{root}/empty"}, files=TREE, items=[]),
    Case(verb="list_folder", about="no such folder", parameters={"Path": "{root}/nothing"}, error=MISSING),
    Case(verb="list_folder", about="a parameter it does not have", parameters={"Path": "{root}", "Depth": 3}, error=(0, "ParameterBindingException")),
    Case(
        verb="list_folder", about="more than 260 characters", parameters={"Path": "{root}"}, files={f"{LONG}/x": b"deep"},
        items=[
            *(entry("/".join(LONG.split("/")[:depth]), folder=True) for depth in range(1, 7)), entry(f"{LONG}/x", size=4),
        ],
    ),
    Case(
        verb="hash_files", about="files, one of them not there", parameters={"Path": "{root}"}, files=TREE,
        given=["web.config", "sub/Ümläut 日本.txt", "gone"],
        items=[
            {"name": "web.config", "size": 16, "sha256": sha(b"<configuration/>")},
            {"name": "sub/Ümläut 日本.txt", "size": 2, "sha256": sha(b"\xff\x00")},
            {"name": "gone", "error": {"number": 2, "kind": "FileNotFoundException"}},
        ],
    ),
    Case(verb="hash_files", about="no files", parameters={"Path": "{root}"}, items=[]),
    Case(
        verb="hash_files", about="more than 260 characters", parameters={"Path": "{root}"}, files={f"{LONG}/x": b"deep"}, given=[f"{LONG}/x"],
        items=[{"name": f"{LONG}/x", "size": 4, "sha256": sha(b"deep")}],
    ),
    Case(
        verb="read_ranges", about="both ends of files, one of them not there",
        files={"a.bak": bytes(range(256)) * 4, "sub/Ü 日本.trn": b"short", "empty": b""},
        given=[
            {"path": "{root}/a.bak", "ranges": [[0, 4], [-6, 100], [1000, 8], [1020, 10], [5000, 1], [3, 0]]}, {"path": "{root}/gone", "ranges": [[0, 4]]},
            {"path": "{root}/sub/Ü 日本.trn", "ranges": [[0, 16384], [-16384, 16384]]}, {"path": "{root}/empty", "ranges": [[0, 10], [-10, 10]]},
            {"path": "{root}/a.bak", "ranges": []},
        ],
        items=[
            {"path": "{root}/a.bak", "size": 1024, "lengths": [4, 6, 8, 4, 0, 0]},
            {"path": "{root}/gone", "error": {"number": 2, "kind": "FileNotFoundException"}},
            {"path": "{root}/sub/Ü 日本.trn", "size": 5, "lengths": [5, 5]}, {"path": "{root}/empty", "size": 0, "lengths": [0, 0]},
            {"path": "{root}/a.bak", "size": 1024, "lengths": []},
            gzipped(b"\x00\x01\x02\x03" + b"\xfa\xfb\xfc\xfd\xfe\xff" + bytes(range(0xE8, 0xF0)) + b"\xfc\xfd\xfe\xff" + b"short" * 2),
        ],
    ),
    Case(
        verb="read_ranges", about="what is no file", files={"sub/": b"", "a": b"x"}, given=[{"path": "{root}/sub", "ranges": [[0, 4]]}],
        items=[{"path": "{root}/sub", "error": {"number": 5, "kind": "UnauthorizedAccessException"}}],
    ),
    Case(
        verb="read_ranges", about="more than is packed into one", files={"big": bytes(3 << 20), "end": b"end"},
        given=[{"path": "{root}/big", "ranges": [[0, 3 << 20]]}, {"path": "{root}/big", "ranges": [[-(2 << 20), 2 << 20]]}, {"path": "{root}/end", "ranges": [[0, 9]]}],
        items=[
            {"path": "{root}/big", "size": 3 << 20, "lengths": [3 << 20]}, {"path": "{root}/big", "size": 3 << 20, "lengths": [2 << 20]},
            gzipped(bytes(5 << 20)), {"path": "{root}/end", "size": 3, "lengths": [3]}, gzipped(b"end"),
        ],
    ),
    Case(verb="read_ranges", about="no files", items=[]),
    Case(
        verb="read_ranges", about="more than 260 characters", files={f"{LONG}/x": b"deep"}, given=[{"path": "{root}/" + LONG + "/x", "ranges": [[0, 9]]}],
        items=[{"path": "{root}/" + LONG + "/x", "size": 4, "lengths": [4]}, gzipped(b"deep")],
    ),
    Case(
        verb="check_content", about="frames, a damaged one among them", parameters={"MostFlaws": 20}, files={"packed": PACKED},
        given=[content("packed", [480, len(FRAMES) + 1000], [len(FRAMES) + 1512, len(FRAMES) + 1846], marks=[len(FRAMES) + 1000, len(PACKED) - 511], packed=True)],
        items=[
            judged(
                "packed", PACKED, {"kind": "frame", "at": 1508}, frames=4, judged=1000 + 63_000 + 270 + 3 * 28, marks=[FILEMARK, b""],
            ),
        ],
    ),
    Case(
        verb="check_content", about="frames that hold what they should, and not", parameters={"MostFlaws": 20}, files={"packed": PACKED},
        given=[
            content("packed", [480, len(FRAMES) + 1000, 3 * 65_024], packed=True), content("packed", [480, len(FRAMES) + 1000, 3 * 65_024 + 512], packed=True),
        ],
        items=[
            judged("packed", PACKED, {"kind": "frame", "at": 1508}, frames=3, judged=1000 + 63_000 + 2 * 28),
            judged(
                "packed", PACKED, {"kind": "frame", "at": 1508}, {"kind": "held", "at": 480, "bytes": 3 * 65_024, "told": 3 * 65_024 + 512},
                frames=3, judged=1000 + 63_000 + 2 * 28,
            ),
        ],
    ),
    Case(
        verb="check_content", about="fillers", parameters={"MostFlaws": 20}, files=FILLERS,
        given=[content(name, [0, len(data)], packed=True) for name, data in FILLERS.items()],
        items=[
            judged(name, data, *([] if name in ("whole", "zeros", "form", "unknown", "small") else [{"kind": "frames_end", "at": 0, "start": 0, "end": len(data)}]))
            for name, data in FILLERS.items()
        ],
    ),
    Case(
        verb="check_content", about="frames that end too early, and too late", parameters={"MostFlaws": 20}, files={"packed": PACKED},
        given=[
            content("packed", [480, len(FRAMES) + 999], packed=True), content("packed", [480, len(FRAMES) - 100], packed=True),
            content("packed", [500, 600], [len(PACKED), len(PACKED) + 900], packed=True),
        ],
        items=[
            judged(
                "packed", PACKED, {"kind": "frame", "at": 1508}, {"kind": "frames_end", "at": len(FRAMES), "start": 480, "end": len(FRAMES) + 999},
                frames=3, judged=1000 + 63_000 + 2 * 28,
            ),
            judged(
                "packed", PACKED, {"kind": "frame", "at": 1508}, {"kind": "frame", "at": 3537},
                {"kind": "frames_end", "at": len(FRAMES), "start": 480, "end": len(FRAMES) - 100}, frames=3, judged=1028,
            ),
            judged(
                "packed", PACKED, {"kind": "frames_end", "at": 500, "start": 500, "end": 600},
                {"kind": "frames_end", "at": len(PACKED), "start": len(PACKED), "end": len(PACKED) + 900},
            ),
        ],
    ),
    Case(
        verb="check_content", about="pages with a checksum, with torn bits, with nothing", parameters={"MostFlaws": 20}, files={"plain": PLAIN_BLOCK},
        given=[content("plain", [0, len(PLAIN_BLOCK)]), {"path": "{root}/gone", "packed": False, "parts": [], "marks": [], "mark": 512}],
        items=[
            judged(
                "plain", PLAIN_BLOCK, {"kind": "page", "at": 52 + 24 + 24 + 2 * 8192, "file": 3, "page": 2},
                {"kind": "page", "at": 52 + 24 + 24 + 4 * 8192, "file": 3, "page": 4}, pages=4, unjudged=2, judged=52 + 4 * 22 + 2 * 8192,
            ),
            {"path": "{root}/gone", "error": {"number": 2, "kind": "FileNotFoundException"}},
        ],
    ),
    Case(
        verb="check_content", about="more than is read at a time, and no more flaws than wanted", parameters={"MostFlaws": 1}, files={"large": LARGE * 3},
        given=[content("large", [0, 3 * len(LARGE)])],
        items=[
            judged(
                "large", LARGE * 3, {"kind": "page", "at": 52 + 24 + 200 * 8192, "file": 3, "page": 2}, pages=603, judged=3 * (52 + 44 + 200 * 8192),
            ),
        ],
    ),
    Case(
        verb="check_content", about="flaws in one part hide none of the next", parameters={"MostFlaws": 1}, files={"two": LARGE * 2},
        given=[content("two", [0, len(LARGE)], [len(LARGE), 2 * len(LARGE)], marks=[0, 1])],
        items=[
            judged(
                "two", LARGE * 2, {"kind": "page", "at": 76 + 200 * 8192, "file": 3, "page": 2},
                {"kind": "page", "at": len(LARGE) + 76 + 200 * 8192, "file": 3, "page": 2},
                pages=402, judged=2 * (52 + 44 + 200 * 8192), marks=[LARGE[:512], LARGE[1:513]],
            ),
        ],
    ),
    Case(
        verb="check_content", about="blocks and streams that are damaged", parameters={"MostFlaws": 20},
        files={"cut": CUT, "odd": ODD, "block": ODD[:9] + b"x" + ODD[10:], "stream": ODD[:60] + b"x" + ODD[61:], "short": ODD[:70]},
        given=[
            content("cut", [0, len(CUT)]), content("odd", [0, len(ODD)]), content("block", [0, len(ODD)]), content("stream", [0, len(ODD)]),
            content("short", [0, len(ODD)]),
        ],
        items=[
            judged(
                "cut", CUT, {"kind": "page", "at": 76 + 2 * 8192, "file": 3, "page": 2}, {"kind": "data_end", "at": 0, "start": 0, "end": len(CUT)},
                pages=3, unjudged=1, judged=52 + 2 * 8192,
            ),
            judged("odd", ODD, unjudged=2, judged=52 + 3 * 22),
            judged("block", ODD, {"kind": "no_block", "at": 0, "start": 0, "end": len(ODD)}),
            judged("stream", ODD, {"kind": "stream_checksum", "at": 52, "start": 0, "end": len(ODD)}, judged=52),
            judged("short", ODD[:70], {"kind": "stream_cut_off", "at": 52, "start": 0, "end": len(ODD)}, judged=52),
        ],
    ),
    Case(verb="check_content", about="no files", parameters={"MostFlaws": 1}, items=[]),
    Case(
        verb="check_content", about="more than 260 characters", parameters={"MostFlaws": 1}, files={f"{LONG}/x": FILEMARK},
        given=[content(f"{LONG}/x", marks=[0])], items=[judged(f"{LONG}/x", FILEMARK, marks=[FILEMARK])],
    ),
    Case(
        verb="stat_paths", about="a file, a folder, nothing", given=["{root}/web.config", "{root}/sub", "{root}/gone", "{root}/no/gone"], files=TREE,
        items=[
            stat("{root}/web.config", size=16), stat("{root}/sub", folder=True), stat("{root}/gone", exists=False), stat("{root}/no/gone", exists=False),
        ],
    ),
    Case(
        verb="stat_paths", about="a server that is not there", given=["\\\\no-such-server\\share\\x"], windows=True,
        items=[{**stat("\\\\no-such-server\\share\\x", exists=False), "error": {"number": 53, "kind": "IOException"}}],
    ),
    Case(
        verb="pack", about="files and an empty folder", files=TREE, given=["empty/", "web.config", "sub/Ümläut 日本.txt"],
        parameters={"Path": "{root}", "Archive": "{root}/new.zip", "ManifestName": "own/list", "ManifestHead": "head"},
        items=[
            {"name": "web.config", "size": 16, "sha256": sha(b"<configuration/>"), "changed": False},
            {"name": "sub/Ümläut 日本.txt", "size": 2, "sha256": sha(b"\xff\x00"), "changed": False},
        ],
    ),
    Case(
        verb="pack", about="a file that is not there", files=TREE, given=["gone", "web.config"],
        parameters={"Path": "{root}", "Archive": "{root}/new.zip", "ManifestName": "own/list", "ManifestHead": "head"},
        items=[
            {"name": "gone", "error": {"number": 2, "kind": "FileNotFoundException"}},
            {"name": "web.config", "size": 16, "sha256": sha(b"<configuration/>"), "changed": False},
        ],
    ),
    Case(
        verb="pack", about="an archive that exists", files={**TREE, "new.zip": b"precious"}, given=["web.config"], error=(80, "IOException"), windows=True,
        parameters={"Path": "{root}", "Archive": "{root}/new.zip", "ManifestName": "own/list", "ManifestHead": "head"}, after={**TREE, "new.zip": b"precious"},
    ),
    Case(
        verb="pack", about="a copy from elsewhere under a name", files={**TREE, "keys/plain": b"<key/>"},
        given=[{"name": "web.config", "source": "{root}/keys/plain"}],
        parameters={"Path": "{root}", "Archive": "{root}/new.zip", "ManifestName": "own/list", "ManifestHead": "head"},
        items=[{"name": "web.config", "size": 6, "sha256": sha(b"<key/>"), "changed": False}],
    ),
    Case(
        verb="pack", about="a copy from elsewhere that is not there", files=TREE, given=[{"name": "web.config", "source": "{root}/gone"}],
        parameters={"Path": "{root}", "Archive": "{root}/new.zip", "ManifestName": "own/list", "ManifestHead": "head", "Rounds": 9, "Pause": 600_000},
        items=[{"name": "web.config", "error": {"number": 2, "kind": "FileNotFoundException"}}],
    ),
    Case(
        verb="pack", about="files that are too large to be read whole first", files=TREE, given=["web.config"],
        parameters={"Path": "{root}", "Archive": "{root}/new.zip", "ManifestName": "own/list", "ManifestHead": "head", "Settle": 3},
        items=[{"name": "web.config", "size": 16, "sha256": sha(b"<configuration/>"), "changed": False}],
    ),
    Case(
        verb="entries", about="an archive", parameters={"Archive": "{root}/x.zip"}, files={"x.zip": ARCHIVE},
        items=[
            {"index": 0, "name": "a.txt", "size": 5}, {"index": 1, "name": "sub/", "size": 0}, {"index": 2, "name": "sub/b.txt", "size": 6000},
        ],
    ),
    Case(
        verb="entries", about="read to their end", parameters={"Archive": "{root}/x.zip", "Hash": True}, files={"x.zip": ARCHIVE},
        items=[
            {"index": 0, "name": "a.txt", "size": 5, "sha256": sha(b"first")},
            {"index": 1, "name": "sub/", "size": 0, "sha256": sha(b"")},
            {"index": 2, "name": "sub/b.txt", "size": 6000, "sha256": sha(b"second" * 1000)},
        ],
    ),
    Case(
        verb="entries", about="with their checksums", parameters={"Archive": "{root}/x.zip", "Hash": True, "Checksum": True}, files={"x.zip": ARCHIVE},
        items=[
            {"index": 0, "name": "a.txt", "size": 5, "sha256": sha(b"first"), "crc": zlib.crc32(b"first"), "crc_read": zlib.crc32(b"first"), **PLAIN},
            {"index": 1, "name": "sub/", "size": 0, "sha256": sha(b""), "crc": 0, "crc_read": 0, **PLAIN, "method": 0},
            {
                "index": 2, "name": "sub/b.txt", "size": 6000, "sha256": sha(b"second" * 1000),
                "crc": zlib.crc32(b"second" * 1000), "crc_read": zlib.crc32(b"second" * 1000), **PLAIN,
            },
        ],
    ),
    Case(
        verb="entries", about="with a checksum that is not the content's", parameters={"Archive": "{root}/x.zip", "Hash": True, "Checksum": True},
        files={"x.zip": STORED.getvalue().replace(b"content", b"Content")},
        items=[
            {"index": 0, "name": "s", "size": 7, "sha256": sha(b"Content"), "crc": zlib.crc32(b"content"), "crc_read": zlib.crc32(b"Content"), **PLAIN, "method": 0},
        ],
    ),
    *(
        Case(
            verb="entries", about=about, parameters={"Archive": "{root}/x.zip", "Hash": read}, files={"x.zip": MANY_STORED.getvalue()},
            items=[
                {"index": index, "name": name, "size": 8} | ({"sha256": sha(name.encode())} if read else {}) for index, name in enumerate(MANY)
            ],
        )
        for about, read in (("more than is told at once", False), ("more than is told at once, read to their end", True))
    ),
    Case(
        verb="entries", about="a name with U+0000, by which texts are parted", parameters={"Archive": "{root}/x.zip"},
        files={"x.zip": ARCHIVE.replace(b"a.txt", b"a\0txt")},
        items=[{"index": 0, "name": "a\0txt", "size": 5}, {"index": 1, "name": "sub/", "size": 0}, {"index": 2, "name": "sub/b.txt", "size": 6000}],
    ),
    Case(verb="entries", about="no archive", parameters={"Archive": "{root}/web.config"}, files=TREE, error=NO_ZIP),
    Case(verb="entries", about="an archive without its end", parameters={"Archive": "{root}/x.zip"}, files={"x.zip": ARCHIVE[:-30]}, error=NO_ZIP),
    Case(verb="entries", about="nothing there", parameters={"Archive": "{root}/x.zip"}, error=NO_FILE),
    *(
        Case(verb=verb, about=about, parameters=parameters, files={"x.zip": data, "to/": b""}, given=given, error=NO_ZIP, after={"x.zip": data, "to/": b""})
        for about, data in DAMAGED.items()
        for verb, parameters, given in (
            ("entries", {"Archive": "{root}/x.zip"}, []),
            ("unpack", {"Archive": "{root}/x.zip", "Target": "{root}/to"}, [[9, "a", 5, False]]),
            ("read_lines", {"Path": "{root}/x.zip", "Entry": "a.txt"}, []),
            ("look_into", {"Path": "{root}/x.zip", "Entry": 0}, []),
            ("entry_names", {"Archive": "{root}/x.zip"}, []),
        )
    ),
    Case(
        verb="entries", about="a name in a code page that nobody knows", parameters={"Archive": "{root}/x.zip"}, files={"x.zip": NOT_UTF_8},
        items=[{"index": 0, "name": "\ufffd_.txt", "size": 1}],
    ),
    Case(
        verb="entries", about="other names in Info-ZIP's field, which .NET does not read", parameters={"Archive": "{root}/x.zip"}, files={"x.zip": OTHER_NAMES},
        items=[{"index": index, "name": name, "size": 1} for index, name in enumerate(("\ufffd.txt", "_.txt", "a.txt"))],
    ),
    Case(
        verb="unpack", about="other names in Info-ZIP's field, which .NET does not read", files={"x.zip": OTHER_NAMES, "deep/to/": b""},
        parameters={"Archive": "{root}/x.zip", "Target": "{root}/deep/to"}, given=[[2, "a.txt", 1, False]],
        items=[{"name": "a.txt", "size": 1, "sha256": sha(b"x")}], after={"x.zip": OTHER_NAMES, "deep/to/a.txt": b"x"},
    ),
    Case(
        verb="read_lines", about="by another name in Info-ZIP's field", parameters={"Path": "{root}/x.zip", "Entry": "\u65e5.txt"},
        files={"x.zip": OTHER_NAMES}, items=[],
    ),
    *(
        Case(
            verb="entry_names", about=about, parameters={"Archive": "{root}/x.zip"}, files={"x.zip": archive},
            items=[
                {"index": index, "name": in_base64(raw), "extra": in_base64(fields)}
                for index, (raw, fields) in enumerate(entries) if not raw.isascii()
            ],
        )
        for about, entries, archive in (
            *((f"beside a code page {about}", entries, with_fields(entries)) for about, (entries, _) in BESIDE_A_CODE_PAGE.items()),
            ("of an archive as large ones are", MANY_NAMES, with_fields(MANY_NAMES, zip64=True)),
            ("of many entries", MANY_NAMES * 300, with_fields(MANY_NAMES * 300)),
        )
    ),
    Case(verb="entry_names", about="all known", parameters={"Archive": "{root}/x.zip"}, files={"x.zip": zipped(**{"\u00c4.txt": b"x", "a.txt": b"x"})}, items=[]),
    Case(verb="entry_names", about="nothing there", parameters={"Archive": "{root}/x.zip"}, error=NO_FILE),
    *(
        Case(
            verb="entries", about=f"packed by method {method}", parameters={"Archive": "{root}/x.zip", "Hash": True, "Checksum": True},
            files={"x.zip": packed_by(STORED.getvalue(), method)},
            items=[
                {
                    "index": 0, "name": "s", "size": 7, "crc": zlib.crc32(b"content"), "method": method, "encrypted": False,
                    "error": {"number": 0, "kind": "InvalidDataException"},
                }
            ],
        )
        for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 93, 98)
    ),
    *(
        Case(
            verb="entries", about=f"{about}, of which there is less than the archive says", parameters={"Archive": "{root}/x.zip", "Hash": True, "Checksum": True},
            files={"x.zip": told_to_hold(archive, 1000)},
            items=[
                {
                    "index": 0, "name": "s", "size": 1000, "held": 7, "sha256": sha(b"content"), "crc": zlib.crc32(b"content"), "crc_read": zlib.crc32(b"content"),
                    "method": method, "encrypted": False,
                },
            ],
        )
        for about, archive, method in (("stored", STORED.getvalue(), 0), ("deflated", zipped(s=b"content"), 8))
    ),
    Case(
        verb="entries", about="that ends behind the archive", parameters={"Archive": "{root}/x.zip", "Hash": True, "Checksum": True},
        files={"x.zip": told_to_take(told_to_hold(STORED.getvalue(), 1000), 1000)},
        items=[
            {
                "index": 0, "name": "s", "size": 1000, "crc": zlib.crc32(b"content"), "method": 0, "encrypted": False,
                "error": {"number": 0, "kind": "InvalidDataException"},
            },
        ],
    ),
    Case(
        verb="entries", about="deflated and encrypted", parameters={"Archive": "{root}/x.zip", "Hash": True, "Checksum": True},
        files={"x.zip": encrypted(packed_by(STORED.getvalue(), 8)).replace(b"content", b"\xffsecret")},
        items=[
            {
                "index": 0, "name": "s", "size": 7, "crc": zlib.crc32(b"content"), "method": 8, "encrypted": True,
                "error": {"number": 0, "kind": "InvalidDataException"},
            }
        ],
    ),
    Case(
        verb="entries", about="encrypted", parameters={"Archive": "{root}/x.zip", "Hash": True, "Checksum": True},
        files={"x.zip": encrypted(STORED.getvalue()).replace(b"content", b"\x9fsecret")},
        items=[
            {
                "index": 0, "name": "s", "size": 7, "sha256": sha(b"\x9fsecret"), "crc": zlib.crc32(b"content"), "crc_read": zlib.crc32(b"\x9fsecret"),
                "method": 0, "encrypted": True,
            }
        ],
    ),
    Case(
        verb="unpack", about="chosen entries under chosen names", files={"x.zip": ARCHIVE, "to/": b""},
        parameters={"Archive": "{root}/x.zip", "Target": "{root}/to"},
        given=[
            [2, "new/Ümläut.txt", 6000, False], [1, "sub", 0, True],
        ],
        items=[{"name": "new/Ümläut.txt", "size": 6000, "sha256": sha(b"second" * 1000)}],
        after={"x.zip": ARCHIVE, "to/new/Ümläut.txt": b"second" * 1000, "to/sub/": b""},
    ),
    Case(
        verb="unpack", about="a file that exists", files={"x.zip": ARCHIVE, "to/a": b"precious"}, error=(80, "IOException"), windows=True,
        parameters={"Archive": "{root}/x.zip", "Target": "{root}/to"}, given=[[0, "a", 5, False]],
        after={"x.zip": ARCHIVE, "to/a": b"precious"},
    ),
    Case(
        verb="unpack", about="more than the archive says", files={"x.zip": ARCHIVE, "to/": b""}, error=NO_ZIP,
        parameters={"Archive": "{root}/x.zip", "Target": "{root}/to"}, given=[[0, "a", 4, False]],
    ),
    Case(
        verb="unpack", about="more than 260 characters", files={"x.zip": ARCHIVE, "to/": b""},
        parameters={"Archive": "{root}/x.zip", "Target": "{root}/to"}, given=[[0, f"{LONG}/a", 5, False]],
        items=[{"name": f"{LONG}/a", "size": 5, "sha256": sha(b"first")}], after={"x.zip": ARCHIVE, f"to/{LONG}/a": b"first"},
    ),
    Case(
        verb="read_lines", about="lines with either end", parameters={"Path": "{root}/x"}, files={"x": "eins\r\nzwei ü\n\ndrei".encode()},
        items=["eins", "zwei ü", "", "drei"],
    ),
    Case(verb="read_lines", about="a byte order mark is no text", parameters={"Path": "{root}/x"}, files={"x": b"\xef\xbb\xbfone\n"}, items=["one"]),
    Case(verb="read_lines", about="the first ones", parameters={"Path": "{root}/x", "First": 2}, files={"x": b"1\n2\n3\n"}, items=["1", "2"]),
    Case(verb="read_lines", about="nothing in it", parameters={"Path": "{root}/x"}, files={"x": b""}, items=[]),
    Case(verb="read_lines", about="in an archive", parameters={"Path": "{root}/x.zip", "Entry": "a.txt"}, files={"x.zip": ARCHIVE}, items=["first"]),
    Case(
        verb="read_lines", about="in an archive that separates folders by backslashes", parameters={"Path": "{root}/x.zip", "Entry": "sub/a.txt"},
        files={"x.zip": ARCHIVE.replace(b"sub/b.txt", b"sub\\a.txt")}, items=["second" * 1000],
    ),
    Case(verb="read_lines", about="not in an archive", parameters={"Path": "{root}/x.zip", "Entry": "A.txt"}, files={"x.zip": ARCHIVE}, items=[]),
    Case(verb="read_lines", about="nothing there", parameters={"Path": "{root}/x"}, error=NO_FILE),
    Case(
        verb="look_into", about="XML with what was looked for", parameters={"Path": "{root}/x"}, files={"x": b'<?xml version="1.0"?>\r\n<a>\xc3\xbc</a>'},
        given=["nothing", "\xc3\xbc", "<a>"], items=[{"size": 32, "xml": True, "found": [1, 2]}],
    ),
    Case(
        verb="look_into", about="XML in UTF-16", parameters={"Path": "{root}/x"}, files={"x": "\ufeff<a>b</a>".encode("utf-16-le")},
        given=["<\0a\0>"], items=[{"size": 18, "xml": True, "found": [0]}],
    ),
    Case(verb="look_into", about="no XML", parameters={"Path": "{root}/x"}, files={"x": b"<a>\xa5\x01</a>"}, items=[{"size": 9, "xml": False, "found": []}]),
    Case(
        verb="look_into", about="XML that was cut off", parameters={"Path": "{root}/x"}, files={"x": b"<a>b</"},
        items=[{"size": 6, "xml": False, "found": []}],
    ),
    Case(verb="look_into", about="nothing in it", parameters={"Path": "{root}/x"}, files={"x": b""}, items=[{"size": 0, "xml": False, "found": []}]),
    Case(
        verb="look_into", about="a document type, which is not read", parameters={"Path": "{root}/x"}, files={"x": b"<!DOCTYPE a><a/>"},
        items=[{"size": 16, "xml": False, "found": []}],
    ),
    Case(
        verb="look_into", about="in an archive", parameters={"Path": "{root}/x.zip", "Entry": 2}, files={"x.zip": ARCHIVE}, given=["dse", "x"],
        items=[{"size": 6000, "xml": False, "found": [0]}],
    ),
    Case(
        verb="look_into", about="at the beginning of an archive", parameters={"Path": "{root}/x.zip", "Entry": 0}, files={"x.zip": ARCHIVE}, given=["rst", "x"],
        items=[{"size": 5, "xml": False, "found": [0]}],
    ),
    Case(verb="look_into", about="nothing there", parameters={"Path": "{root}/x"}, error=NO_FILE),
    Case(
        verb="write_lines", about="a new file", parameters={"Path": "{root}/x"}, given=["one", "zwei ü", "", '{"a": "b"}'], items=[],
        after={"x": 'one\nzwei ü\n\n{"a": "b"}\n'.encode()},
    ),
    Case(
        verb="write_lines", about="a time, which is a text", parameters={"Path": "{root}/x"}, given=[MOMENT, "x"], items=[],
        after={"x": f"{MOMENT}\nx\n".encode()},
    ),
    Case(
        verb="write_lines", about="in UTF-16", parameters={"Path": "{root}/x", "Utf16": True}, given=["zwei ü", "\U0001f600"], items=[],
        after={"x": b"\xff\xfe" + "zwei ü\n\U0001f600\n".encode("utf-16-le")},
    ),
    Case(verb="write_lines", about="nothing in UTF-16", parameters={"Path": "{root}/x", "Utf16": True}, given=[], items=[], after={"x": b"\xff\xfe"}),
    Case(verb="read_lines", about="what is in UTF-16", parameters={"Path": "{root}/x"}, files={"x": "\ufeffä\nb\n".encode("utf-16-le")}, items=["ä", "b"]),
    Case(
        verb="write_lines", about="over another one, and over what an interruption left", parameters={"Path": "{root}/x"}, given=["new"],
        files={"x": b"old", "x.partial": b"half of something long"}, items=[], after={"x": b"new\n"},
    ),
    Case(verb="write_lines", about="no folder", parameters={"Path": "{root}/no/x"}, given=["x"], error=MISSING),
    Case(verb="make_folder", about="with those above", parameters={"Path": "{root}/a/b/ü"}, items=[], after={"a/b/ü/": b""}),
    Case(verb="make_folder", about="that exists", parameters={"Path": "{root}/sub"}, files=TREE, items=[], after=TREE),
    Case(verb="make_folder", about="private", parameters={"Path": "{root}/a", "Private": True}, items=[], after={"a/": b""}, windows=True),
    Case(verb="set_rights", about="inherited anew", parameters={"Path": "{root}/sub"}, files=TREE, items=[], after=TREE, windows=True),
    Case(
        verb="set_rights", about="and those of another folder", parameters={"Path": "{root}/sub", "Like": "{root}/empty"}, files=TREE, items=[],
        after=TREE, windows=True,
    ),
    Case(
        verb="set_rights", about="and those of what lies in another folder", parameters={"Path": "{root}/sub", "Below": "{root}/empty"}, files=TREE,
        items=[], after=TREE, windows=True,
    ),
    Case(
        verb="move", about="a file and a folder", given=[[f"{{root}}/from{number}", f"{{root}}/to{number}"] for number in (1, 2)],
        files={"from1": b"x", "from2/inner": b"y"}, items=[moved(1), moved(2)], after={"to1": b"x", "to2/inner": b"y"},
    ),
    Case(
        verb="move", about="stops at what fails", given=[[f"{{root}}/from{number}", f"{{root}}/to{number}"] for number in (1, 2, 3)],
        files={"from1": b"x", "from3": b"z"}, items=[moved(1), moved(2, error=NO_FILE)], after={"to1": b"x", "from3": b"z"},
    ),
    Case(
        verb="move", about="over something", given=[["{root}/from1", "{root}/to1"]], windows=True,
        files={"from1": b"x", "to1": b"precious"}, items=[moved(1, error=(183, "IOException"))], after={"from1": b"x", "to1": b"precious"},
    ),
    Case(
        verb="copy_file", about="over another one", parameters={"From": "{root}/a", "To": "{root}/b"}, files={"a": b"new", "b": b"old"}, items=[],
        after={"a": b"new", "b": b"new"},
    ),
    Case(
        verb="copy_file", about="over one that is marked as read-only", parameters={"From": "{root}/a", "To": "{root}/b"}, read_only=["b"],
        files={"a": b"new", "b": b"old"}, items=[], after={"a": b"new", "b": b"new"},
    ),
    Case(
        verb="write_lines", about="over one that is marked as read-only, and over the half of one", parameters={"Path": "{root}/x"}, given=["new"],
        files={"x": b"old", "x.partial": b"half"}, read_only=["x", "x.partial"], items=[], after={"x": b"new\n"},
    ),
    Case(verb="copy_file", about="nothing there", parameters={"From": "{root}/a", "To": "{root}/b"}, error=NO_FILE),
    Case(verb="remove", about="a file", parameters={"Path": "{root}/web.config"}, files=TREE, items=[{"removed": True}]),
    Case(
        verb="remove", about="a folder", parameters={"Path": "{root}/sub"}, files=TREE, items=[{"removed": True}],
        after={"web.config": TREE["web.config"], "empty/": b""},
    ),
    Case(verb="remove", about="nothing there", parameters={"Path": "{root}/gone"}, items=[{"removed": False}]),
    Case(verb="remove", about="more than 260 characters", parameters={"Path": "{root}/to"}, files={f"to/{LONG}/x": b""}, items=[{"removed": True}], after={}),
    Case(
        verb="run_scripts", about="two of them", files=TREE, parameters={"Depth": 7},
        given=[script("a", "{root}/web.config", "{root}/none"), script("b", "{root}/sub")],
        items=[
            said("a", {"path": "{root}/web.config", "bytes": len(TREE["web.config"])}, {"path": "{root}/none", "exists": False, "error": 2}),
            said("b", {"path": "{root}/sub", "is_folder": True}),
        ],
    ),
    Case(
        verb="run_scripts", about="in check mode, and not too deep", parameters={"CheckMode": True, "Depth": 1},
        given=[script("a", "{root}")],
        items=[said("a", result={"paths": ["System.Collections.Hashtable"], "newest": []})],
    ),
    Case(
        verb="run_scripts", about="a share that could not be connected",
        parameters={"Depth": 7, "Unconnected": {"\\\\Files\\gone": {"number": 1326, "message": "No such user."}}},
        given=[script("a", "\\\\files\\gone\\a.txt")], items=[said("a", {"path": "\\\\files\\gone\\a.txt", "exists": False, "error": 1326})],
    ),
    Case(
        verb="run_scripts", about="one that knows no check mode", parameters={"Depth": 7},
        given=[script("a", text=INSPECT_PATHS.replace("(SupportsShouldProcess)", "()")), script("b")],
        items=[
            said("a", changed=True, failed=True, result={}, error=[{"exception": {"message": "The script has no [CmdletBinding(SupportsShouldProcess)]."}}]),
            said("b"),
        ],
    ),
    Case(verb="pool", about="look", parameters={"Name": POOL}, items=[{"exists": True, "state": "Started", "workers": []}], windows=True),
    Case(verb="pool", about="no such pool", parameters={"Name": "none"}, items=[{"exists": False, "state": "Unknown", "workers": []}], windows=True),
    Case(verb="pool", about="another action", parameters={"Name": "none", "Action": "recycle"}, error=(0, "ValidationMetadataException"), windows=True),
    Case(
        verb="connect", about="no such server", error=(53, "Win32Exception"), windows=True,
        parameters={"Name": "PrsRecovery1", "Root": "\\\\no-such-server\\x", "User": "u", "Password": "p"},
    ),
    Case(
        verb="connect", about="a wrong password", error=(1326, "Win32Exception"), windows=True,
        parameters={"Name": "PrsRecovery1", "Root": "\\\\files\\backup", "User": "PRSLAB\\svc-backup", "Password": "wrong"},
    ),
    Case(
        verb="connect", about="an account of its own", items=[], windows=True,
        parameters={"Name": "PrsRecovery1", "Root": "\\\\files\\backup", "User": "PRSLAB\\svc-backup", "Password": SHARE_PASSWORD},
    ),
    Case(verb="disconnect", about="all of a server", parameters={"Name": "PrsRecovery7", "Server": "\\\\files"}, items=[], windows=True),
    Case(verb="disconnect", about="what is not connected", parameters={"Name": "PrsRecovery7"}, items=[], windows=True),
]  # fmt: skip
