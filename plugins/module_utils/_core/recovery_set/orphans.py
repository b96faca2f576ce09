# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Halves of recovery sets that were never written: which of them nobody needs any more."""

from __future__ import annotations

import ntpath
from collections.abc import Iterable, Mapping
from typing import Any

from ..application.archive_catalog import StoredArchive, manifest_name
from ..times import parse_stored_time
from .recovery_set import RecoverySet, files_of_link

__all__ = ["SET_LABEL", "stray_archives", "stray_backups"]

SET_LABEL = "recovery_set"
"""Label of an archive that was made for a set."""


def stray_backups(staying: Iterable[RecoverySet], links: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Files of backups that are older than all that a set which stays names, so that no set is going to continue them.

    links: of backups that are in no set. One that was taken copy-only was never meant for any.
    """
    named = [
        parse_stored_time(link["finished_at"])
        for recovery_set in staying
        for link in recovery_set.chain or [recovery_set.values["database"]]
    ]
    old = [
        link
        for link in links
        if named and not link["copy_only"] and parse_stored_time(link["finished_at"]) < min(named)
    ]
    return tuple(path for link in old for path in files_of_link(link))


def stray_archives(
    staying: Iterable[RecoverySet], archives: Iterable[StoredArchive], *, folder: str
) -> tuple[str, ...]:
    """The same for archives of the application that are in no set, each before its manifest. Those that nobody made for
    a set stay.
    """
    known = {stored_archive.name.lower(): stored_archive for stored_archive in archives}
    named = [ntpath.basename(recovery_set.values["application"]["archive"]).lower() for recovery_set in staying]
    oldest = min((known[name].age for name in named if name in known), default=None)
    old = [
        recovery_set
        for name, recovery_set in known.items()
        if oldest
        and name not in named
        and recovery_set.age < oldest
        and recovery_set.manifest
        and SET_LABEL in recovery_set.manifest.labels
    ]
    return tuple(
        ntpath.join(folder, name) for old_item in old for name in (old_item.name, manifest_name(old_item.name))
    )
