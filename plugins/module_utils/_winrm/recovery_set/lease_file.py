# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases as files: taken so that of two who try at the same moment one gets it, whatever file server the
folder is on.
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from dataclasses import replace

from ..._core.errors import RecoveryError
from ..._core.recovery_set.lease import FREE, HELD, OURS, Lease, judge, lease_name, owner_process, parse_lease, refusal
from ..._core.times import parse_stored_time
from ..._core.windows_files import NOTHING_THERE, FolderEntry
from ..._core.windows_paths import join
from ..connection.errors import WindowsFault
from ..host.files import WindowsFiles

__all__ = ["LeaseFile", "this_place"]

ATTEMPTS = 5
THERE_ALREADY = (80, 183)
LEFT_BEHIND = dt.timedelta(hours=1)
"""After this time no run is still between two steps of taking a lease."""


class LeaseFile:
    """The lease of one database in one folder, as one owner sees it. now: aware, the control node's clock."""

    def __init__(self, files: WindowsFiles, folder: str, *, database: str, owner: str, now: dt.datetime) -> None:
        self._files = files
        self._folder = folder
        self._database = database
        self._owner = owner
        self._now = now
        self._name = lease_name(database)
        self.path = join(folder, self._name)

    def look(self) -> Lease | None:
        """The lease that is there, whoever holds it."""
        return self._read(self._files.list_if_there(self._folder))

    def refuse_foreign(self) -> None:
        """Raises RecoveryError while somebody else works on the database."""
        lease = self.look()
        if lease and self._judge(lease, now=self._now) == HELD:
            raise refusal(lease, path=self.path)

    def acquire(self, *, stale_after: dt.timedelta, take_over: bool = False) -> tuple[Lease, str, Lease | None]:
        """Take the lease, or renew it: the lease, what it was before (FREE, OURS, STALE, ABANDONED, GIVEN_UP) and of
        whom it was taken over.

        take_over: a person says that whoever holds it does nothing any more. Raises RecoveryError that says who holds
        it. In check mode nothing is written.
        """
        if self._files.check_mode:
            existing = self.look()
            before = self._judge(existing, now=self._now, take_over=take_over)
            if existing and before == HELD:
                raise refusal(existing, path=self.path)
            return (
                self._ours(existing, before, renewed_at=self._now, stale_after=stale_after),
                before,
                None if before == OURS else existing,
            )
        self._files.make_folder(self._folder, ahead=True)
        draft = join(self._folder, f"{self._name}.draft-{uuid.uuid4().hex[:8]}")
        try:
            for _attempt in range(ATTEMPTS):
                taken = self._try(draft, stale_after=stale_after, take_over=take_over)
                if taken:
                    return taken
            raise RecoveryError(
                f"The lease {self.path} changes hands all the time",
                code="in_use",
                advice="Look who else works there, then run this again",
            )
        except BaseException:
            self._files.discard(draft)
            raise

    def release(self) -> Lease | None:
        """Give the lease back; the one that was ours, or None. Somebody else's stays."""
        listing = self._files.list_if_there(self._folder)
        lease = self._read(listing)
        self._clear(listing)
        if lease is None or lease.owner != self._owner:
            return None
        self._files.remove(self.path)
        return lease

    def _try(self, draft: str, *, stale_after: dt.timedelta, take_over: bool) -> tuple[Lease, str, Lease | None] | None:
        """One attempt, after which there is no draft any more; None when somebody else was quicker, so that everything
        has to be looked at again.
        """
        drafted = self._ours(None, FREE, renewed_at=self._now, stale_after=stale_after)
        self._files.write_lines(draft, drafted.lines(), ahead=True)
        listing = self._files.list_if_there(self._folder)
        written = [_modified(entry) for entry in listing if join(self._folder, entry.name) == draft]
        now = written[0] if written else self._now  # the clock of the folder's machine, where it says
        existing = self._read(listing)
        before = self._judge(existing, now=now, take_over=take_over)
        if existing and before == HELD:
            raise refusal(existing, path=self.path)
        if before == OURS:
            lease = self._ours(existing, before, renewed_at=now, stale_after=stale_after)
            self._files.discard(draft, ahead=True)
            self._files.write_lines(self.path, lease.lines())
            return lease, before, None
        if existing and not self._set_aside(existing):
            return None
        try:
            self._files.rename(draft, self.path)
        except WindowsFault as fault:
            if fault.number in THERE_ALREADY:
                return None
            raise
        self._clear(listing)
        return replace(drafted, renewed_at=now), before, existing

    def _set_aside(self, lease: Lease) -> bool:
        """Move a lease that counts no more out of the way; False when it was no longer the one that was judged."""
        aside = join(self._folder, f"{self._name}.over-{uuid.uuid4().hex[:8]}")
        try:
            self._files.rename(self.path, aside)
        except WindowsFault as fault:
            if fault.number in NOTHING_THERE:
                return False
            raise
        moved = parse_lease(self._files.read_lines(aside), database=self._database, renewed_at=lease.renewed_at)
        if moved == lease:
            self._files.remove(aside)
            return True
        self._files.rename(aside, self.path)
        return False

    def _clear(self, listing: list[FolderEntry]) -> None:
        """What runs left that were killed while they took the lease."""
        for entry in listing:
            rest = entry.name.removeprefix(f"{self._name}.")
            if (
                rest != entry.name
                and rest.startswith(("draft-", "over-", "partial"))
                and self._now - _modified(entry) > LEFT_BEHIND
            ):
                self._files.discard(join(self._folder, entry.name))

    def _read(self, listing: list[FolderEntry]) -> Lease | None:
        for entry in listing:
            if entry.name.lower() == self._name.lower() and not entry.folder:
                try:
                    return parse_lease(
                        self._files.read_lines(self.path), database=self._database, renewed_at=_modified(entry)
                    )
                except WindowsFault as fault:
                    if fault.number not in NOTHING_THERE:
                        raise
        return None

    def _judge(self, lease: Lease | None, *, now: dt.datetime, take_over: bool = False) -> str:
        return judge(
            lease,
            owner=self._owner,
            now=now,
            ended=lease is not None and _ended(lease),
            take_over=take_over,
        )

    def _ours(
        self, existing: Lease | None, before: str, *, renewed_at: dt.datetime, stale_after: dt.timedelta
    ) -> Lease:
        begun = existing.taken_at if existing and before == OURS else renewed_at
        name, place = self._owner, this_place()
        return Lease(
            database=self._database,
            owner=name,
            place=place,
            taken_at=begun,
            renewed_at=renewed_at,
            stale_after=stale_after,
        )


def this_place() -> str:
    """Among which processes those of this run are: this start of this machine, and the container; empty where the
    system does not say.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot:
            return f"{boot.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _ended(lease: Lease) -> bool:
    """Whether the process that holds a lease was one of this machine and is gone. In doubt it lives."""
    process = owner_process(lease.owner)
    if not process or not lease.place or lease.place != this_place():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False


def _modified(entry: FolderEntry) -> dt.datetime:
    """The time of a file, to the second."""
    return parse_stored_time(entry.modified).replace(microsecond=0)
