# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recovery sets in the folders of one place, read and written from a Windows host."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from ..._core.application.archive_catalog import archive_label
from ..._core.errors import RecoveryError
from ..._core.recovery_set.chain import BACKUP_FORMAT, link_of
from ..._core.recovery_set.orphans import stray_archives, stray_backups
from ..._core.recovery_set.recovery_set import Place, RecoverySet, lines_of, parse_set
from ..._core.recovery_set.retention import Surplus
from ..._core.recovery_set.selection import by_label
from ..._core.windows_paths import base_name, full_path, join, lies_in, parent, server_asked, share_root
from ..application.archive_folder import ArchiveFolder
from ..connection.errors import WindowsFault
from ..host.files import WindowsFiles
from .branch_files import BranchFiles

__all__ = ["Account", "RecoverySetRepository", "links_beside", "recovery_place_argument_spec"]

ENDING = ".json"
BESIDE = ".manifest.json"


def recovery_place_argument_spec() -> dict[str, Any]:
    """Options of every module that works in such a place, beside those of the share."""
    return {
        "path": {"type": "str", "required": True},
        "database_path": {"type": "str"},
        "application_path": {"type": "str"},
        "sets_path": {"type": "str"},
        "database_user": {"type": "str"},
        "database_password": {"type": "str", "no_log": True},
    }


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who may read and write in a folder; an empty user is the session's own account."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)


def bare_account(user: str) -> str:
    """The name alone: DOMAIN\\name and name@domain.example are one account."""
    return user.rpartition("\\")[2].partition("@")[0].lower()


def links_beside(files: WindowsFiles, paths: Iterable[str], *, database: str) -> list[dict[str, Any]]:
    """What the manifests that sql_backup wrote beside its files tell of backups of a database. paths: which of them
    to read.
    """
    links = []
    for file in files.read_texts([path for path in paths if path.lower().endswith(BESIDE)]):
        try:
            backup = json.loads("\n".join(file.lines))
            if backup["format"].startswith(BACKUP_FORMAT[:-1]) and backup["database"].lower() == database.lower():
                links.append({**link_of(backup), "manifest_beside": file.path})
        except (RecoveryError, ValueError, TypeError, KeyError, AttributeError):
            continue  # somebody else's file, or one that is just being written
    return links


