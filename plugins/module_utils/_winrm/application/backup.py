# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archive an application folder: look, pack, read back where it lies, bring it to where it is to stay, remove what
retention says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from ..._core.application.archive_catalog import (
    ArchiveCatalog,
    StoredArchive,
    abandoned,
    manifest_name,
    newest,
    removable,
)
from ..._core.application.archive_contents import ArchivePlan, is_essential, select_contents
from ..._core.application.archive_entries import Refusal, name_key
from ..._core.application.archive_manifest import HEALTHY, Manifest, ManifestFile, compare
from ..._core.application.key_protection import MARKS, NAMES, protection
from ..._core.errors import RecoveryError, sentences
from ..._core.retention_rules import Rules
from ..._core.text import counted
from ..._core.times import to_stamp, to_text
from ..._core.windows_files import PresentFile
from ..._core.windows_paths import base_name, full_path, join, parent, share_root
from ..connection.errors import WindowsFault
from ..host.files import PackedFile, WindowsFiles
from .archive_folder import ArchiveFolder
from .archive_writer import ArchiveWriter
from .run_log import RunLog

__all__ = ["ApplicationBackup"]

LARGEST_KEY = 1 << 20
"""Bytes. What is larger is no file of keys, and not looked into."""

WAITING = 3
"""So many archives wait in stage_path at most: a share that stays away must not fill the web server's drive."""


