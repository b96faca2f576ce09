# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an archive comes to be in a folder: under a name that nobody takes for an archive, read back there, renamed, its
manifest last.

So an archive with its manifest beside it is whole, whenever a run ended. Taking one away goes the other way round.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from ..._core.application.archive_catalog import (
    ArchiveCatalog,
    StoredArchive,
    archive_name,
    manifest_name,
    partial_name,
    stale_leftovers,
)
from ..._core.application.archive_contents import ArchivePlan
from ..._core.application.archive_manifest import INSIDE_NAME, Manifest, compare
from ..._core.errors import RecoveryError
from ..._core.windows_paths import join
from ..host.files import PackedFile, WindowsFiles
from .archive_folder import ArchiveFolder
from .run_log import RunLog

__all__ = ["ArchiveWriter"]

ATTEMPTS = 3
PAUSE = 2.0
"""Seconds before a folder is packed again because a file beyond SETTLED changed in it."""

SETTLED = 32 << 20
"""Bytes. Up to this size a file is read whole before any of it is written, so that only itself has to be tried again.
"""


class ArchiveWriter:
    """Writes archives of one application folder. now: aware, the time that a new one is named after."""

    def __init__(self, files: WindowsFiles, log: RunLog, *, application: str, now: dt.datetime) -> None:
        self._files = files
        self._log = log
        self._application = application
        self._now = now

    def write(
        self,
        folder: ArchiveFolder,
        store: ArchiveCatalog,
        plan: ArchivePlan,
        *,
        instead: Mapping[str, str],
        manifest_of: Callable[..., Manifest],
        judge: Callable[[Sequence[PackedFile]], None],
    ) -> StoredArchive:
        """A new archive. manifest_of(plan, packed) makes its manifest, judge(packed) raises when too much could not be
        read.
        """
        name = self._free_name(store, self._now, folder)
        manifest = manifest_of(plan)
        self.clear_leftovers(folder, store)
        with self._arriving(folder, name) as partial:
            if not self._files.check_mode:
                packed = self._packed(plan, partial, manifest.open_head(), instead)
                judge(packed)
                manifest = self._verified(manifest_of(plan, packed), folder, name)
        self._files.write_lines(join(folder.path, manifest_name(name)), manifest.lines())
        if not self._files.check_mode:
            self._log.add(
                f"{name} in {folder.path} has {manifest.archive_size} bytes, SHA-256 {manifest.archive_sha256}"
            )
        return StoredArchive(name=name, moment=self._now, size=manifest.archive_size, manifest=manifest)

    def bring(
        self, archive: StoredArchive, stage: ArchiveFolder, folder: ArchiveFolder, store: ArchiveCatalog
    ) -> StoredArchive:
        """Copy a verified archive to another folder, compare it there, and take it away from where it was."""
        if self._files.check_mode:
            return archive
        manifest = stage.manifest(archive)
        wanted = manifest.archive_sha256
        arrived = (
            other
            for other in store.archives
            if other.complete and other.manifest and other.manifest.archive_sha256 == wanted
        )
        there = next(arrived, None)
        if there is None:
            name = self._free_name(store, archive.moment, folder)
            manifest = replace(manifest, archive_name=name)
            self.clear_leftovers(folder, store)
            with self._arriving(folder, name) as partial:
                self._log.add(f"copying {stage.full_path(archive)} to {folder.path}")
                self._files.copy(stage.full_path(archive), partial)
                result = self._files.hash_one(folder.path, self._partial(name))
                if result.sha256 != wanted:
                    raise RecoveryError(
                        f"The copy of {stage.full_path(archive)} in {folder.path} is another file than what was "
                        f"copied, seen from {self._files.host}",
                        code="damaged",
                        advice="The way there or its disk damages data: look into that before anything else. The "
                        "copy was removed",
                    )
            self._files.write_lines(join(folder.path, manifest_name(name)), manifest.lines())
            there = replace(archive, name=name, manifest=manifest)
            self._log.add(f"{name} is in {folder.path}, and there it has the same SHA-256 {wanted}")
        self.forget(stage, archive)
        return there

    def forget(self, folder: ArchiveFolder, archive: StoredArchive) -> None:
        """Remove an archive."""
        self._log.add(f"removing {folder.full_path(archive)}")
        self._files.remove(join(folder.path, manifest_name(archive.name)))
        self._files.remove(folder.full_path(archive))

    def clear_leftovers(self, folder: ArchiveFolder, store: ArchiveCatalog) -> None:
        """What interrupted runs left. What another host writes at this moment, between two of its steps open in no
        program, stays.
        """
        for name in stale_leftovers(store, owner=self._files.computer, now=self._now):
            self._log.add(f"removing {name} in {folder.path}, which an interrupted run left")
            self._files.remove_if_unused(join(folder.path, name))

    def _partial(self, name: str) -> str:
        return partial_name(name, owner=self._files.computer)

    def _free_name(self, store: ArchiveCatalog, moment: dt.datetime, folder: ArchiveFolder) -> str:
        return archive_name(
            label=folder.label, moment=moment, taken=[*(archive.name for archive in store.archives), *store.leftovers]
        )

    @contextmanager
    def _arriving(self, folder: ArchiveFolder, name: str) -> Iterator[str]:
        """The full path under which an archive is written and verified; afterwards it gets its name, or goes when
        anything went wrong.
        """
        self._files.make_folder(folder.path)
        partial = join(folder.path, self._partial(name))
        try:
            yield partial
            self._files.rename(partial, join(folder.path, name))
        except BaseException:
            self._files.discard(partial)
            raise

    def _packed(self, plan: ArchivePlan, partial: str, head: str, instead: Mapping[str, str]) -> list[PackedFile]:
        """Pack, and again as long as large files change meanwhile."""
        for attempt in range(1, ATTEMPTS + 1):
            begin = time.monotonic()
            packed = self._files.pack(
                self._application,
                archive=partial,
                head=head,
                names=plan.names,
                total=plan.bytes,
                settle=SETTLED,
                instead=instead,
            )
            self._log.add(f"packed {len(packed)} files in {time.monotonic() - begin:.1f} s")
            restless = [file.name for file in packed if file.changed and file.size > SETTLED]
            if not restless or attempt == ATTEMPTS or any(file.fault and not file.vanished for file in packed):
                break
            self._log.add(f"{', '.join(restless[:5])} changed while being read, packing again")
            self._files.remove(partial)
            time.sleep(PAUSE)
        return packed

    def _verified(self, manifest: Manifest, folder: ArchiveFolder, name: str) -> Manifest:
        """Read the archive where it lies; the manifest with what the archive is."""
        begin = time.monotonic()
        content = self._files.entry_hashes(join(folder.path, self._partial(name)))
        inside = content.pop(INSIDE_NAME, None)
        comparison = compare(manifest, content)
        if inside is None or not comparison.identical:
            wrong = [*comparison.missing, *comparison.different, *comparison.unreadable, *comparison.extra]
            raise RecoveryError(
                f"The archive in {folder.path} does not hold what was read from {self._application} on "
                f"{self._files.host}: {', '.join(wrong[:5]) or 'no manifest'}",
                code="not_found",
                advice="Its disk or the way to it damages data: look into that before anything else. The archive "
                "was removed",
            )
        whole = self._files.hash_one(folder.path, self._partial(name))
        self._log.add(
            f"read it back in {folder.path} in {time.monotonic() - begin:.1f} s: every file is as it was read"
        )
        return replace(manifest, archive_name=name, archive_size=whole.size, archive_sha256=whole.sha256 or "")
