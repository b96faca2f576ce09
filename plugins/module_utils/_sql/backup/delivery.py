# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivers a backup from where SQL Server wrote it to its destination: copied by Windows, compared by hash, described
by a manifest.

Nothing is taken for a backup before it was compared: a copy has another name until then. Whatever is interrupted is
finished by the next run, which finds a note beside the backup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..._core.backup.file_names import manifest_name
from ..._core.backup.manifest import PendingDelivery, at_place, manifest_lines, note_name, parse_manifest, parse_note
from ..._core.errors import RecoveryError
from ..._core.text import bytes_text
from ..._core.windows_paths import base_name, join, lies_in, parent
from ..._winrm.host.files import WindowsFiles
from ..connection.session import Session
from ..instance.windows_host import Windows

__all__ = ["Delivery"]

PARTIAL = ".partial"

Hashes = dict[str, "tuple[str | None, int]"]
"""SHA-256 and size by path."""


class Delivery:
    """overwrite: whether a file of that name at the destination is replaced."""

    def __init__(self, session: Session, windows: Windows, *, overwrite: bool) -> None:
        self._session = session
        self._windows = windows
        self._overwrite = overwrite

    def record(self, pending: PendingDelivery) -> None:
        """Write beside a backup that is about to be written where it has to go."""
        path = note_name(pending.written[0])
        self._files(path).write_lines(path, pending.lines())

    def pending(self, folder: str) -> list[PendingDelivery]:
        """What interrupted runs left in a folder, oldest first. A note that names files elsewhere, where nobody puts
        it, is none: they may be removed.
        """
        files = self._windows.files(folder)
        if not files.stat(folder)[0].folder:
            return []
        entries = sorted(files.list(folder, recurse=False), key=lambda entry: entry.modified)
        names = [entry.name for entry in entries if entry.name.lower().endswith(note_name(""))]
        notes = [note for name in names if (note := parse_note(files.read_lines(join(folder, name))))]
        return [note for note in notes if all(lies_in(path, folder) for path in note.written)]

    def refuse_existing(self, targets: Iterable[str]) -> None:
        """Raises RecoveryError where a file that is to be written exists, unless that is wanted. What cannot be looked
        at counts as not there.
        """
        if self._overwrite:
            return
        for target in targets:
            try:
                exists = self._files(target).stat(target)[0].exists
            except RecoveryError:
                return
            if exists:
                raise already_exists(target)

    def deliver(self, report: dict[str, Any], written: Sequence[str], *, copied: bool) -> None:
        """Copy a backup that was verified to where its report says, and write the manifests; adds hashes and sizes
        to the report.

        written: the files of SQL Server, the report's own ones or others to be copied there. copied: the second copy
        is ours to make.
        """
        files = report["files"]
        hashes = self._hashes(written)
        places = [files] if list(written) != files else []
        places += [report["copy_files"]] if copied else []
        for targets in places:
            self._copy(written, targets, hashes)
            hashes |= {target: hashes[source] for source, target in zip(written, targets, strict=True)}
        copies = report.get("copy_files", [])
        if copies and (copied or self._windows.reaches(parent(copies[0]))):
            hashes |= {} if copied else self._hashes(copies)
            self._write_manifest(at_place(report, copies, hashes=hashes))
        report |= at_place(report, files, hashes=hashes)
        self._write_manifest(report)

    def complete(self, pending: PendingDelivery) -> None:
        """Remove the files that were delivered, and last the pending."""
        files = self._files(pending.written[0])
        for file in pending.written if list(pending.written) != pending.report["files"] else ():
            files.remove(file)
        files.remove(note_name(pending.written[0]))

    def remove_manifest(self, first_file: str) -> None:
        """Of a backup whose files will be others."""
        path = manifest_name(first_file)
        self._files(path).remove(path)

    def manifest_guid(self, first_file: str) -> str:
        """The GUID of the set that the manifest beside a file tells of; empty where there is none."""
        path = manifest_name(first_file)
        files = self._files(path)
        if not files.stat(path)[0].exists:
            return ""
        stored = parse_manifest(files.read_lines(path), path=path, present={})
        return stored.set.guid if stored else ""

    def discard(self, pending: PendingDelivery) -> None:
        """What is left of a run whose backup was delivered already, or never was whole."""
        for target in (*pending.report["files"], *pending.report.get("copy_files", ())):
            self._files(target).remove(f"{target}{PARTIAL}")
        self.complete(pending)

    def _copy(self, written: Sequence[str], targets: Sequence[str], hashes: Hashes) -> None:
        """Copy files and compare them where they lie; a file that is there already, as it should be, stays."""
        self._files(targets[0]).make_folder(parent(targets[0]))
        for source, target in zip(written, targets, strict=True):
            if self._files(target).stat(target)[0].exists:
                if self._hash(target) == hashes[source]:
                    continue
                if not self._overwrite:
                    raise already_exists(target)
                self._files(target).remove(manifest_name(targets[0]))
            partial = f"{target}{PARTIAL}"
            self._session.progress.line(f"copying {source} to {parent(target)} ({bytes_text(hashes[source][1])})")
            self._files(source, target).copy(source, partial)
            if self._hash(partial) != hashes[source]:
                self._files(target).discard(partial)
                raise RecoveryError(
                    f"The copy of {source} in {parent(target)} is not what was copied",
                    code="damaged",
                    advice="Its disk or the way to it damages data: look into that before anything else. The copy "
                    "was removed; run this again",
                )
            self._files(target).remove(target)
            self._files(target).rename(partial, target)

    def _files(self, *paths: str) -> WindowsFiles:
        """Asked for anew before each step: see Windows."""
        return self._windows.files(*map(parent, paths))

    def _write_manifest(self, report: dict[str, Any]) -> None:
        path = report["manifest_beside"]
        self._files(path).write_lines(path, manifest_lines(report))

    def _hashes(self, paths: Iterable[str]) -> Hashes:
        return {path: self._hash(path) for path in paths}

    def _hash(self, path: str) -> tuple[str | None, int]:
        result = self._files(path).hash_one(parent(path), base_name(path))
        return result.sha256, result.size


def already_exists(target: str) -> RecoveryError:
    return RecoveryError(
        f"There is a file {target} already, and nothing can be appended to it there",
        code="already_exists",
        advice="Use a 'file_name' that is new each time, or 'overwrite: true'",
    )
