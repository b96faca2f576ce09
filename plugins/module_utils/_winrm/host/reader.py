# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files, folders and archives of a Windows host as they are: each verb that reads as a method with Python's types."""

from __future__ import annotations

import base64
import codecs
import datetime as dt
import gzip
import io
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any, TypeVar

from ..._core.application.archive_entries import ArchiveEntry, ReadEntry
from ..._core.application.unicode_path import unicode_path
from ..._core.windows_files import NOTHING_THERE, FolderEntry, PresentFile
from ..._core.windows_paths import join
from ..._progress import Progress
from ..connection.conversation import VerbFailed
from ..connection.errors import WindowsFault, windows_fault
from ..connection.session import Session
from ..verbs import (
    entries,
    entry_names,
    hash_files,
    list_folder,
    look_into,
    read_lines,
    read_ranges,
    stat_paths,
)
from .shares import ShareConnections

__all__ = ["FileInspection", "FileRanges", "PathState", "TextFile", "WindowsReader"]

SMALL = 4 << 20
"""Bytes up to which texts are fetched many at a time."""

Entry = TypeVar("Entry", bound=ArchiveEntry)


@dataclass(frozen=True, kw_only=True)
class PathState:
    """What is at a path; modified in UTC (ISO 8601); free: bytes left on its drive, None on a share."""

    exists: bool
    folder: bool = False
    size: int = 0
    modified: str = ""
    free: int | None = None


@dataclass(frozen=True, kw_only=True)
class FileInspection:
    """What a small file is, as far as the host told. marks: those of the texts that were looked for that are in it."""

    size: int
    xml: bool
    marks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FileRanges:
    """Parts of a file, shorter where it ends; modified in UTC (ISO 8601). fault: why there are none."""

    path: str
    size: int = 0
    modified: str = ""
    ranges: tuple[bytes, ...] = ()
    fault: WindowsFault | None = None


@dataclass(frozen=True, kw_only=True)
class TextFile:
    """A text file, or why there is none."""

    path: str
    content: list[str]
    fault: WindowsFault | None = None

    @property
    def is_there(self) -> bool:
        return self.fault is None or self.fault.number not in NOTHING_THERE

    @property
    def lines(self) -> list[str]:
        """Raises WindowsFault."""
        if self.fault:
            raise self.fault
        return self.content


def _lines_of(content: bytes) -> list[str]:
    """UTF-8, or as a byte order mark says: Windows PowerShell writes UTF-16 where a person edits a file with it."""
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = content.decode("utf-16" if is_wide else "utf-8-sig", "replace")
    return [line.rstrip("\n") for line in io.StringIO(text, newline=None)]


def _read_entry(answer: dict[str, Any]) -> ReadEntry:
    known = ("index", "name", "size", "packed", "attributes", "method", "encrypted")
    return ReadEntry(
        **{key: answer[key] for key in known},
        sha256=answer.get("sha256"),
        intact="sha256" in answer and answer["crc"] == answer["crc_read"],
        held=answer.get("held"),
    )


def _by_their_names(session: Session, archive: str, listed: Sequence[Entry]) -> list[Entry]:
    """By the second name in UTF-8 that an entry may have beside one in a code page. .NET reads none."""
    if all(entry.name.isascii() for entry in listed):
        return [*listed]
    names = {}
    for answer in session.call(entry_names.SCRIPT, doing=f"Reading names in {archive}", Archive=archive):
        name = unicode_path(base64.b64decode(answer["name"]), base64.b64decode(answer["extra"]))
        if name is not None:
            names[answer["index"]] = name
    return [replace(entry, name=names.get(entry.index, entry.name)) for entry in listed]


