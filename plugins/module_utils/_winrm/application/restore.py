# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring an application folder back: look, prove an archive, unpack beside, swap in, and back again when anything goes
wrong.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..._core.application.archive_entries import AcceptedEntry, name_key, screen_entries
from ..._core.application.archive_manifest import OWN_FOLDER, Comparison, Manifest, compare
from ..._core.application.folder_state import DATABASE_CONFIG, FolderState, Verdict, assess, verdict
from ..._core.application.key_protection import MARKS, NAMES, protection
from ..._core.errors import RecoveryError, sentences
from ..._core.times import parse_user_time, to_stamp
from ..._core.windows_files import PresentFile
from ..._core.windows_paths import full_path, join, parent
from ..connection.errors import WindowsFault
from ..host.application_pool import ApplicationPool
from ..host.files import WindowsFiles
from .archive_folder import Candidate, candidates, refuse_strange
from .folder_swap import FolderSwap

__all__ = ["ApplicationRestore"]

LARGEST_KEY = 1 << 20
"""Bytes. What is larger is no file of keys, and not looked into."""

ROOM = 64 << 20
"""Bytes that a drive keeps free beside what is unpacked."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The folder as it is, seen beside one archive. wanted: what the restored folder has to hold of the archive's
    manifest.
    """

    wanted: Manifest
    comparison: Comparison
    state: FolderState
    verdict: Verdict


