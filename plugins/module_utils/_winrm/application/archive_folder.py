# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of archives on the host or on a share: what is in it, and whether it is what its manifests say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ..._core.application.archive_catalog import (
    ArchiveCatalog,
    StoredArchive,
    folder_label,
    is_archive_name,
    manifest_name,
    read_store,
    restore_order,
)
from ..._core.application.archive_entries import AcceptedEntry, ArchiveEntry, name_key, screen_entries
from ..._core.application.archive_manifest import INSIDE_NAME, OWN_FOLDER, Manifest, parse_manifest
from ..._core.application.vendor_archive import adopt, common_folder
from ..._core.errors import RecoveryError
from ..._core.windows_paths import base_name, join, parent
from ..host.files import WindowsFiles

__all__ = ["ArchiveFolder", "Candidate", "candidates", "screened"]

Entry = TypeVar("Entry", bound=ArchiveEntry)


class ArchiveFolder:
    """The archives of one application folder in `path`; those of others are none of its business."""

    def __init__(self, files: WindowsFiles, path: str, *, application: str) -> None:
        self.path = path
        self.label = folder_label(application)
        self._files = files

    def read(self) -> ArchiveCatalog:
        """Archives, newest first, each with the head of its manifest; nothing at all where there is no folder."""
        [state] = self._files.stat(self.path)
        if not state.exists:
            return ArchiveCatalog(archives=(), leftovers=())
        if not state.folder:
            raise RecoveryError(
                f"{self.path} on {self._files.host} is a file, not a folder of archives",
                code="option_invalid",
                advice="Give the folder that it is in",
            )
        store = read_store(self._files.list(self.path, recurse=False), label=self.label)
        return replace(store, archives=tuple(self._described(archive) for archive in store.archives))

    def full_path(self, archive: StoredArchive) -> str:
        return join(self.path, archive.name)

    def manifest(self, archive: StoredArchive) -> Manifest:
        """The whole manifest beside an archive."""
        path = join(self.path, manifest_name(archive.name))
        return parse_manifest(self._files.read_lines(path), where=f"{path} on {self._files.host}")

    def content_problem(self, archive: StoredArchive) -> str:
        """Read an archive to its end and compare it with what its manifest says; empty when it is the same."""
        if archive.problem or archive.manifest is None:
            return archive.problem
        result = self._files.hash_one(self.path, archive.name)
        if result.sha256 != archive.manifest.archive_sha256:
            return "is damaged: its SHA-256 is not the one in its manifest"
        return ""

    def _described(self, archive: StoredArchive) -> StoredArchive:
        if archive.problem:
            return archive
        path = join(self.path, manifest_name(archive.name))
        try:
            return archive.described_by(
                parse_manifest(self._files.read_lines(path, first=1), where=path, head_only=True)
            )
        except RecoveryError as problem:
            return replace(archive, problem=f"cannot be used: {problem.message}")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An archive that may be taken, with its manifest. stored: what lies beside it; None for one whose manifest is in
    itself alone.

    proven_by: manifest, or checksums for an archive without one. inner: the folder in the archive, with / at its end,
    that holds all of it.
    """

    path: str
    manifest: Manifest
    folder: ArchiveFolder | None = None
    stored: StoredArchive | None = None
    proven_by: str = "manifest"
    inner: str = ""

    def content_problem(self) -> str:
        """Read it to its end where that proves something; empty when it is what its manifest says."""
        return self.folder.content_problem(self.stored) if self.folder and self.stored else ""

    def entries(self, files: WindowsFiles) -> list[ArchiveEntry]:
        """What it holds, by names relative to the application's folder."""
        return below(files.entries(self.path), self.inner)

    def index_of(self, name: str, files: WindowsFiles) -> int | None:
        """Which entry a file of the application is, in whichever of the two ways the archive separates folders."""
        wanted = name_key(name)
        indices = (entry.index for entry in self.entries(files) if name_key(entry.name.replace("\\", "/")) == wanted)
        return next(indices, None)


def below(entries: Sequence[Entry], inner: str) -> list[Entry]:
    """Entries by names relative to a folder in the archive; nothing lies outside of it."""
    return [replace(entry, name=entry.name[len(inner) :]) for entry in entries if len(entry.name) > len(inner)]