class WindowsReader:
    """All that the collection reads of a Windows host, through one session."""

    def __init__(self, session: Session, *, check_mode: bool, progress: Progress) -> None:
        self._session = session
        self.host = session.host
        self.check_mode = check_mode
        self.progress = progress
        self.warnings: list[str] = []
        self.shares = ShareConnections(session, progress=progress, warn=self._warn)

    def _warn(self, text: str) -> None:
        self.warnings.append(text)  # whoever holds them: a module puts its own list there

    @property
    def computer(self) -> str:
        """The host's own name."""
        return self._session.computer

    @property
    def now(self) -> dt.datetime:
        """When this run began, by the host's own clock."""
        return self._session.began

    @property
    def is_lost(self) -> bool:
        """Whether the host answers no more."""
        return self._session.is_lost

    def reconnect(self) -> None:
        """A new session after a lost one. Shares are not connected in it. Raises RecoveryError when the host does not
        come back.
        """
        self._session.reconnect()
        self.shares.forget()

    def share(self, path: str, *, user: str | None, password: str | None) -> AbstractContextManager[None]:
        """Use a path of a share under an account of its own, if one is given."""
        return self.shares.use(path, user=user, password=password)

    # Looking

    def stat(self, *paths: str) -> list[PathState]:
        """In the order of the paths. Raises WindowsFault for a path that cannot be looked at; that nothing is there is
        an answer.
        """
        states = []
        for answer in self._session.call(stat_paths.SCRIPT, doing="Looking at paths", items=paths):
            if answer["error"]:
                raise self._fault(answer["error"], doing=f"Looking at {answer['path']}")
            states.append(PathState(**{key: answer[key] for key in ("exists", "folder", "size", "modified", "free")}))
        return states

    def list(self, path: str, *, recurse: bool = True, partial: bool = False) -> list[FolderEntry]:
        """Everything below a folder. Raises WindowsFault for one below it that may not be read, such as snapshots of a
        filer; partial: its entry says so instead.
        """
        result = self._session.call(
            list_folder.SCRIPT,
            doing=f"Reading the folder {path}",
            Path=path,
            Recurse=recurse,
            on_progress=self._counted(f"reading {path}"),
        )
        entries: dict[str, FolderEntry] = {}
        for answer in result:
            name, error = answer["name"], answer.get("error")
            if error and not partial:
                raise self._fault(error, doing=f"Reading the folder {join(path, *name.split('/'))}")
            entries[name] = replace(entries[name], fault=error["message"]) if error else FolderEntry(**answer)
        return [*entries.values()]

    def list_if_there(self, folder: str) -> list[FolderEntry]:
        """What lies in a folder itself; nothing where there is none."""
        try:
            return self.list(folder, recurse=False)
        except WindowsFault as fault:
            if fault.number not in NOTHING_THERE:
                raise
            return []

    def hash(self, path: str, names: Sequence[str]) -> dict[str, PresentFile]:
        """Files of a folder by name; without a hash where one cannot be read, left out where it is gone."""
        if not names:
            return {}
        result = self._session.call(
            hash_files.SCRIPT,
            doing=f"Reading the files of {path}",
            items=names,
            Path=path,
            on_progress=self._counted(f"reading {path}"),
        )
        present: dict[str, PresentFile] = {}
        for answer in result:
            if "error" not in answer:
                present[answer["name"]] = PresentFile(size=answer["size"], sha256=answer["sha256"])
            elif answer["error"]["number"] not in NOTHING_THERE:
                present[answer["name"]] = PresentFile(size=0, sha256=None)
        return present

    def hash_one(self, folder: str, name: str) -> PresentFile:
        """One file. Raises WindowsFault when it cannot be read."""
        doing = f"Reading {folder}\\{name}"
        [answer] = self._session.call(
            hash_files.SCRIPT, doing=doing, items=[name], Path=folder, on_progress=self._counted(f"reading {name}")
        )
        if "error" in answer:
            raise self._fault(answer["error"], doing=doing)
        return PresentFile(size=answer["size"], sha256=answer["sha256"])

    def entries(self, archive: str) -> list[ArchiveEntry]:
        """What an archive holds."""
        result = self._session.call(entries.SCRIPT, doing=f"Reading the archive {archive}", Archive=archive)
        return _by_their_names(self._session, archive, [ArchiveEntry(**answer) for answer in result])

    def entry_hashes(self, archive: str) -> dict[str, PresentFile]:
        """The content of an archive by name, read to its end where it lies; without a hash where an entry
        is damaged.
        """
        result = self._session.call(
            entries.SCRIPT,
            doing=f"Verifying the archive {archive}",
            Archive=archive,
            Hash=True,
            on_progress=self._counted(f"verifying {archive}"),
        )
        return {
            answer["name"]: PresentFile(size=answer["size"], sha256=answer.get("sha256"))
            for answer in result
            if not answer["name"].endswith("/")
        }

    def read_entries(self, archive: str) -> list[ReadEntry]:
        """What an archive holds, each entry read to its end and its checksum compared: for an archive that nothing else
        vouches for.
        """
        result = self._session.call(
            entries.SCRIPT,
            doing=f"Verifying the archive {archive}",
            on_progress=self._counted(f"verifying {archive}"),
            Archive=archive,
            Hash=True,
            Checksum=True,
        )
        return _by_their_names(self._session, archive, [_read_entry(answer) for answer in result])

    def look_into(self, path: str, *, marks: Sequence[str] = (), entry: int | None = None) -> FileInspection:
        """What a small file is, or an entry of an archive by its index; its content stays on the host."""
        chosen = {} if entry is None else {"Entry": entry}
        [answer] = self._session.call(look_into.SCRIPT, doing=f"Looking into {path}", items=marks, Path=path, **chosen)
        return FileInspection(
            size=answer["size"], xml=answer["xml"], marks=tuple(marks[position] for position in answer["found"])
        )

    def read_lines(self, path: str, *, entry: str | None = None, first: int | None = None) -> list[str]:
        """Lines of a text file or of a text in an archive; none when the archive has no such entry. first: how many at
        most.
        """
        chosen = {name: value for name, value in (("Entry", entry), ("First", first)) if value is not None}
        return self._session.call(read_lines.SCRIPT, doing=f"Reading {path}", Path=path, **chosen)

    def read_texts(self, paths: Sequence[str]) -> Iterator[TextFile]:
        """Whole small text files, as read_lines reads each, in the order of the paths, in one call for all of them."""
        if not paths:
            return
        for file in self.read_ranges((path, [(0, SMALL)]) for path in paths):
            yield self._text_in(file)

    def read_text_beside(self, path: str, text: str) -> tuple[PathState, TextFile]:
        """What is at a path, without its content, and a small text file that lies there as well, in one call. Raises
        WindowsFault as stat does.
        """
        file, beside = self.read_ranges([(path, [(0, 0)]), (text, [(0, SMALL)])])
        if file.fault:  # a folder, or a file that may be seen and not be opened
            [state] = self.stat(path)
        else:
            state = PathState(exists=True, size=file.size, modified=file.modified)
        return state, self._text_in(beside)

    def _text_in(self, file: FileRanges) -> TextFile:
        """The whole text of which the first part was fetched."""
        content: list[str] = []
        fault = file.fault
        try:
            if not fault:
                content = self.read_lines(file.path) if file.size > SMALL else _lines_of(file.ranges[0])
        except WindowsFault as problem:
            fault = problem
        return TextFile(path=file.path, content=content, fault=fault)

    def read_ranges(self, wanted: Iterable[tuple[str, Sequence[tuple[int, int]]]]) -> Iterator[FileRanges]:
        """Parts of many files in one call, in the order of the files.

        wanted: path -> pairs (offset, length); an offset below zero is counted from the file's end.
        """
        result = self._session.call(
            read_ranges.SCRIPT,
            doing="Reading parts of files",
            items=[{"path": path, "ranges": [list(pair) for pair in ranges]} for path, ranges in wanted],
            on_progress=self._counted("reading parts of files"),
        )
        waiting: list[dict[str, Any]] = []
        for answer in result:
            if not isinstance(answer, str):
                waiting.append(answer)
                continue
            yield from self._with_ranges(waiting, gzip.decompress(base64.b64decode(answer)))
            waiting = []
        yield from self._with_ranges(waiting, b"")

    def _with_ranges(self, answers: Iterable[dict[str, Any]], content: bytes) -> Iterator[FileRanges]:
        """Each answer with its share of the bytes that belong to all of them together."""
        at = 0
        for answer in answers:
            if "error" in answer:
                fault = self._fault(answer["error"], doing=f"Reading {answer['path']}")
                yield FileRanges(path=answer["path"], fault=fault)
                continue
            ends = list(accumulate(answer["lengths"], initial=at))
            ranges = tuple(content[start:end] for start, end in pairwise(ends))
            at = ends[-1]
            yield FileRanges(path=answer["path"], size=answer["size"], modified=answer["modified"], ranges=ranges)

    def call(self, script: str, *, doing: str, **parameters: Any) -> list[Any]:
        """Any other verb."""
        return self._session.call(script, doing=doing, **parameters)

    def _fault(self, error: dict[str, Any], *, doing: str) -> WindowsFault:
        return windows_fault(
            VerbFailed(number=error["number"], kind=error["kind"], message=error["message"]),
            host=self.host,
            doing=doing,
        )

    def _counted(self, what: str) -> Callable[[dict[str, Any]], None]:
        def show(so_far: dict[str, Any]) -> None:
            if "bytes" in so_far:
                self.progress.line(f"{what}: {so_far['bytes'] / 1e6:.0f} MB")
            else:
                self.progress.line(f"{what}: {so_far['files']} files")

        return show

    def _percent(self, what: str, total: int) -> Callable[[dict[str, Any]], None]:
        since = time.monotonic()

        def show(so_far: dict[str, Any]) -> None:
            self.progress.percent(what, min(99, 100 * so_far["bytes"] // max(total, 1)), since=since)

        return show
