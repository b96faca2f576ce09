# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archive an application folder: look, pack, read back where it lies, bring it to where it is to stay, remove what
retention says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from ..._core.application.archive_catalog import ArchiveCatalog, StoredArchive, newest, removable
from ..._core.application.archive_contents import ArchivePlan, select_contents
from ..._core.application.archive_entries import name_key
from ..._core.application.archive_manifest import HEALTHY, Manifest, ManifestFile, compare
from ..._core.application.key_protection import NAMES
from ..._core.errors import RecoveryError
from ..._core.retention_rules import Rules
from ..._core.text import counted
from ..._core.times import to_stamp, to_text
from ..._core.windows_files import PresentFile
from ..._core.windows_paths import base_name, full_path, parent, share_root
from ..host.files import PackedFile, WindowsFiles
from .archive_folder import ArchiveFolder
from .archive_writer import ArchiveWriter
from .backup_report import archive_report, backup_warnings, difference, skipped_entries
from .delivery import ArchiveDelivery
from .key_files import KeyFiles
from .read_problems import ReadProblems, judge_packed, require_essential, require_seen
from .run_log import RunLog

__all__ = ["ApplicationBackup"]


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
        self.destination = archive_path(params, "destination", application=self.path)
        self.folder = ArchiveFolder(files, self.destination, application=self.path)
        stage = local_archive_path(params, "stage_path", application=self.path) if params["stage_path"] else None
        copies = params["plain_copies"] or {}
        self.plain = {name.replace("\\", "/"): full_path(path, option="plain_copies") for name, path in copies.items()}
        self.rules = Rules.from_options(params["retention"]) or Rules()
        self.log = RunLog(
            files,
            full_path(params["log_path"], option="log_path") if params["log_path"] else None,
            label=self.folder.label,
        )
        self.writer = ArchiveWriter(files, self.log, application=self.path, now=self.now)
        self.delivery = ArchiveDelivery(
            files,
            self.writer,
            destination=self.folder,
            stage=ArchiveFolder(files, stage, application=self.path) if stage else None,
            now=self.now,
        )
        self.keys = KeyFiles(files, self.path, params["key_files"])
        self.protected: dict[str, str] = {}
        """What protects key files, by name."""
        self.problems = ReadProblems()

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
            self.inspect_keys(plan)
            write = partial(self.write, plan)
            self.delivery.stage_archive(write)
            with self.delivery.keep_staged_on_failure(), self.share(self.destination):
                store = self.delivery.deliver_waiting()
                last = newest(store.archives)
                diff = {"diff": difference(last, plan, folder=self.folder, path=self.path)} if self.show_diff else {}
                unchanged = last and self.params["skip_unchanged"] and self.unchanged_since(last, plan)
                if unchanged:
                    self.log.add(f"nothing has changed since {unchanged.name}, which was read to its end again")
                    self.delivery.discard_staged()
                archive = unchanged or self.delivery.deliver(write, store)
                removed = self.prune(store, archive)
        self.files.warnings += backup_warnings(
            plan,
            self.problems,
            where=f"{self.path} on {self.files.host}",
            protected=self.protected,
            plain=self.plain,
        )
        return {
            "changed": not unchanged or bool(removed),
            "archive": archive_report(
                archive,
                archive.manifest or self.manifest(plan),
                plan,
                path=self.folder.full_path(archive),
                verified=not self.files.check_mode,
            ),
            "excluded": list(plan.excluded),
            "not_archived": [
                {"name": refusal.name, "reason": refusal.reason} for refusal in skipped_entries(plan, self.problems)
            ],
            "changed_meanwhile": list(self.problems.changed),
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
                code="not_found",
                advice="Check path: it is the folder of the application, with web.config in it",
            )
        plan = select_contents(self.files.list(self.path, partial=True), exclude=self.params["exclude"])
        require_essential(plan.refused, path=self.path, host=self.files.host)
        require_seen(plan.unseen, path=self.path, host=self.files.host)
        if not plan.files:
            raise RecoveryError(
                f"The folder {self.path} on {self.files.host} holds no file to archive",
                code="not_found",
                advice="Check path and exclude",
            )
        known = {name_key(file.name): file.name for file in plan.files}
        for name, path in list(self.plain.items()):
            [copy] = self.files.stat(path)
            if name_key(name) not in known or not copy.exists or copy.folder:
                missing = f"{self.path}\\{name}" if name_key(name) not in known else path
                raise RecoveryError(
                    f"plain_copies names {name}, and there is no file {missing} on {self.files.host}",
                    code="not_found",
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

    def inspect_keys(self, plan: ArchivePlan) -> None:
        """Which files of keys only this machine can use."""
        for name, kind in self.keys.protected(plan.files):
            self.protected[name] = kind
            instead = f"; {self.plain[name]} is archived instead" if name in self.plain else ""
            self.log.add(f"{name} is protected by {NAMES[kind]}{instead}")

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

    def write(self, plan: ArchivePlan, folder: ArchiveFolder, store: ArchiveCatalog) -> StoredArchive:
        """A new archive in a folder, verified there."""
        return self.writer.write(folder, store, plan, instead=self.plain, manifest_of=self.manifest, judge=self.judge)

    def judge(self, packed: Sequence[PackedFile]) -> None:
        """Raises RecoveryError when an archive without the files that could not be read is not worth having."""
        self.problems = judge_packed(
            packed,
            path=self.path,
            host=self.files.host,
            unreadable=self.params["unreadable"],
            protected=self.protected,
        )
        self.log.add_each("not archived:", [f"{refusal.name} {refusal.reason}" for refusal in self.problems.unread])
        self.log.add_each("changed while it was read:", self.problems.changed)

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

    def prune(self, store: ArchiveCatalog, archive: StoredArchive) -> list[str]:
        """Retention, the manifest of an archive before the archive: what is interrupted here is not whole any more."""
        known = [other for other in store.archives if other.name != archive.name]
        surplus = removable([*known, archive], self.rules, now=self.now)
        for other in surplus:
            self.writer.forget(self.folder, other)
        return [self.folder.full_path(other) for other in surplus]


def archive_path(params: Mapping[str, Any], option: str, *, application: str) -> str:
    """The folder that an option names. An archive in the folder that it is of would hold its predecessors."""
    folder = full_path(params[option], option=option)
    if f"{folder}\\".lower().startswith(f"{application}\\".lower()):
        raise RecoveryError(
            f"{option} {folder} lies in the folder {application} that is to be archived",
            code="option_invalid",
            advice="Choose a folder outside of it, better on a share",
        )
    return folder


def local_archive_path(params: Mapping[str, Any], option: str, *, application: str) -> str:
    """As archive_path, and on a disk of the web server."""
    folder = archive_path(params, option, application=application)
    if share_root(folder):
        raise RecoveryError(
            f"{option} {folder} is on a share",
            code="option_invalid",
            advice="Give a folder on a disk of the web server",
        )
    return folder