class RecoverySetRepository:
    """The folders of a place. Paths need the connection that `connected` makes.

    archive_account: for sets and archives. database_account: for the database's backups, where the two lie under
    different rights.
    """

    def __init__(
        self, files: WindowsFiles, place: Place, *, archive_account: Account, database_account: Account
    ) -> None:
        self._files = files
        self.place = place
        self._archive_account = archive_account
        self._database_account = database_account if database_account.user else archive_account
        self.others: list[str] = []
        """Further folders that files of sets may lie in."""
        self.unread: list[str] = []
        """Labels whose manifests are there and could not be opened, as far as somebody asked for them."""
        self.branches = BranchFiles(files, place.sets)

    @classmethod
    def from_params(cls, files: WindowsFiles, params: dict[str, Any]) -> RecoverySetRepository:
        root = full_path(params["path"], option="path")
        chosen = {
            name: full_path(params[f"{name}_path"] or join(root, name), option=f"{name}_path")
            for name in ("sets", "database", "application")
        }
        return cls(
            files,
            Place(**chosen),
            archive_account=Account(user=params["share_user"], password=params["share_password"]),
            database_account=Account(user=params["database_user"], password=params["database_password"]),
        )

    # Access: one account at a time, since Windows knows a file server under one name only (error 1219)

    @contextmanager
    def archive_access(self) -> Iterator[None]:
        """Sets and archives can be used."""
        with self._connected([self.place.sets, self.place.application], self._archive_account):
            yield

    @contextmanager
    def database_access(self) -> Iterator[None]:
        """The database's backups can be used."""
        with self._connected([self.place.database], self._database_account):
            yield

    @contextmanager
    def _connected(self, paths: Iterable[str], account: Account) -> Iterator[None]:
        with ExitStack() as connections:
            for root in dict.fromkeys(filter(None, map(share_root, paths))):
                connections.enter_context(self._files.share(root, user=account.user, password=account.password))
            yield

    def must_go_with(self, other: RecoverySetRepository) -> None:
        """Raises RecoveryError where both are on one file server and need different accounts at the same time."""
        ours, theirs = self.place, other.place
        pairs = [(ours.database, theirs.database, self._database_account, other._database_account, "database_user")]
        archives = product((ours.sets, ours.application), (theirs.sets, theirs.application))
        pairs += [
            (recovery_set, another, self._archive_account, other._archive_account, "share_user")
            for recovery_set, another in archives
        ]
        for recovery_set, another, reads, writes, option in pairs:
            server = server_asked(recovery_set)
            if (
                server
                and server == server_asked(another)
                and reads.user
                and writes.user
                and bare_account(reads.user) != bare_account(writes.user)
            ):
                raise RecoveryError(
                    f"{recovery_set} is read as {reads.user} and {another} written as {writes.user}, and Windows knows "
                    f"the server {server} under one account at a time (error 1219)",
                    code="option_invalid",
                    advice=f"Give both places the same account ({option}), or put the copies on another server, "
                    "which is safer",
                )

    # Sets

    def labels(self) -> list[str]:
        """Newest first; none where there is no folder."""
        return list(self.labels_written())

    def labels_written(self) -> dict[str, str]:
        """Labels, newest first, and when the file of each was written (UTC), which is after its set was taken."""
        entries = self._files.list_if_there(self.place.sets)
        self.branches.listed(entries)
        result = [entry for entry in entries if not entry.folder and entry.name.lower().endswith(ENDING)]
        return {
            entry.name[: -len(ENDING)]: entry.modified
            for entry in sorted(result, key=lambda entry: (entry.modified, entry.name), reverse=True)
        }

    def path_of(self, label: str) -> str:
        return join(self.place.sets, label + ENDING)

    def read(self, label: str) -> RecoverySet:
        """Raises RecoveryError when it cannot be used."""
        return self._parsed(label, self._files.read_lines(self.path_of(label)))

    def _parsed(self, label: str, lines: Sequence[str]) -> RecoverySet:
        path = self.path_of(label)
        recovery_set = parse_set("\n".join(lines), where=f"{path} on {self._files.host}")
        if recovery_set.label.lower() != label.lower():
            raise RecoveryError(
                f"{path} on {self._files.host} is the manifest of the set {recovery_set.label}",
                code="wrong_state",
                advice="Give the file its name back",
            )
        return recovery_set

    def named(self, label: str) -> RecoverySet:
        """The set of a label that a person wrote."""
        return self.read(by_label(self.labels(), label))

    def newest_first(
        self, *, unusable: list[dict[str, str]], labels: Iterable[str] | None = None
    ) -> Iterator[RecoverySet]:
        """One after the other, as far as somebody asks. What is no set goes to `unusable`. labels: where they were read
        already. Mostly the newest is all that is wanted: it is read alone, and then twice as many each time.
        """
        left, at_once = [*(self.labels() if labels is None else labels)], 1
        while left:
            now, left, at_once = left[:at_once], left[at_once:], 2 * at_once
            for label, file in zip(now, self._files.read_texts([self.path_of(label) for label in now]), strict=True):
                try:
                    yield self._parsed(label, file.lines)
                except RecoveryError as problem:
                    unusable.append({"label": label, "problem": problem.message})
                    self.unread += [label] if isinstance(problem, WindowsFault) else []

    def write(self, recovery_set: RecoverySet) -> str:
        """The manifest, whole or not at all; its path."""
        self._files.make_folder(self.place.sets, ahead=True)
        path = self.path_of(recovery_set.label)
        self._files.write_lines(path, lines_of(recovery_set))
        return path

    def remove(self, chosen: Surplus) -> Surplus:
        """What went, or would. Manifests first: what is interrupted here leaves files without a set, never a set
        without its files.

        A manifest may name any file, and only those in the folders of this place are its to take along. While one that
        is there cannot be opened nothing goes at all: its set may need what no other does.
        """
        if self.unread and chosen.labels:
            self._files.warnings.append(
                f"No old set was removed from {self.place.sets}: {self.path_of(self.unread[0])} cannot be opened, and "
                "its set may need their files. The next run tries again."
            )
            return Surplus()
        application = self._within(chosen.application, self.place.application)
        database = self._within(chosen.database, self.place.database)
        with self.archive_access():
            for label in chosen.labels:
                self._files.remove(self.path_of(label))
            for path in reversed(application):  # the manifest of an archive before the archive
                self._files.remove(path)
        with self.database_access():
            for path in database:
                self._files.remove(path)
        return Surplus(labels=chosen.labels, database=database, application=application)

    def elsewhere(self, paths: Iterable[str]) -> list[str]:
        """Paths to file servers that have none of this place's folders. Whoever asks there shows them his account's
        password, or what is made of it.
        """
        ours = {None, *map(server_asked, (self.place.sets, self.place.database, self.place.application, *self.others))}
        return [path for path in paths if server_asked(path) not in ours]

    def is_here(self, path: str) -> bool:
        return lies_in(path, self.place.database) or lies_in(path, self.place.application)

    def foreign(self, recovery_set: RecoverySet) -> list[str]:
        """Files that a set names and that do not lie in the folders of this place. Anybody may have written its
        manifest.
        """
        database = [path for path in recovery_set.database_files if not lies_in(path, self.place.database)]
        return [
            *database,
            *(path for path in recovery_set.application_files if not lies_in(path, self.place.application)),
        ]

    def _within(self, paths: Iterable[str], folder: str) -> tuple[str, ...]:
        result, elsewhere = [], []
        for path in paths:
            (result if lies_in(path, folder) else elsewhere).append(path)
        if elsewhere:
            self._files.warnings.append(
                f"{elsewhere[0]}{f' and {len(elsewhere) - 1} more' if elsewhere[1:] else ''}, which a removed set "
                f"named, does not lie in {folder} and stays. Another place may need it."
            )
        return tuple(result)

    # Files

    def sizes(self, *, database: Iterable[str], application: Iterable[str]) -> dict[str, int | None]:
        """Bytes by path in lower case, None for what is no file; of backups of the database and of archives, each asked
        under the account that may. That is mostly the same: then both are asked at once.
        """
        backups, archives = [*database], [*application]
        if self._database_account == self._archive_account:
            with self.archive_access(), self.database_access():
                return self._sizes([*backups, *archives])
        with self.database_access():
            result = self._sizes(backups)
        with self.archive_access():
            return result | self._sizes(archives)

    def _sizes(self, paths: Sequence[str]) -> dict[str, int | None]:
        states = zip(paths, self._files.stat(*paths), strict=True) if paths else ()
        return {path.lower(): state.size if state.exists and not state.folder else None for path, state in states}

    def database_listing(self) -> dict[str, str]:
        """Files of the folder with the database's backups: path -> time of the last change (UTC)."""
        result = self._files.list_if_there(self.place.database)
        return {join(self.place.database, entry.name): entry.modified for entry in result if not entry.folder}

    def strays(self, staying: Sequence[RecoverySet], *, database: str) -> Surplus:
        """What failed runs left that no set needs. staying: all sets that are there and stay, the newest first."""
        in_sets = {path.lower() for recovery_set in staying for path in recovery_set.database_files}
        label = archive_label(base_name(staying[0].values["application"]["archive"]))
        with self.archive_access():
            archives = (
                ArchiveFolder(self._files, self.place.application, application=label).read().archives if label else ()
            )
        with self.database_access():
            links = links_beside(
                self._files,
                [path for path in self.database_listing() if path.lower() not in in_sets],
                database=database,
            )
        return Surplus(
            database=stray_backups(staying, links),
            application=stray_archives(staying, archives, folder=self.place.application),
        )

    def sha256(self, path: str) -> str:
        """Raises RecoveryError when the file cannot be read."""
        return self._files.hash_one(parent(path), base_name(path)).sha256 or ""
