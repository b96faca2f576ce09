# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deliver a new archive to its destination: written there, or staged on a disk of the web server and copied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..._core.application.archive_catalog import ArchiveCatalog, StoredArchive, abandoned
from ..._core.errors import RecoveryError, sentences
from ..host.files import WindowsFiles
from .archive_folder import ArchiveFolder
from .archive_writer import ArchiveWriter

__all__ = ["ArchiveDelivery"]

WAITING = 3
"""So many archives wait in stage_path at most: a share that stays away must not fill the web server's drive."""

Write = Callable[[ArchiveFolder, ArchiveCatalog], StoredArchive]
"""Writes the new archive to a folder that holds others, and verifies it there."""


class ArchiveDelivery:
    """destination: where archives stay. stage: where a new one is written first, None for none. now: aware."""

    def __init__(
        self,
        files: WindowsFiles,
        writer: ArchiveWriter,
        *,
        destination: ArchiveFolder,
        stage: ArchiveFolder | None,
        now: dt.datetime,
    ) -> None:
        self._files = files
        self._writer = writer
        self._destination = destination
        self._stage = stage
        self._now = now
        self._staged: StoredArchive | None = None

    def stage_archive(self, write: Write) -> None:
        """Write the new archive to the stage, where there is one."""
        if self._stage:
            self._staged = write(self._stage, self._stage.read())

    @contextmanager
    def keep_staged_on_failure(self) -> Iterator[None]:
        """What goes wrong at the destination does not lose an archive that was staged."""
        try:
            yield
        except RecoveryError as problem:
            if self._staged and self._stage and not self._files.check_mode:
                path = self._stage.full_path(self._staged)
                kept = f"The archive was made and verified. It waits in {path}, and the next run brings it over"
                problem.args = (sentences(str(problem), kept),)
                problem.details["staged"] = path
                for old in [archive for archive in self._stage.read().archives if archive.complete][WAITING:]:
                    self._writer.forget(self._stage, old)
            raise

    def deliver_waiting(self) -> ArchiveCatalog:
        """What is at the destination, once what earlier runs had to leave in the stage is delivered, too."""
        store = self._destination.read()
        if self._stage is None:
            return store
        archives = self._stage.read().archives
        for archive in abandoned(archives, now=self._now):
            self._writer.forget(self._stage, archive)
        waiting = [
            archive
            for archive in archives
            if archive.complete and (self._staged is None or archive.name != self._staged.name)
        ]
        for archive in reversed(waiting):
            self._writer.bring(archive, self._stage, self._destination, store)
        return self._destination.read() if waiting else store

    def deliver(self, write: Write, store: ArchiveCatalog) -> StoredArchive:
        """The new archive at the destination, which holds `store`: copied from the stage, or written there."""
        if self._staged and self._stage:
            return self._writer.bring(self._staged, self._stage, self._destination, store)
        return write(self._destination, store)

    def discard_staged(self) -> None:
        """Remove the staged archive: the destination holds the same already."""
        if self._staged and self._stage:
            self._writer.forget(self._stage, self._staged)
