# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files, folders and archives of a Windows host: what changes them. In check mode every method here does nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.advice.windows import advice_for, over_winrm
from ..._core.application.archive_entries import AcceptedEntry
from ..._core.application.archive_manifest import INSIDE_NAME
from ..._core.application.swap_steps import Move
from ..._core.errors import RecoveryError
from ..._core.windows_files import NOTHING_THERE, PresentFile
from ..connection.errors import WindowsFault
from ..verbs import copy_file, make_folder, move, pack, remove, set_rights, unpack, write_lines
from .reader import WindowsReader

__all__ = ["PackedFile", "WindowsFiles"]

ATTEMPTS, PAUSE = 5, 2.0
"""A virus scanner or an indexer looks into a file as soon as it is closed, and lets go after a moment: how often a
change is tried until then, and the seconds in between.
"""
_SHARING_VIOLATION = (32, 33)
_IN_USE = (5, *_SHARING_VIOLATION)


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
        return self.number in NOTHING_THERE


class WindowsFiles(WindowsReader):
    """All that the collection does with files of a Windows host, through one session."""

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
        items = [(entry.index, entry.name, entry.size, entry.folder) for entry in wanted]
        result = self._session.call(
            unpack.SCRIPT,
            doing=f"Unpacking {archive} to {target}",
            items=items,
            on_progress=self._percent(f"unpacking {archive}", sum(entry.size for entry in wanted)),
            Archive=archive,
            Target=target,
        )
        return {answer["name"]: PresentFile(size=answer["size"], sha256=answer["sha256"]) for answer in result}

    def write_lines(self, path: str, lines: Iterable[str], *, utf16: bool = False, ahead: bool = False) -> None:
        """A text file, there whole or not at all. utf16: with a byte order mark, otherwise UTF-8 without one. ahead:
        with what is asked for next, which does not run without it.
        """
        patience = int(ATTEMPTS * PAUSE * 1000)
        is_first = True

        def waits(_value: dict[str, Any]) -> None:
            nonlocal is_first
            if is_first:
                self.progress.line(f"{path} is in use, trying again")
            is_first = False

        self._write(
            write_lines.SCRIPT,
            doing=f"Writing {path}",
            items=lines,
            on_progress=waits,
            ahead=ahead,
            Path=path,
            Patience=patience,
            Utf16=utf16,
        )

    def make_folder(self, path: str, *, private: bool = False, ahead: bool = False) -> None:
        """private: for SYSTEM and the administrators alone. ahead: as for write_lines."""
        self._write(make_folder.SCRIPT, doing=f"Making the folder {path}", ahead=ahead, Path=path, Private=private)

    def set_rights(self, path: str, *, like: str | None = None, below: str | None = None, ahead: bool = False) -> None:
        """Let a folder inherit its rights anew. like: another one whose own rights it gets; below: one whose contents'
        own rights its contents get. ahead: as for write_lines.
        """
        chosen = {name: folder for name, folder in (("Like", like), ("Below", below)) if folder}
        self._write(set_rights.SCRIPT, doing=f"Setting the rights of {path}", ahead=ahead, Path=path, **chosen)

    def copy(self, source: str, target: str) -> None:
        self._write(copy_file.SCRIPT, doing=f"Copying {source} to {target}", From=source, To=target)

    def remove(self, path: str, *, ahead: bool = False) -> None:
        """Nothing happens when nothing is there. ahead: as for write_lines."""
        self._remove(path, ahead=ahead)

    def discard(self, path: str, *, ahead: bool = False, leave: Callable[[RecoveryError], None] | None = None) -> None:
        """Remove what is not whole, as far as that is possible: the reason is more important than what is left. ahead:
        with what is asked for next, which runs whether it is possible or not. leave: hears why it stays, instead of a
        warning.
        """

        def warn(problem: RecoveryError) -> None:
            self.warnings.append(f"{path} could not be removed ({problem.message}). The next run removes it.")

        try:
            self._remove(path, ahead=ahead, mend=leave or warn)
        except RecoveryError as problem:
            (leave or warn)(problem)

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

        def once() -> None:
            fault = self.move([Move(source, target)])[1]
            if fault:
                raise fault

        self._patiently(source, once)

    def move(self, moves: Sequence[Move]) -> tuple[int, WindowsFault | None]:
        """Rename one after the other; how many were done, and what stopped the next one."""
        if self.check_mode or not moves:
            return len(moves), None
        answers = self._session.call(
            move.SCRIPT,
            doing="Renaming",
            items=[(step.source, step.target) for step in moves],
            on_progress=self._counted("renaming"),
        )
        last = answers[-1]
        if last["error"]:
            return len(answers) - 1, self._fault(last["error"], doing=f"Renaming {last['from']} to {last['to']}")
        return len(answers), None

    def _patiently(self, path: str, change: Callable[[], None]) -> None:
        """Make a change to a file that somebody else may have open for a moment. Raises WindowsFault."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return change()
            except WindowsFault as fault:
                if fault.number not in _IN_USE or attempt == ATTEMPTS:
                    raise
            self.progress.line(f"{path} is in use, trying again")
            time.sleep(PAUSE)

    def _remove(self, path: str, *, ahead: bool, mend: Callable[[WindowsFault], None] | None = None) -> None:
        shown = self._counted(f"removing {path}")
        self._write(remove.SCRIPT, doing=f"Removing {path}", on_progress=shown, ahead=ahead, mend=mend, Path=path)

    def _write(
        self,
        script: str,
        *,
        doing: str,
        items: Iterable[Any] = (),
        on_progress: Callable[[dict[str, Any]], None] | None = None,
        ahead: bool = False,
        mend: Callable[[WindowsFault], None] | None = None,
        **parameters: Any,
    ) -> None:
        if self.check_mode:
            return
        if ahead:
            self._session.ahead(script, doing=doing, items=items, on_progress=on_progress, mend=mend, **parameters)
        else:
            self._session.call(script, doing=doing, items=items, on_progress=on_progress, **parameters)

    def _packed(self, answer: dict[str, Any]) -> PackedFile:
        error = answer.pop("error", None)
        if error is None:
            return PackedFile(**answer)
        advice = advice_for(number=error["number"], kind=error["kind"], access=over_winrm(self.host))
        return PackedFile(
            name=answer["name"], fault=f"{error['message'].rstrip('.')}. {advice}".strip(), number=error["number"]
        )