def candidates(
    files: WindowsFiles,
    source: str,
    *,
    application: str,
    rejected: list[dict[str, str]],
    until: dt.datetime | None = None,
) -> Iterator[Candidate]:
    """Archives of an application in a folder, in the order in which they are tried, or the one that `source` names.

    What cannot be used goes to `rejected`. until: nothing that was begun later.
    """
    if source.lower().endswith(".zip"):
        if until is not None:
            raise RecoveryError(
                "until chooses among the archives of a folder, and source is one archive",
                code="option_invalid",
                advice="Give the folder, or leave until away",
            )
        yield _single(files, source)
        return
    folder = ArchiveFolder(files, source, application=application)
    for archive in restore_order(folder.read().archives, until=until):
        try:
            if archive.problem:
                raise RecoveryError(archive.problem, code="damaged")
            yield Candidate(
                path=folder.full_path(archive), manifest=folder.manifest(archive), folder=folder, stored=archive
            )
        except RecoveryError as problem:
            rejected.append({"path": folder.full_path(archive), "reason": problem.message})


def _single(files: WindowsFiles, path: str) -> Candidate:
    """A given archive; an unusable one is an error, since nothing else was asked for."""
    archive, beside = files.read_text_beside(path, manifest_name(path))
    if not archive.exists or archive.folder:
        raise RecoveryError(
            f"There is no archive {path} on {files.host}",
            code="not_found",
            advice="Check source: a folder with archives, or one archive",
        )
    if not beside.is_there:
        lines = files.read_lines(path, entry=INSIDE_NAME)
        if not lines:
            return _without_manifest(files, path, created=archive.modified)
        return Candidate(path=path, manifest=parse_manifest(lines, where=f"The manifest in {path} on {files.host}"))
    folder = ArchiveFolder(files, parent(path), application=base_name(path))
    unknown = dt.datetime.min.replace(tzinfo=dt.timezone.utc)
    stored = StoredArchive(name=base_name(path), moment=unknown, size=archive.size)
    manifest = parse_manifest(beside.lines, where=f"{beside.path} on {files.host}")
    stored = stored.described_by(manifest)
    if stored.problem:
        raise RecoveryError(
            f"The archive {path} on {files.host} {stored.problem}", code="damaged", advice="Use another archive"
        )
    return Candidate(path=path, manifest=manifest, folder=folder, stored=stored)


def _without_manifest(files: WindowsFiles, path: str, *, created: str) -> Candidate:
    """An archive of the product's own backup page: its checksums are all that it has. One of ours has a manifest, or is
    none any more.
    """
    where = f"The archive {path} on {files.host}"
    if is_archive_name(base_name(path)):
        raise RecoveryError(
            f"{where} has no manifest, neither beside it nor in it, and app_backup writes none without: nothing can "
            "prove that it is whole",
            code="damaged",
            advice="Use another archive",
        )
    result = files.entries(path)
    inner = common_folder([entry.name for entry in result])
    _refuse(path, [f"{refusal.name} {refusal.reason}" for refusal in screen_entries(below(result, inner)).refused])
    seconds = created.partition(".")[0].removesuffix("Z")
    manifest = adopt(below(files.read_entries(path), inner), where=where, path="", created=f"{seconds}Z")
    return Candidate(path=path, manifest=manifest, proven_by="checksums", inner=inner)


def screened(files: WindowsFiles, candidate: Candidate, wanted: Manifest) -> list[AcceptedEntry]:
    """The archive's entries that are to be written. An archive that holds anything wrong is refused
    as a whole.
    """
    result = screen_entries(candidate.entries(files), vouched=candidate.manifest.sizes)
    names = {name_key(file.name) for file in candidate.manifest.files}
    problems = [f"{refusal.name} {refusal.reason}" for refusal in result.refused]
    own = name_key(OWN_FOLDER)
    inner = [entry for entry in result.accepted if name_key(entry.name).partition("/")[0] != own]
    problems += [
        f"{entry.name} is not in its manifest"
        for entry in inner
        if not entry.folder and name_key(entry.name) not in names
    ]
    chosen = {name_key(file.name) for file in wanted.files}
    entries = [entry for entry in inner if entry.folder or name_key(entry.name) in chosen]
    missing = chosen - {name_key(entry.name) for entry in entries}
    problems += [f"{file.name} is missing" for file in wanted.files if name_key(file.name) in missing]
    _refuse(candidate.path, problems)
    return entries


def _refuse(path: str, problems: Sequence[str]) -> None:
    """An archive that holds anything wrong is refused as a whole. problems: each a name with what is
    wrong about it.
    """
    if problems:
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise RecoveryError(
            f"The archive {path} is refused: {'; '.join(problems[:5])}{more}",
            code="unsafe_archive",
            advice="Nothing was touched. Use another archive",
            refused=list(problems[:100]),
        )