class ApplicationRestore:
    """One run. now: aware, for the name of an old folder that is kept."""

    def __init__(
        self, files: WindowsFiles, params: dict[str, Any], *, now: dt.datetime, show_diff: bool = False
    ) -> None:
        self.files = files
        self.params = params
        self.now = now
        self.show_diff = show_diff
        self.path = full_path(params["path"], option="path")
        self.source = full_path(params["source"], option="source")
        self.until = parse_user_time(params["until"], option="until") if params["until"] else None
        self.swap = FolderSwap(files, self.path)
        self.pool = ApplicationPool(files, params["application_pool"]) if params["application_pool"] else None
        self.encrypted: set[str] = set()
        self.rejected: list[dict[str, str]] = []
        self.keep_as: str | None = None
        """Name that the folder which is replaced gets. Empty: it goes."""
        self.kept_old: str | None = None

    def run(self) -> dict[str, Any]:
        with self.files.share(self.source, user=self.params["share_user"], password=self.params["share_password"]):
            repaired = self.swap.repair() | self.keep_what_was_found()
            present = self.present()
            for candidate in candidates(
                self.files, self.source, application=self.path, rejected=self.rejected, until=self.until
            ):
                finding = self.compare(candidate, present)
                if finding.verdict.action != "restore":
                    return self.leave(candidate, finding, repaired=repaired)
                problem = candidate.content_problem()
                if not problem:
                    self.restore(candidate, finding, present)
                    return self.result(candidate, finding, repaired=repaired, restored=True)
                self.rejected.append({"path": candidate.path, "reason": problem})
        tried = "; ".join(f"{archive['path']} {archive['reason']}" for archive in self.rejected[:3])
        why = f" ({tried})" if tried else ""
        raise RecoveryError(
            f"There is no whole archive of {self.path} in {self.source}{self.limit}, seen from {self.files.host}{why}",
            advice="Check source, or give one archive. In a folder only archives count that are named after the "
            "last part of path",
            rejected=self.rejected,
        )

    @property
    def limit(self) -> str:
        """The part of a sentence that says how far back it had to be."""
        return (
            f" that was begun at {self.until.astimezone(dt.timezone.utc):%Y-%m-%d %H:%M:%S} UTC at the latest"
            if self.until
            else ""
        )

    def present(self) -> dict[str, PresentFile]:
        """The files that are in the folder now; their content is not known yet."""
        [state] = self.files.stat(self.path)
        if not state.exists:
            return {}
        if not state.folder:
            raise RecoveryError(
                f"{self.path} on {self.files.host} is a file, not the folder of an application", advice="Check path"
            )
        result = [entry for entry in self.files.list(self.path) if not entry.folder]
        self.encrypted = {entry.name for entry in result if entry.encrypted}
        return {entry.name: PresentFile(size=entry.size, sha256=None, modified=entry.modified) for entry in result}

    def compare(self, candidate: Candidate, present: Mapping[str, PresentFile]) -> Finding:
        """Compare the folder with an archive's manifest. A file of another size is another file, so only the others are
        read.
        """
        sizes = candidate.manifest.sizes
        known = self.files.hash(
            self.path, [name for name, file in present.items() if sizes.get(name_key(name)) == file.size]
        )
        now = {
            name: replace(file, sha256=known[name].sha256) if name in known else file for name, file in present.items()
        }
        own = [] if self.params["database_config"] == "archive" else [DATABASE_CONFIG]
        wanted = candidate.manifest.without(own)
        ignored = {name_key(name) for name in own}
        comparison = compare(wanted, {name: file for name, file in now.items() if name_key(name) not in ignored})
        broken, shielded = self.inspect_changed_keys(candidate, comparison, now)
        state = assess(
            manifest=wanted,
            comparison=comparison,
            present=now,
            expected_differences=self.params["expected_differences"],
            key_files=self.params["key_files"],
            broken=broken,
            shielded=shielded,
        )
        result = verdict(state, replace=self.params["replace"])
        if result.action == "refuse":
            raise RecoveryError(
                f"The folder {self.path} on {self.files.host} {result.reason}",
                advice="Nothing was changed. If it is to be replaced all the same, set replace to always; with "
                "keep_old it is kept beside",
            )
        return Finding(wanted=wanted, comparison=comparison, state=state, verdict=result)

    def inspect_changed_keys(
        self, candidate: Candidate, comparison: Comparison, now: Mapping[str, PresentFile]
    ) -> tuple[list[str], list[str]]:
        """Key files that are not the archive's: which are ruined, and which are this server's protected form of the
        archive's plain one.

        A key is XML. What is none any more, where the archive's is, is no other key.
        """
        keys = {name_key(name) for name in self.params["key_files"]}
        plain = (
            {name_key(name) for name in candidate.manifest.plain}
            if candidate.manifest.host == self.files.computer
            else set()
        )
        names = {name_key(name): name for name in now}
        broken, shielded = [], []
        for name in (*comparison.different, *comparison.unreadable):
            there = names[name_key(name)]
            if name_key(name) not in keys or not 0 < now[there].size < LARGEST_KEY:
                continue
            try:
                seen = self.files.look_into(join(self.path, there.replace("/", "\\")), marks=MARKS)
            except WindowsFault:  # EFS shuts out everybody but the account that encrypted it
                seen = None
            if name_key(name) in plain and protection(
                encrypted=there in self.encrypted, marks=seen.marks if seen else ()
            ):
                shielded.append(name)
            elif seen and not seen.xml:
                archived = self.files.look_into(candidate.path, entry=candidate.inner + name)
                if archived and archived.xml:
                    broken.append(name)
        return broken, shielded

    def leave(self, candidate: Candidate, finding: Finding, *, repaired: bool) -> dict[str, Any]:
        """The folder stays. An old one is left only when a run ended after its swap; the folder being whole, that is
        over now.
        """
        if finding.state.kind in ("identical", "whole") and self.swap.has_old():
            self.let_go_of_old()
            repaired = True
        return self.result(candidate, finding, repaired=repaired, restored=False)

    def restore(self, candidate: Candidate, finding: Finding, present: Mapping[str, PresentFile]) -> None:
        """Everything that can go wrong goes wrong beside the folder; then the pool is stopped and the folders are
        swapped.
        """
        keeps = self.params["database_config"] == "keep" and any(
            name_key(name) == name_key(DATABASE_CONFIG) for name in present
        )
        brings = self.params["database_config"] == "archive" or (self.params["database_config"] == "keep" and not keeps)
        wanted = candidate.manifest if brings else finding.wanted
        entries = self.screened(candidate, wanted)
        self.check_room(sum(entry.size for entry in entries))
        self.keep_where_needed(finding.state)
        if self.files.check_mode:
            return
        try:
            self.files.make_folder(self.swap.where.new, private=True)
            written = self.files.unpack(candidate.path, target=self.swap.where.new, wanted=entries)
            self.verify_files(wanted, written, where=self.swap.where.new)
            if keeps:
                self.files.copy(join(self.path, DATABASE_CONFIG), join(self.swap.where.new, DATABASE_CONFIG))
        except BaseException:
            self.files.discard(self.swap.where.new)
            raise
        ran = self.pool.look().running if self.pool else False
        try:
            if self.pool:
                self.pool.stop(timeout=self.params["pool_timeout"])
            self.swap.swap()
            self.swap.apply_rights()
            self.verify_files(wanted, self.files.hash(self.path, [file.name for file in wanted.files]), where=self.path)
        except BaseException as problem:
            self.roll_back(problem, ran=ran)
            raise
        self.swap.finish()
        self.let_go_of_old()

    def screened(self, candidate: Candidate, wanted: Manifest) -> list[AcceptedEntry]:
        """The archive's entries that are to be written. An archive that holds anything strange is refused
        as a whole.
        """
        result = screen_entries(candidate.entries(self.files), vouched=candidate.manifest.sizes)
        names = {name_key(file.name) for file in candidate.manifest.files}
        strange = [f"{refusal.name} {refusal.reason}" for refusal in result.refused]
        own = name_key(OWN_FOLDER)
        inner = [entry for entry in result.accepted if name_key(entry.name).partition("/")[0] != own]
        strange += [
            f"{entry.name} is not in its manifest"
            for entry in inner
            if not entry.folder and name_key(entry.name) not in names
        ]
        chosen = {name_key(file.name) for file in wanted.files}
        entries = [entry for entry in inner if entry.folder or name_key(entry.name) in chosen]
        missing = chosen - {name_key(entry.name) for entry in entries}
        strange += [f"{file.name} is missing" for file in wanted.files if name_key(file.name) in missing]
        refuse_strange(candidate.path, strange)
        return entries

    def check_room(self, needed: int) -> None:
        [drive] = self.files.stat(parent(self.path))
        if drive.free is not None and drive.free < needed + ROOM:
            raise RecoveryError(
                f"The drive of {self.path} on {self.files.host} has {drive.free >> 20} MB free, and "
                f"{(needed + ROOM) >> 20} MB are needed to unpack beside it",
                advice="Make room there and run this again. Nothing was changed",
            )

    def verify_files(self, wanted: Manifest, candidate: Mapping[str, PresentFile], *, where: str) -> None:
        comparison = compare(wanted, candidate)
        if not comparison.matches:
            wrong = [*comparison.missing, *comparison.different, *comparison.unreadable]
            raise RecoveryError(
                f"{len(wrong)} files in {where} on {self.files.host} are not what the manifest says: "
                f"{', '.join(wrong[:5])}",
                advice="The archive or the disk is damaged: use another archive, and look into the disk",
            )

    def roll_back(self, problem: BaseException, *, ran: bool) -> None:
        """The old folder comes back, and its pool runs again if it ran."""
        self.swap.undo()
        if ran and self.pool:
            self.pool.start()
        if isinstance(problem, RecoveryError):
            problem.args = (sentences(str(problem), f"{self.path} is as it was before"),)

    # The old folder. Other keys are never thrown away: their database cannot be read without them.

    def keep_what_was_found(self) -> bool:
        """The old folder of a run that was interrupted after its swap gets its name, where it is one to keep. Answers
        whether it was.
        """
        if not self.swap.found_old:
            return False
        other = self.other_keys(self.swap.where.old)
        if not other and not self.params["keep_old"]:
            return False
        self.kept_old = f"{self.swap.where.live}.{self.stamp}-interrupted"
        if other:
            self.warn_of_keys(f"What an interrupted run left in {self.swap.where.old}", other)
        self.files.rename(self.swap.where.old, self.kept_old)
        return True

    def other_keys(self, old: str) -> list[str]:
        """Key files of a finished installation that are not those which lie in the folder now. What is no key any more
        is not one of them.
        """
        names = self.params["key_files"]
        result, now = self.files.hash(old, [*names, DATABASE_CONFIG]), self.files.hash(self.path, names)
        if not result.get(DATABASE_CONFIG, PresentFile(size=0, sha256=None)).size:
            return []
        return [
            name
            for name in names
            if name in result
            and (result[name].sha256 is None or self.is_another_key(join(old, name), result[name], now.get(name)))
        ]

    def is_another_key(self, path: str, there: PresentFile, now: PresentFile | None) -> bool:
        if not there.size or (now and there.sha256 == now.sha256):
            return False
        try:
            seen = self.files.look_into(path)
        except WindowsFault:  # nobody knows
            return True
        return bool(seen and seen.xml)

    def keep_where_needed(self, state: FolderState) -> None:
        """Under which name the folder stays that is to be replaced."""
        foreign = state.kind == "foreign"
        if state.kind != "missing" and (foreign or self.params["keep_old"]):
            self.keep_as = self.kept_old = f"{self.swap.where.live}.{self.stamp}"
        if foreign:
            self.warn_of_keys(self.path, state.damage)

    def warn_of_keys(self, what: str, names: Sequence[str]) -> None:
        self.files.warnings.append(
            f"{what} on {self.files.host} has other keys than the archive ({', '.join(names)}). Without them their "
            f"database cannot be read, so it is kept as {self.kept_old}. Remove it when nobody needs it."
        )

    @property
    def stamp(self) -> str:
        return to_stamp(self.now)

    def let_go_of_old(self) -> None:
        """A predecessor that stays is no reason to fail: the restored folder is in place."""
        if not self.swap.has_old():
            return
        old = self.swap.where.old
        try:
            self.files.rename(old, self.keep_as) if self.keep_as else self.swap.remove_old()
        except RecoveryError as problem:
            could_not, will = (
                (f"be renamed to {self.keep_as}", "does that") if self.keep_as else ("be removed", "removes it")
            )
            self.kept_old = old if self.keep_as else self.kept_old
            self.files.warnings.append(
                f"The restored folder is in place; its predecessor {old} could not {could_not}. {problem} The next "
                f"run {will}."
            )

    def result(self, candidate: Candidate, finding: Finding, *, repaired: bool, restored: bool) -> dict[str, Any]:
        running, started = self.pool_at_the_end()
        self.warn(candidate, restored=restored)
        manifest = candidate.manifest
        state, comparison = finding.state, finding.comparison
        result: dict[str, Any] = {
            "changed": restored or repaired or started,
            "restored": restored,
            "repaired": repaired,
            "reason": finding.verdict.reason,
            "archive": {
                "path": candidate.path,
                "created": manifest.created,
                "host": manifest.host,
                "files": len(manifest.files),
                "bytes": manifest.bytes,
                "labels": dict(manifest.labels),
                "healthy": manifest.healthy,
                "proven_by": candidate.proven_by,
            },
            "folder": {
                "state": state.kind,
                "damage": list(state.damage),
                "own": list(state.own),
                "extra": list(comparison.extra),
            },
            "rejected": self.rejected,
            "kept_old": self.kept_old,
            "pool_running": running,
        }
        if self.show_diff:
            result["diff"] = difference(finding, path=self.path, archive=candidate.path, restored=restored)
        return result

    def warn(self, candidate: Candidate, *, restored: bool) -> None:
        manifest = candidate.manifest
        if candidate.proven_by != "manifest":
            self.files.warnings.append(
                f"{candidate.path} has no manifest, as archives of the product's own backup page have none. Its "
                "checksums are right; that no file is missing in it cannot be proven."
            )
        if manifest.healthy is False:
            self.files.warnings.append(f"{candidate.path} was taken while the application did not answer.")
        if not restored:
            return
        for name, kind in manifest.protected.items():
            if manifest.host != self.files.computer:
                self.files.warnings.append(
                    f"{name} in {candidate.path} is protected by {NAMES.get(kind, kind)} of {manifest.host}, and "
                    f"{self.files.computer} cannot "
                    f"read it. Put the unprotected file into {self.path} before the application is started."
                )
        if manifest.plain:
            self.files.warnings.append(
                f"{', '.join(manifest.plain)} in {self.path} on {self.files.host} is the unprotected copy that was "
                "archived: protect it again."
            )

    def pool_at_the_end(self) -> tuple[bool | None, bool]:
        """Whether the pool runs in the end, and whether that took a start."""
        now = self.pool.look() if self.pool else None
        if not self.pool or not now or not now.exists:
            return None, False
        if now.running or not self.params["start_pool"]:
            return now.running, False
        self.pool.start()
        return True, True


def difference(finding: Finding, *, path: str, archive: str, restored: bool) -> dict[str, str]:
    """The files that are not as in the archive: what each is now, and what it is afterwards. What only the old folder
    had goes with it.
    """
    comparison = finding.comparison
    words = {
        "missing": comparison.missing, "different": comparison.different, "unreadable": comparison.unreadable,
        "not in the archive": comparison.extra,
    }  # fmt: skip
    before = {name: word for word, names in words.items() for name in names}
    after = {name: "as in the archive" for name in before if name not in comparison.extra} if restored else before
    return {
        "before_header": path,
        "before": "".join(f"{name}: {word}\n" for name, word in sorted(before.items())),
        "after_header": f"{path} (from {archive})" if restored else path,
        "after": "".join(f"{name}: {word}\n" for name, word in sorted(after.items())),
    }