class ApplicationBackup:
    """One run. now: aware, the time that the archive is named after."""

    def __init__(
        self, files: WindowsFiles, params: dict[str, Any], *, now: dt.datetime, show_diff: bool = False
    ) -> None:
        self.show_diff = show_diff
        self.files = files
        self.params = params
        self.now = now.replace(microsecond=0)
        self.path = full_path(params["path"], option="path")
        self.destination = self.outside("destination")
        self.folder = ArchiveFolder(files, self.destination, application=self.path)
        self.stage = (
            ArchiveFolder(files, self.local("stage_path"), application=self.path) if params["stage_path"] else None
        )
        copies = params["plain_copies"] or {}
        self.plain = {name.replace("\\", "/"): full_path(path, option="plain_copies") for name, path in copies.items()}
        self.rules = Rules.from_options(params["retention"]) or Rules()
        self.log = RunLog(
            files,
            full_path(params["log_path"], option="log_path") if params["log_path"] else None,
            label=self.folder.label,
        )
        self.writer = ArchiveWriter(files, self.log, application=self.path, now=self.now)
        self.protected: dict[str, str] = {}
        self.unread: list[Refusal] = []
        self.changed_meanwhile: list[str] = []

    def outside(self, option: str) -> str:
        """The folder that an option names. An archive in the folder that it is of would hold its predecessors."""
        folder = full_path(self.params[option], option=option)
        if f"{folder}\\".lower().startswith(f"{self.path}\\".lower()):
            raise RecoveryError(
                f"{option} {folder} lies in the folder {self.path} that is to be archived",
                advice="Choose a folder outside of it, better on a share",
            )
        return folder

    def local(self, option: str) -> str:
        folder = self.outside(option)
        if share_root(folder):
            raise RecoveryError(f"{option} {folder} is on a share", advice="Give a folder on a disk of the web server")
        return folder

    def run(self) -> dict[str, Any]:
        stamp = to_stamp(self.now)
        self.log.add(f"archiving {self.path} on {self.files.computer} to {self.destination}")
        try:
            result = self.backup()
        except RecoveryError as problem:
            self.log.add(f"failed: {problem}")
            problem.details["log"] = self.log.save(f"{self.folder.label}_{stamp}.failed.log")
            raise
        name = (
            base_name(result["archive"]["path"]).removesuffix(".zip")
            if result["changed"]
            else f"{self.folder.label}_{stamp}.unchanged"
        )
        return {**result, "log": self.log.save(f"{name}.log")}

    def backup(self) -> dict[str, Any]:
        with ExitStack() as shares:
            for path in self.plain.values():
                shares.enter_context(self.share(path))
            plan = self.plan()
            self.look_at_keys(plan)
            staged = self.make(plan, self.stage, self.stage.read()) if self.stage else None
            with self.at_destination(staged):
                store = self.brought(staged)
                last = newest(store.archives)
                diff = {"diff": self.difference(last, plan)} if self.show_diff else {}
                unchanged = last and self.params["skip_unchanged"] and self.unchanged_since(last, plan)
                if unchanged:
                    self.log.add(f"nothing has changed since {unchanged.name}, which was read to its end again")
                    if staged and self.stage:
                        self.writer.forget(self.stage, staged)
                archive = unchanged or self.arrive(staged, plan, store)
                removed = self.prune(store, archive)
        self.warn(plan)
        return {
            "changed": not unchanged or bool(removed),
            "archive": self.described(archive, plan, verified=not self.files.check_mode),
            "excluded": list(plan.excluded),
            "skipped": [{"name": refusal.name, "reason": refusal.reason} for refusal in (*plan.refused, *self.unread)],
            "changed_meanwhile": self.changed_meanwhile,
            "protected": self.protected,
            "removed": removed,
            **diff,
        }

    def share(self, path: str) -> Any:
        return self.files.share(path, user=self.params["share_user"], password=self.params["share_password"])

    # What there is

    def plan(self) -> ArchivePlan:
        """What is in the folder now, and what of it goes into the archive."""
        [state] = self.files.stat(self.path)
        if not state.folder:
            raise RecoveryError(
                f"There is no folder {self.path} on {self.files.host}",
                advice="Check path: it is the folder of the application, with web.config in it",
            )
        plan = select_contents(self.files.list(self.path), exclude=self.params["exclude"])
        if not plan.files:
            raise RecoveryError(
                f"The folder {self.path} on {self.files.host} holds no file to archive", advice="Check path and exclude"
            )
        known = {name_key(file.name): file.name for file in plan.files}
        for name, path in list(self.plain.items()):
            [copy] = self.files.stat(path)
            if name_key(name) not in known or not copy.exists or copy.folder:
                missing = f"{self.path}\\{name}" if name_key(name) not in known else path
                raise RecoveryError(
                    f"plain_copies names {name}, and there is no file {missing} on {self.files.host}",
                    advice="Check plain_copies",
                )
            self.plain[known[name_key(name)]] = self.plain.pop(name)
        self.log.add(
            f"found {counted(len(plan.files), 'file')} with {counted(plan.bytes, 'byte')}; "
            f"excluded: {len(plan.excluded)}"
        )
        self.log.add_each("excluded:", plan.excluded)
        self.log.add_each("not archived:", [f"{refusal.name} {refusal.reason}" for refusal in plan.refused])
        return plan

    def look_at_keys(self, plan: ArchivePlan) -> None:
        """Which files of keys only this machine can use. Their content stays here."""
        keys = {name_key(name) for name in self.params["key_files"]}
        for file in plan.files:
            if name_key(file.name) not in keys or file.size > LARGEST_KEY:
                continue
            try:
                seen = self.files.look_into(join(self.path, file.name.replace("/", "\\")), marks=MARKS)
            except WindowsFault:  # who cannot read it now says so when it is packed
                seen = None
            kind = protection(encrypted=file.encrypted, marks=seen.marks if seen else ())
            if kind:
                self.protected[file.name] = kind
                instead = f"; {self.plain[file.name]} is archived instead" if file.name in self.plain else ""
                self.log.add(f"{file.name} is protected by {NAMES[kind]}{instead}")

    def unchanged_since(self, last: StoredArchive, plan: ArchivePlan) -> StoredArchive | None:
        """The newest archive with its whole manifest, if it is sound and holds exactly what would be archived now."""
        then = self.folder.manifest(last)
        if {file.name for file in plan.files} != {file.name for file in then.files} or set(plan.folders) != set(
            then.folders
        ):
            return None
        now = self.files.hash(self.path, [file.name for file in plan.files if file.name not in self.plain])
        now |= {name: self.hash_of(path) for name, path in self.plain.items()}
        if not compare(then, now).identical:
            return None
        problem = self.folder.content_problem(last)
        if problem:
            self.files.warnings.append(f"{self.folder.full_path(last)} {problem}. A new archive is written.")
        return None if problem else replace(last, manifest=then)

    def hash_of(self, path: str) -> PresentFile:
        return self.files.hash_one(parent(path), base_name(path))

    # What is made of it

    def make(self, plan: ArchivePlan, folder: ArchiveFolder, store: ArchiveCatalog) -> StoredArchive:
        """A new archive in a folder, verified there."""
        return self.writer.write(folder, store, plan, instead=self.plain, manifest_of=self.manifest, judge=self.judge)

    def judge(self, packed: Sequence[PackedFile]) -> None:
        """Whether an archive without the files that could not be read is worth having. Raises RecoveryError when it is
        not.
        """
        gone = [Refusal(file.name, "was gone before it could be read") for file in packed if file.vanished]
        locked = [file for file in packed if file.fault and not file.vanished]
        fatal = [file for file in locked if self.params["unreadable"] == "fail" or is_essential(file.name)]
        if fatal:
            more = f" (and {len(fatal) - 1} more files)" if len(fatal) > 1 else ""
            raise RecoveryError(
                f"{self.path}\\{fatal[0].name} on {self.files.host} cannot be read{more}: {fatal[0].fault}",
                advice=self.way_out(fatal[0]),
                unreadable=[file.name for file in fatal],
            )
        self.unread = [*gone, *(Refusal(file.name, f"could not be read: {file.fault}") for file in locked)]
        self.changed_meanwhile = [file.name for file in packed if file.changed]
        self.log.add_each("not archived:", [f"{refusal.name} {refusal.reason}" for refusal in self.unread])
        self.log.add_each("changed while it was read:", self.changed_meanwhile)

    def way_out(self, file: PackedFile) -> str:
        if self.protected.get(file.name) == "efs":
            return (
                "Nothing was archived. EFS lets only the account read it that encrypted it: put an unprotected copy "
                "where only administrators may read, and name it in plain_copies"
            )
        also = "" if is_essential(file.name) else ", or all such be left out by unreadable=report"
        return f"Nothing was archived. A file that is not needed for a restore can be named in exclude{also}"

    def manifest(self, plan: ArchivePlan, packed: Sequence[PackedFile] = ()) -> Manifest:
        read = [file for file in packed if not file.fault]
        labels = {str(name): str(value) for name, value in (self.params["labels"] or {}).items()}
        if self.params["healthy"] is not None:
            labels[HEALTHY] = "true" if self.params["healthy"] else "false"
        return Manifest(
            path=self.path,
            host=self.files.computer,
            created=to_text(self.now),
            files=tuple(
                ManifestFile(name=file.name, size=file.size, sha256=file.sha256, modified=file.modified)
                for file in read
            ),
            planned=len(read) if packed else len(plan.files),
            folders=plan.folders,
            excluded=tuple(self.params["exclude"]),
            labels=labels,
            protected={name: kind for name, kind in self.protected.items() if kind != "efs" and name not in self.plain},
            plain=tuple(sorted(self.plain)),
        )

    # Where it goes

    @contextmanager
    def at_destination(self, staged: StoredArchive | None) -> Iterator[None]:
        """What goes wrong there does not lose an archive that was made elsewhere."""
        try:
            with self.share(self.destination):
                yield
        except RecoveryError as problem:
            if staged and self.stage and not self.files.check_mode:
                waits = self.stage.full_path(staged)
                kept = f"The archive was made and verified. It waits in {waits}, and the next run brings it over"
                problem.args = (sentences(str(problem), kept),)
                problem.details["staged"] = waits
                for old in [archive for archive in self.stage.read().archives if archive.complete][WAITING:]:
                    self.writer.forget(self.stage, old)
            raise

    def brought(self, staged: StoredArchive | None) -> ArchiveCatalog:
        """What is at the destination, once what earlier runs had to leave in stage_path is there too."""
        store = self.folder.read()
        if self.stage is None:
            return store
        there = self.stage.read().archives
        for archive in abandoned(there, now=self.now):
            self.writer.forget(self.stage, archive)
        waiting = [archive for archive in there if archive.complete and (staged is None or archive.name != staged.name)]
        for archive in reversed(waiting):
            self.writer.bring(archive, self.stage, self.folder, store)
        return self.folder.read() if waiting else store

    def arrive(self, staged: StoredArchive | None, plan: ArchivePlan, store: ArchiveCatalog) -> StoredArchive:
        """The new archive at the destination: brought there, or made there."""
        return (
            self.writer.bring(staged, self.stage, self.folder, store)
            if staged and self.stage
            else self.make(plan, self.folder, store)
        )

    def prune(self, store: ArchiveCatalog, archive: StoredArchive) -> list[str]:
        """Retention, the manifest of an archive before the archive: what is interrupted here is not whole any more."""
        known = [other for other in store.archives if other.name != archive.name]
        surplus = removable([*known, archive], self.rules, now=self.now)
        for other in surplus:
            self.writer.forget(self.folder, other)
        return [self.folder.full_path(other) for other in surplus]

    # What is said about it

    def described(self, archive: StoredArchive, plan: ArchivePlan, *, verified: bool) -> dict[str, Any]:
        path = self.folder.full_path(archive)
        manifest = archive.manifest or self.manifest(plan)
        return {
            "path": path,
            "manifest": manifest_name(path),
            "sha256": manifest.archive_sha256,
            "bytes": archive.size,
            "files": manifest.planned,
            "content_bytes": manifest.bytes or plan.bytes,
            "created": manifest.created,
            "labels": dict(manifest.labels),
            "healthy": manifest.healthy,
            "verified": verified,
        }

    def difference(self, last: StoredArchive | None, plan: ArchivePlan) -> dict[str, str]:
        before = self.folder.manifest(last).files if last else ()
        return {
            "before_header": self.folder.full_path(last) if last else "no archive",
            "before": "".join(f"{file.name} ({file.size} bytes)\n" for file in before),
            "after_header": self.path,
            "after": "".join(f"{file.name} ({file.size} bytes)\n" for file in plan.files),
        }

    def warn(self, plan: ArchivePlan) -> None:
        where = f"{self.path} on {self.files.host}"
        report = self.files.warnings.append
        open_now = [name for name in plan.encrypted if name not in self.plain]
        if open_now:
            report(
                f"EFS protects {', '.join(open_now)} in {where}. The archive holds the plain content, since no other "
                "machine could read it otherwise: keep the archive where only those may read who may read the keys."
            )
        for name, kind in self.protected.items():
            if kind != "efs" and name not in self.plain:
                report(
                    f"{name} in {where} is protected by {NAMES[kind]}: no other machine can use what was archived. Put "
                    "an unprotected copy where only administrators may read, and name it in plain_copies."
                )
        if self.plain:
            report(
                f"The archive holds the unprotected {', '.join(self.plain)}: keep it where only those may read who "
                "may read the keys."
            )
        absent = [*plan.refused, *self.unread]
        if absent:
            shown = "; ".join(f"{refusal.name} {refusal.reason}" for refusal in absent[:5])
            report(f"{len(absent)} entries of {where} are not in the archive: {shown}")
        if self.changed_meanwhile:
            report(
                f"{', '.join(self.changed_meanwhile[:5])} in {where} changed while being read. "
                "The archive holds what was read; name files that are always written to, such as logs, in exclude."
            )
