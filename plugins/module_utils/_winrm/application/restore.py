# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring an application folder back: look, prove an archive, unpack beside, swap in, and back again when anything goes
wrong.

Whoever interrupts it leaves this: until the swap the folder is as it was, with X.prs-new beside it, and its pool runs;
from then on _core/application/swap_steps.py says what lies there, and the pool is stopped. A host that is lost then is
connected anew for up to a minute, the old folder brought back and the pool started; what is left even so the next run
puts right, which begins with it. start_pool starts the pool at the end of that run. Warnings of a run that failed are
shown with its message (_outcome.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..._core.application.archive_entries import name_key
from ..._core.application.archive_manifest import Manifest, compare
from ..._core.application.folder_state import DATABASE_CONFIG, assess, verdict
from ..._core.errors import RecoveryError, sentences
from ..._core.times import parse_user_time
from ..._core.windows_files import PresentFile
from ..._core.windows_paths import full_path, join
from ..host.application_pool import ApplicationPool
from ..host.files import WindowsFiles
from .archive_folder import Candidate, candidates, screened
from .folder_swap import FolderSwap
from .key_files import KeyFiles
from .previous_folder import PreviousFolder
from .restore_report import Finding, archive_report, difference, folder_report, restore_warnings, untold_warnings
from .way_back import bring_back, start_again

__all__ = ["ApplicationRestore"]

ROOM = 64 << 20
"""Bytes that a drive keeps free beside what is unpacked."""


class ApplicationRestore:
    """One run. now: answers the host's time, aware, for the name of an old folder that is kept: it is known once the
    host has answered anything.
    """

    def __init__(
        self, files: WindowsFiles, params: dict[str, Any], *, now: Callable[[], dt.datetime], show_diff: bool = False
    ) -> None:
        self.files = files
        self.params = params
        self.show_diff = show_diff
        self.path = full_path(params["path"], option="path")
        self.source = full_path(params["source"], option="source")
        self.until = parse_user_time(params["until"], option="until") if params["until"] else None
        self.swap = FolderSwap(files, self.path)
        self.keys = KeyFiles(files, self.path, params["key_files"])
        self.previous = PreviousFolder(files, self.swap, self.keys, keep_old=params["keep_old"], now=now)
        self.pool = ApplicationPool(files, params["application_pool"]) if params["application_pool"] else None
        self.pool_was_stopped = False
        """Whether this run stopped a pool that ran."""
        self.was_there = False
        """Whether there was a folder to replace."""
        self.encrypted: set[str] = set()
        self.rejected: list[dict[str, str]] = []

    def run(self) -> dict[str, Any]:
        with self.files.share(self.source, user=self.params["share_user"], password=self.params["share_password"]):
            repaired = self.swap.repair() | self.previous.keep_interrupted()
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
            code="not_found",
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
        state, _drive = self.swap.look()
        self.was_there = state.exists
        if not state.exists:
            return {}
        if not state.folder:
            raise RecoveryError(
                f"{self.path} on {self.files.host} is a file, not the folder of an application",
                code="option_invalid",
                advice="Check path",
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
        keys = self.keys.inspect_changed(candidate, comparison, now, encrypted=self.encrypted)
        state = assess(
            manifest=wanted,
            comparison=comparison,
            present=now,
            expected_differences=self.params["expected_differences"],
            key_files=self.params["key_files"],
            broken=keys.broken,
            shielded=keys.shielded,
            untold=keys.untold,
            bound=keys.bound,
        )
        result = verdict(state, replace=self.params["replace"])
        if result.action == "refuse":
            raise RecoveryError(
                f"The folder {self.path} on {self.files.host} {result.reason}",
                code="would_lose_data",
                advice="Nothing was changed. If it is to be replaced all the same, set replace to always; with "
                "keep_old it is kept beside",
            )
        return Finding(wanted=wanted, comparison=comparison, state=state, verdict=result)

    def leave(self, candidate: Candidate, finding: Finding, *, repaired: bool) -> dict[str, Any]:
        """The folder stays. An old one is left only when a run ended after its swap; the folder being whole, that is
        over now.
        """
        if finding.state.kind in ("identical", "whole") and self.swap.found_old:
            self.previous.keep_or_remove()
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
        entries = screened(self.files, candidate, wanted)
        self.check_room(sum(entry.size for entry in entries))
        self.previous.plan(finding.state)
        if self.files.check_mode:
            return
        try:
            self.files.make_folder(self.swap.where.new, private=True, ahead=True)
            written = self.files.unpack(candidate.path, target=self.swap.where.new, wanted=entries)
            self.verify_files(wanted, written, where=self.swap.where.new)
            if keeps:
                self.files.copy(join(self.path, DATABASE_CONFIG), join(self.swap.where.new, DATABASE_CONFIG))
            self.swap.prepare_rights(like_live=self.was_there)
        except BaseException:
            self.files.discard(self.swap.where.new)
            raise
        try:
            if self.pool:
                self.pool_was_stopped = self.pool.look().running
                self.pool.stop(timeout=self.params["pool_timeout"])
            self.swap.swap(live_exists=self.was_there)
            self.verify_files(wanted, self.files.hash(self.path, [file.name for file in wanted.files]), where=self.path)
        except BaseException as problem:
            self.roll_back(problem)
            raise
        self.swap.finish()
        self.previous.keep_or_remove(there=self.was_there, ahead=self.pool is not None)

    def check_room(self, needed: int) -> None:
        _live, drive = self.swap.look()
        if drive.free is not None and drive.free < needed + ROOM:
            raise RecoveryError(
                f"The drive of {self.path} on {self.files.host} has {drive.free >> 20} MB free, and "
                f"{(needed + ROOM) >> 20} MB are needed to unpack beside it",
                code="no_space",
                advice="Make room there and run this again. Nothing was changed",
            )

    def verify_files(self, wanted: Manifest, candidate: Mapping[str, PresentFile], *, where: str) -> None:
        comparison = compare(wanted, candidate)
        if not comparison.matches:
            wrong = [*comparison.missing, *comparison.different, *comparison.unreadable]
            raise RecoveryError(
                f"{len(wrong)} files in {where} on {self.files.host} are not what the manifest says: "
                f"{', '.join(wrong[:5])}",
                code="damaged",
                advice="The archive or the disk is damaged: use another archive, and look into the disk",
            )

    def roll_back(self, problem: BaseException) -> None:
        """The old folder comes back, and its pool runs again if it ran."""
        try:
            outcome = bring_back(self.files, self.swap)
            if self.pool_was_stopped and self.pool:
                start_again(self.files, self.pool)
        except RecoveryError as second:
            if not isinstance(problem, RecoveryError):
                raise
            outcome = sentences(f"Nor could that be undone: {second}", self.outage())
        if isinstance(problem, RecoveryError):
            problem.args = (sentences(str(problem), outcome),)

    def outage(self) -> str:
        """What to say when the run ends before the pool was started again."""
        if not (self.pool_was_stopped and self.pool):
            return ""
        return sentences(
            f"The application pool {self.pool.name} was stopped for it", "Until this is run again the site is down"
        )

    def result(self, candidate: Candidate, finding: Finding, *, repaired: bool, restored: bool) -> dict[str, Any]:
        running, started = self.pool_at_the_end(restored=restored)
        self.files.warnings += restore_warnings(
            candidate, restored=restored, path=self.path, host=self.files.host, computer=self.files.computer
        )
        if not restored:
            self.files.warnings += untold_warnings(candidate, finding, path=self.path, host=self.files.host)
        result: dict[str, Any] = {
            "changed": restored or repaired or started,
            "restored": restored,
            "repaired": repaired,
            "reason": finding.verdict.reason,
            "archive": archive_report(candidate),
            "folder": folder_report(finding),
            "rejected": self.rejected,
            "kept_old": self.previous.kept_old,
            "pool_running": running,
        }
        if self.show_diff:
            result["diff"] = difference(finding, path=self.path, archive=candidate.path, restored=restored)
        return result

    def pool_at_the_end(self, *, restored: bool) -> tuple[bool | None, bool]:
        """Whether the pool runs in the end, and whether that took a start. A host that was lost is connected anew."""
        try:
            return self.started_pool()
        except RecoveryError as problem:
            if not self.files.is_lost:
                raise
            try:
                self.files.reconnect()
                if restored:
                    self.previous.keep_or_remove(ahead=True)  # it went ahead of a request that was lost
                return self.started_pool()
            except RecoveryError:
                raise problem.reworded(
                    sentences(problem.message, f"{self.path} is what it should be", self.outage())
                ) from None

    def started_pool(self) -> tuple[bool | None, bool]:
        """The same, started where that is wanted."""
        now = self.pool.look() if self.pool else None
        if not self.pool or not now or not now.exists:
            return None, False
        if now.running or not self.params["start_pool"]:
            return now.running, False
        self.pool.start(now)
        return True, True
