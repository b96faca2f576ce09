# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files, folders and archives of a Windows host: each verb as a method with Python's types.

In check mode every method that writes does nothing; those that read, read.
"""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from ..._core.advice.windows import advice_for, over_winrm
from ..._core.application.archive_entries import AcceptedEntry, ArchiveEntry, ReadEntry
from ..._core.application.archive_manifest import INSIDE_NAME
from ..._core.application.swap_steps import Move
from ..._core.errors import RecoveryError
from ..._core.windows_files import FolderEntry, PresentFile
from ..._core.windows_paths import server_of, share_root
from ..._progress import Progress
from ..connection.conversation import VerbFailed
from ..connection.errors import WindowsFault, windows_fault
from ..connection.session import Session
from ..verbs import (
    connect,
    copy_file,
    disconnect,
    entries,
    hash_files,
    list_folder,
    look_into,
    make_folder,
    move,
    pack,
    read_lines,
    read_ranges,
    remove,
    set_rights,
    stat_paths,
    unpack,
    write_lines,
)

__all__ = ["FileInspection", "FileRanges", "PackedFile", "PathState", "WindowsFiles"]

_SHARING_VIOLATION = (32, 33)
_NOTHING_THERE = (2, 3)
_OTHER_ACCOUNT = 1219


@dataclass(frozen=True, kw_only=True)
class PathState:
    """What is at a path; modified in UTC (ISO 8601); free: bytes left on its drive, None on a share."""

    exists: bool
    folder: bool = False
    link: bool = False
    size: int = 0
    modified: str = ""
    free: int | None = None


@dataclass(frozen=True, kw_only=True)
class PackedFile:
    """A file as pack found it. changed: it became another one while it was read. fault, number: why it is not in the
    archive.
    """

    name: str
    size: int = 0
    sha256: str = ""
    modified: str = ""
    changed: bool = False
    fault: str = ""
    number: int = 0

    @property
    def vanished(self) -> bool:
        return self.number in _NOTHING_THERE


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


class WindowsFiles:
    """All that the application's modules do with files, through one session."""

    def __init__(self, session: Session, *, check_mode: bool, progress: Progress) -> None:
        self._session = session
        self.host = session.host
        self.check_mode = check_mode
        self.progress = progress
        self.warnings: list[str] = []
        self._connected: set[str] = set()
        self._connections = 0

    @property
    def computer(self) -> str:
        """The host's own name."""
        return self._session.computer

    @property
    def now(self) -> dt.datetime:
        """When this run began, by the host's own clock."""
        return self._session.began

    # Shares

    @contextmanager
    def share(self, path: str, *, user: str | None, password: str | None) -> Iterator[None]:
        """Use a path of a share under an account of its own, if one is given; afterwards the share is disconnected,
        however it ended.
        """
        root = share_root(path)
        if not user or root is None or root.lower() in self._connected:
            yield
            return
        name = f"PrsRecovery{len(self._connected) + 1}"
        self._connect(name, root, user, password or "")
        self._connected.add(root.lower())
        try:
            yield
        finally:
            self._connected.discard(root.lower())
            try:
                self._session.call(disconnect.SCRIPT, doing=f"Disconnecting from {root}", Name=name)
            except RecoveryError as problem:  # the end of the session disconnects as well
                self.warnings.append(str(problem))

    def _connect(self, name: str, root: str, user: str, password: str) -> None:
        """Raises WindowsFault. 1219, the server being connected under another account, is put right where this session
        can.
        """
        doing = f"Connecting to {root} as {user}"
        account = {"Name": name, "Root": root, "User": user, "Password": password}
        try:
            self._session.call(connect.SCRIPT, doing=doing, **account)
        except WindowsFault as fault:
            if fault.number != _OTHER_ACCOUNT:
                raise
            server = server_of(root)
            self.progress.line(f"{server} is connected under another account: disconnecting that")
            self._session.call(disconnect.SCRIPT, doing=f"Disconnecting from {server}", Name=name, Server=server)
            self._session.call(connect.SCRIPT, doing=doing, **account)

    # Looking

    def stat(self, *paths: str) -> list[PathState]:
        """In the order of the paths. Raises WindowsFault for a path that cannot be looked at; that nothing is there is
        an answer.
        """
        states = []
        for answer in self._session.call(stat_paths.SCRIPT, doing="Looking at paths", items=paths):
            if answer["error"]:
                raise self._fault(answer["error"], doing=f"Looking at {answer['path']}")
            states.append(
                PathState(**{key: answer[key] for key in ("exists", "folder", "link", "size", "modified", "free")})
            )
        return states

    def list(self, path: str, *, recurse: bool = True) -> list[FolderEntry]:
        """Everything below a folder."""
        result = self._session.call(
            list_folder.SCRIPT,
            doing=f"Reading the folder {path}",
            Path=path,
            Recurse=recurse,
            on_progress=self._counted(f"reading {path}"),
        )
        return [FolderEntry(**answer) for answer in result]

    def hash(self, path: str, names: Sequence[str]) -> dict[str, PresentFile]:
        """Files of a folder by name; without a hash where one cannot be read, left out where it is gone."""
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
            elif answer["error"]["number"] not in _NOTHING_THERE:
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
        return [
            ArchiveEntry(**answer)
            for answer in self._session.call(entries.SCRIPT, doing=f"Reading the archive {archive}", Archive=archive)
        ]

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
        known = ("index", "name", "size", "packed", "attributes", "method", "encrypted")
        return [
            ReadEntry(
                **{key: answer[key] for key in known},
                sha256=answer.get("sha256"),
                intact="sha256" in answer and answer["crc"] == answer["crc_read"],
            )
            for answer in result
        ]

    def look_into(self, path: str, *, marks: Sequence[str] = (), entry: str | None = None) -> FileInspection | None:
        """What a small file, or an entry of an archive, is; its content stays on the host. None when the archive has no
        such entry.
        """
        chosen = {"Entry": entry} if entry else {}
        for answer in self._session.call(
            look_into.SCRIPT, doing=f"Looking into {path}", items=marks, Path=path, **chosen
        ):
            return FileInspection(
                size=answer["size"], xml=answer["xml"], marks=tuple(marks[position] for position in answer["found"])
            )
        return None

    def read_lines(self, path: str, *, entry: str | None = None, first: int | None = None) -> list[str]:
        """Lines of a text file or of a text in an archive; none when the archive has no such entry. first: how many at
        most.
        """
        chosen = {name: value for name, value in (("Entry", entry), ("First", first)) if value is not None}
        return self._session.call(read_lines.SCRIPT, doing=f"Reading {path}", Path=path, **chosen)

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

    # Writing

    def pack(
        self,
        path: str,
        *,
        archive: str,
        head: str,
        names: Sequence[str],
        total: int,
        settle: int,
        instead: Mapping[str, str],
    ) -> list[PackedFile]:
        """Write files of a folder into a new archive.

        total: bytes to expect, for who waits. settle: up to how many bytes a file is read whole before any of it is
        written, and so can be tried again. instead: full paths of files to take under a name.
        """
        if self.check_mode:
            return []
        result = self._session.call(
            pack.SCRIPT,
            doing=f"Archiving {path} to {archive}",
            items=[{"name": name, "source": instead[name]} if name in instead else name for name in names],
            on_progress=self._percent(f"archiving {path}", total),
            Path=path,
            Archive=archive,
            ManifestName=INSIDE_NAME,
            ManifestHead=head,
            Settle=settle,
        )
        return [self._packed(answer) for answer in result]

    def unpack(self, archive: str, *, target: str, wanted: Sequence[AcceptedEntry]) -> dict[str, PresentFile]:
        """Write entries of an archive as files below a folder; what was written, by name."""
        if self.check_mode:
            return {}
        items = [
            {"index": entry.index, "name": entry.name, "size": entry.size, "folder": entry.folder} for entry in wanted
        ]
        result = self._session.call(
            unpack.SCRIPT,
            doing=f"Unpacking {archive} to {target}",
            items=items,
            on_progress=self._percent(f"unpacking {archive}", sum(entry.size for entry in wanted)),
            Archive=archive,
            Target=target,
        )
        return {answer["name"]: PresentFile(size=answer["size"], sha256=answer["sha256"]) for answer in result}

    def write_lines(self, path: str, lines: Iterable[str]) -> None:
        """A text file, there whole or not at all."""
        self._write(write_lines.SCRIPT, doing=f"Writing {path}", items=list(lines), Path=path)

    def make_folder(self, path: str, *, private: bool = False) -> None:
        """private: for SYSTEM and the administrators alone."""
        self._write(make_folder.SCRIPT, doing=f"Making the folder {path}", Path=path, Private=private)

    def set_rights(self, path: str, *, like: str | None = None, below: str | None = None) -> None:
        """Let a folder inherit its rights anew. like: another one whose own rights it gets; below: one whose contents'
        own rights its contents get.
        """
        chosen = {name: folder for name, folder in (("Like", like), ("Below", below)) if folder}
        self._write(set_rights.SCRIPT, doing=f"Setting the rights of {path}", Path=path, **chosen)

    def copy(self, source: str, target: str) -> None:
        self._write(copy_file.SCRIPT, doing=f"Copying {source} to {target}", From=source, To=target)

    def remove(self, path: str) -> None:
        """Nothing happens when nothing is there."""
        self._write(remove.SCRIPT, doing=f"Removing {path}", on_progress=self._counted(f"removing {path}"), Path=path)

    def discard(self, path: str) -> None:
        """Remove what is not whole, as far as that is possible: the reason is more important than what is left."""
        try:
            self.remove(path)
        except RecoveryError as problem:
            self.warnings.append(f"{path} could not be removed ({problem.message}). The next run removes it.")

    def remove_if_unused(self, path: str) -> bool:
        """Remove a file unless another program, such as another run, has it open."""
        try:
            self.remove(path)
        except WindowsFault as fault:
            if fault.number in _SHARING_VIOLATION:
                return False
            raise
        return True

    def rename(self, source: str, target: str) -> None:
        """Nothing may be at the target. Raises WindowsFault."""
        fault = self.move([Move(source, target)])[1]
        if fault:
            raise fault

    def move(self, moves: Sequence[Move]) -> tuple[int, WindowsFault | None]:
        """Rename one after the other; how many were done, and what stopped the next one."""
        if self.check_mode or not moves:
            return len(moves), None
        answers = self._session.call(
            move.SCRIPT,
            doing="Renaming",
            items=[{"from": step.source, "to": step.target} for step in moves],
            on_progress=self._counted("renaming"),
        )
        last = answers[-1]
        if last["error"]:
            return len(answers) - 1, self._fault(last["error"], doing=f"Renaming {last['from']} to {last['to']}")
        return len(answers), None

    # Help

    def _write(
        self,
        script: str,
        *,
        doing: str,
        items: Iterable[Any] = (),
        on_progress: Callable[[dict[str, Any]], None] | None = None,
        **parameters: Any,
    ) -> None:
        if not self.check_mode:
            self._session.call(script, doing=doing, items=items, on_progress=on_progress, **parameters)

    def call(self, script: str, *, doing: str, **parameters: Any) -> list[Any]:
        """Any other verb."""
        return self._session.call(script, doing=doing, **parameters)

    def _fault(self, error: dict[str, Any], *, doing: str) -> WindowsFault:
        return windows_fault(
            VerbFailed(number=error["number"], kind=error["kind"], message=error["message"]),
            host=self.host,
            doing=doing,
        )

    def _packed(self, answer: dict[str, Any]) -> PackedFile:
        error = answer.pop("error", None)
        if error is None:
            return PackedFile(**answer)
        advice = advice_for(number=error["number"], kind=error["kind"], access=over_winrm(self.host))
        return PackedFile(
            name=answer["name"], fault=f"{error['message'].rstrip('.')}. {advice}".strip(), number=error["number"]
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
