# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore from the first question to the database that people work with again."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..._core.backup.backup_set import BackupKind, guid
from ..._core.backup.catalog import BackupCatalog, assemble, merge, tell_zones
from ..._core.backup.file_names import backup_files
from ..._core.errors import RecoveryError, sentences
from ..._core.restore.overwrite_policy import REFUSE, UNCHANGED, Decision, decide
from ..._core.restore.plan import ExistingDatabase, Mark, Plan, Refusal
from ..._core.restore.planner import Request, plan_restore
from ..._core.restore.target import parse_target, parse_zone
from ..._core.windows_paths import device_path, is_full_path, parent, safe_name
from ..catalog.headers import read_file, read_files
from ..catalog.history import read_history, remembered_family, restored_full, standby_position
from ..catalog.reader import read_sources
from ..connection.errors import SqlError
from ..connection.quoting import quote_identifier
from ..connection.session import Session
from ..instance.databases import SYSTEM, disconnect_sessions, read_database, set_multi_user, set_option
from ..instance.folders import find_files, is_file, provide_folder, require_folder, require_new_file
from ..instance.locks import hold
from ..instance.logins import read_login
from ..instance.mirroring_session import set_partner
from ..instance.server import read_server, service_account, utc_now
from ..restore import facts as sources
from ..restore import hand_over as aftercare
from ..restore import statements as restores

__all__ = ["RestoreRun"]

OLDEST_LEVEL = 100
"""Compatibility level that SQL Server 2012 and all later ones have."""

MAY_OPEN = ("RECOVERY_PENDING", "SUSPECT")
"""States that a database may leave with every row, once the server is asked to recover it again."""


class RestoreRun:
    """One run of sql_restore: ask, plan, decide, save the tail, restore, hand over. Nothing is changed before the
    decision.
    """

    def __init__(self, session: Session) -> None:
        params = session.params
        if not any(params["source"][where] for where in ("folders", "files", "history")):
            raise RecoveryError(
                "'source' names neither folders nor files",
                code="option_invalid",
                advice="Say where the backups are, as the SQL Server service sees it",
            )
        self.session = session
        self.database: str = params["database"]
        quote_identifier(
            self.database, what="name of the database"
        )  # refuses what cannot be one before anything is asked
        self.host = session.connection.target.server
        if self.database.lower() in SYSTEM:
            raise RecoveryError(
                f"{self.database} is a system database, which this module does not restore",
                code="option_invalid",
                advice="See Microsoft's documentation for it",
            )
        self.family = guid(params["source"]["family_guid"])
        self.unusable: dict[str, str] = {}
        self.doubtful: frozenset[str] = frozenset()
        self.tails = BackupCatalog()
        self.source: dict[str, Any] = params["source"]
        self.staged: Any = None
        self.start_over = params["replace"] == "always"
        self.guarded = params["recovery"] == "recovered" and bool(
            params["checkdb"] != "none" or params["validation_query"]
        )
        self.target = parse_target(params["target"], mark_after=params["mark_after"])
        self.zone = parse_zone(params["source"]["time_zone"])

    def run(self) -> dict[str, Any]:
        """What the task returns."""
        session = self.session
        hold(session, self.database, wait=session.params["lock_timeout"])
        self.server = read_server(session.connection)
        self.standby_file = self._standby_file()
        service_account(session.connection)  # so that every message about a path can say for whom
        self.there = self._what_is_there()
        self._check_wishes()
        if not session.params["stage_path"]:
            return self._restore()
        if self._stays_anyway():
            return self._unchanged()
        if not self._stage():
            return self._only_staged()
        try:
            told = self._restore()
        except RecoveryError as problem:
            if "refusal" not in problem.details or not self.staged.left:
                raise
            session.progress.line(f"what was brought does not suffice ({problem.message}): bringing the rest")
            self.there = self._what_is_there()
            if not self._stage(everything=True):
                return self._only_staged()
            told = self._restore()
        return {**told, **self._unstage()}

    def _restore(self) -> dict[str, Any]:
        """From reading the backups on."""
        session = self.session
        self._read_sources(trust=True)
        self.marks = self._marks()
        plan = self._plan(with_server=False)
        self.family = plan.family_guid  # from here on no other database of that name counts
        if self._add_saved_tails():
            plan = self._plan(with_server=False)
        decision = self._decide(plan)
        if decision.action == UNCHANGED:
            return self._unchanged()
        if self._stands_where_it_should(plan):
            return {**self._in_standby(), "plan": {}}
        self._check_standby_file()
        self._respect_leases()
        self.facts = sources.server_facts(session.connection, self.server, session.params["relocate"])
        plan = self._read_back(self._complete_plan())
        tail = {}
        try:
            tail = self._save_tail(decision)
            if tail.get("file") and not session.check_mode:
                plan = self._complete_plan()
            plan = self._carry_out(plan, replace=decision.replace)
        except RecoveryError as problem:
            raise self._after_failure(problem) from None
        told = restores.plan_with_statements(
            plan, database=self.database, replace=decision.replace, guarded=self.guarded
        )
        result = {
            "plan": {**told, "reason": decision.reason, "ends_mirroring": decision.end_mirroring},
            **({"tail_log": tail} if tail else {}),
        }
        if session.check_mode:
            return {**self._report(), **result}
        if session.params["recovery"] == "recovered":
            owner = session.params["owner"] or aftercare.builtin_owner(session.connection)
            return {**self._hand_over(owner=owner), **result}
        self._confirm_end()
        return {**(self._in_standby() if self.standby_file else self._report()), **result}

    def _respect_leases(self) -> None:
        """Nothing is restored while somebody else rebuilds from these folders, as far as Windows lets us see that."""
        session, params = self.session, self.session.params
        if session.check_mode or not (params["winrm_host"] and params["winrm_user"]):
            return
        from ..instance.windows_host import respect_leases  # a run that speaks SQL alone does not pay for it

        now = utc_now(session.connection)
        respect_leases(session, params["source"]["folders"], database=self.source["database"] or self.database, now=now)

    def _unchanged(self) -> dict[str, Any]:
        """A healthy database stays; what an interrupted run did not come to is done."""
        owner = self.session.params["owner"] or aftercare.unfinished_owner(self.session, self.database)
        return {**self._hand_over(owner=owner), "plan": {}}

    def _stays_anyway(self) -> bool:
        """Whether nothing has to be brought to see that nothing will be restored: the database is open, and is not
        known to be another one.
        """
        there = self.there or {"state": "", "standby": False, "family_guid": None}
        stranger = self.family and guid(there["family_guid"]) != self.family
        return there["state"] == "ONLINE" and not there["standby"] and not self.start_over and not stranger

    def _stage(self, *, everything: bool = False) -> bool:
        """Bring the backups to a disk of the server. False in check mode, while there are some that were not brought
        yet.
        """
        from .staging import bring  # a run that speaks SQL alone does not pay for it

        self.source = self.session.params["source"]
        self.staged = bring(self.session, self.source, needed=None if everything else self._needed)
        self.source = self.staged.source
        return not self.staged.missing

    def _needed(self, inventory: BackupCatalog) -> set[str] | None:
        """The files of the plan that manifests lead to; None where they lead to none. The headers of what was brought
        decide in the end.
        """
        if self.source["history"]:
            return None
        self.inventory = inventory
        self.marks = self._marks()
        try:
            plan = self._plan(with_server=False)
        except RecoveryError as problem:
            if "refusal" not in problem.details:
                raise
            return None
        return {path.lower() for step in plan.steps if step.copies for path in step.copies[0].stripes}

    def _only_staged(self) -> dict[str, Any]:
        """What check mode can say before the backups were brought."""
        note = (
            f"{self.staged.missing} files have to be brought to {self.staged.folder} before their headers tell "
            "which of them are needed"
        )
        return {**self._report(), "changed": True, "plan": {"steps": [], "notes": [note]}, "staged": self.staged.told()}

    def _unstage(self) -> dict[str, Any]:
        """After all went well: what was brought is not needed any more."""
        if not self.staged:
            return {}
        if not self.session.check_mode and self.session.params["recovery"] == "recovered":
            from .staging import clear

            clear(self.session, self.staged)
        return {"staged": self.staged.told()}

    def _what_is_there(self) -> dict[str, Any] | None:
        """The database, after the server was asked to open it once more: what it missed at its start (a drive, a right,
        room) may be back.
        """
        session = self.session
        there = read_database(session.connection, self.database)
        if there and there["state"] in MAY_OPEN and session.params["replace"] != "never":
            session.progress.line(f"{self.database} is {there['state']}: asking the server to open it")
            try:
                set_option(session, self.database, "ONLINE")
            except SqlError as problem:
                if problem.lost:
                    raise
            there = read_database(session.connection, self.database)
        if there and not there["family_guid"]:
            there["family_guid"] = remembered_family(session.connection, self.database)
        self.stands_at = standby_position(session.connection, self.database) if there and there["standby"] else None
        return there

    def _existing(self) -> ExistingDatabase | None:
        """The database that is there, as the planner wants to know it."""
        existing = sources.existing_database(self.there, stands_at=self.stands_at)
        if existing is None or existing.redo_start_lsn is None or existing.is_in_standby:
            return existing
        base = restored_full(self.session.connection, self.database, position=existing.redo_start_lsn)
        return dataclasses.replace(existing, differential_base_guid=base)

    def _check_wishes(self) -> None:
        """What is only done at the end, when it would be late to refuse it."""
        level, newest = self.session.params["compatibility_level"], int(self.server["version"].partition(".")[0]) * 10
        if level is not None and level not in range(OLDEST_LEVEL, newest + 1, 10):
            raise RecoveryError(
                f"SQL Server on {self.host} has no compatibility level {level}",
                code="option_invalid",
                advice=f"Give one from {OLDEST_LEVEL} to {newest}, or leave it out",
            )
        owner = self.session.params["owner"]
        if (
            owner and "\\" not in owner and read_login(self.session.connection, owner) is None
        ):  # a Windows account needs no login
            raise RecoveryError(
                f"There is no login {owner} on {self.host} that could own {self.database}",
                code="not_found",
                advice="Make it with sql_login, or leave out 'owner'",
            )

    def _plan(self, *, with_server: bool) -> Plan:
        """The way to the target, or a RecoveryError that says why there is none and what could be had instead."""
        params = self.session.params
        source = params["source"]
        now = utc_now(self.session.connection)
        request = Request(
            database=self.database,
            target=self.target,
            source_database=source["database"] or ("" if source["family_guid"] else self.database),
            family_guid=self.family,
            recovery_fork=guid(source["recovery_fork"]),
            zone=self.zone,
            end=params["recovery"],
            standby_file=self.standby_file,
            unusable=self.unusable,
            marks=self.marks,
            resume=not self.start_over,
        )
        plan = plan_restore(
            self.inventory, request, now=now, existing=self._existing(), server=self.facts if with_server else None
        )
        if isinstance(plan, Refusal):
            message = f"Database {self.database} cannot be restored on {self.host}: {plan.message}"
            raise RecoveryError(
                message, code="not_restorable", advice=plan.advice[:1].upper() + plan.advice[1:], refusal=plan.to_dict()
            )
        if not plan.recovery_point.certain and params["recovery"] != "recovered":
            raise RecoveryError(
                f"Whether the backups of {self.database} hold the {self.target} shows only when the database is "
                "opened there",
                code="not_restorable",
                advice="Set 'recovery: recovered', or give a time or an LSN",
            )
        return plan

    def _read_sources(self, *, trust: bool) -> None:
        """The backups that there are. trust: headers that an earlier run read count as long as the files
        look the same.
        """
        session, source = self.session, self.source
        remember = session.params["cache_headers"] and not self.staged  # what was brought goes away again
        server = f"{self.server['name']} {self.server['version']}" if remember else ""
        self.inventory, self.remembered = read_sources(session, source, server=server, trust=trust)
        if source["history"]:
            self._add_history()
        if self.target.kind == "time" and any(one.utc_offset is None for one in self.inventory.sets):
            self._ask_history_for_zones(source["database"] or self.database)

    def _ask_history_for_zones(self, name: str) -> None:
        """Where the server that made the backups stands, if it is this one."""
        try:
            tell_zones(self.inventory, read_history(self.session.connection, database=name))
        except SqlError as problem:  # a login may restore without rights on msdb
            if problem.lost:
                raise

    def _remembered_wrongly(self, plan: Plan) -> bool:
        """What a plan would use of what is only remembered has to be there; if it is not, nothing that is remembered
        counts any more.
        """
        wanted = {step.guid for step in plan.steps} & self.remembered
        held = sources.still_there(self.session, plan, wanted) if wanted else frozenset()
        self.remembered -= held
        if held == wanted:
            return False
        self.session.progress.line("files are not what they were when they were read: reading all of them again")
        self._read_sources(trust=False)
        self.inventory = merge(self.inventory, self.tails)
        return True

    def _add_history(self) -> None:
        """The sets of which msdb alone tells. It says where they were written; whether they still are there, the files
        must say.
        """
        source = self.session.params["source"]
        name = source["database"] or (None if source["family_guid"] else self.database)
        found = {one.guid for one in self.inventory.sets}
        told = [one for one in read_history(self.session.connection, database=name).sets if one.guid not in found]
        self.inventory.sets += told
        self.doubtful = frozenset(one.guid for one in told)

    def _marks(self) -> tuple[Mark, ...]:
        """Where the marks lie. Backups do not tell; the server that made them remembers, if this is the one."""
        name = (self.session.params["source"]["database"] or self.database).lower()
        ours = any(
            one.database.lower() == name and one.server.lower() == self.server["name"].lower()
            for one in self.inventory.sets
        )
        if self.target.kind != "mark" or not ours:
            return ()
        return sources.read_marks(self.session.connection, database=name, zone=self.zone)

    def _complete_plan(self) -> Plan:
        """The plan with the place of every file, once the file list of every set that it uses could be read."""
        while True:
            plan = self._plan(with_server=True)
            if self._remembered_wrongly(plan):
                continue
            failed = sources.confirm(self.session, self.inventory, plan, self.doubtful, zone=self.zone)
            failed = failed or sources.add_file_lists(self.session.connection, self.inventory, plan)
            if not failed:
                plan = self._plan(with_server=True)
                self._check_places(plan)
                return plan
            self.unusable.update(failed)

    def _read_back(self, plan: Plan) -> Plan:
        """A living database is given up only for backups that were read from their first to their last byte. What
        cannot be read is left out, and the next best way is tried the same way; where none is left, that is said while
        the database still lives.
        """
        session, there = self.session, self.there
        if session.check_mode or there is None or there["state"] != "ONLINE" or there["standby"]:
            return plan
        whole: set[str] = set()
        while True:
            for step in plan.steps:
                if not step.copies or step.guid in whole:
                    continue
                problems = restores.reading_problems(session, step)
                if all(problems):
                    self.unusable[step.guid] = problems[0]
                    session.warnings.append(
                        f"The {step.kind} backup in {step.copies[0].stripes[0]} cannot be read to its end, and was "
                        f"left out: {problems[0]}"
                    )
                    break
                whole.add(step.guid)
            else:
                return plan
            plan = self._complete_plan()

    def _check_places(self, plan: Plan) -> None:
        """Where the database's files go: into folders that are there, over nothing but its own. RESTORE finds that out
        too, but only after the tail was saved and the living database closed; and with REPLACE it overwrites what
        belongs to nobody.
        """
        connection = self.session.connection
        used = sources.other_files(connection, database=self.database)
        own = {file["path"].lower() for file in (self.there or {"files": []})["files"]}
        for folder in sorted({parent(path) for _logical_name, path in plan.moves}):
            require_folder(connection, folder)
        for _logical_name, path in plan.moves:
            if path.lower() in used:
                raise RecoveryError(
                    f"The restored {self.database} would need the file {path}, which belongs to database "
                    f"{used[path.lower()]} on {self.host}",
                    code="in_use",
                    advice="Give other folders in 'relocate'",
                )
            if path.lower() not in own and is_file(connection, path):
                raise RecoveryError(
                    f"There is a file {path} on {self.host} already, which belongs to no database, and the restored "
                    f"{self.database} would need that path",
                    code="already_exists",
                    advice="It may be what is left of a database ('source.attach' opens such files): move it away, "
                    "or give other folders in 'relocate'",
                )

    def _decide(self, plan: Plan) -> Decision:
        there = self.there or {}
        decision = decide(
            state="RESTORING" if there.get("standby") else there.get("state"),
            family_guid=guid(there.get("family_guid")) or self._family_by_fork(plan),
            mirroring_role=(there.get("mirroring") or {}).get("role") or "",
            recovery_model=there.get("recovery_model") or "",
            backup_family_guid=plan.family_guid,
            policy=self.session.params["replace"],
            resumes=plan.resumes,
            holds_data=there.get("state") != "RESTORING" or any(file["redo_start_lsn"] for file in there["files"]),
            tail_wanted=self.session.params["tail_log"] == "attempt",
        )
        if decision.action == REFUSE:
            raise RecoveryError(
                f"Database {self.database} on {self.host} is not overwritten: {decision.reason}",
                code="would_lose_data",
                advice=decision.advice,
            )
        return decision

    def _family_by_fork(self, plan: Plan) -> str:
        """The family of a RESTORING database of which nobody remembers one: that of the backups, if it stands on a
        recovery fork of theirs.
        """
        existing = self._existing()
        if existing is None or not existing.is_restoring:
            return ""
        forks = {
            fork
            for one in self.inventory.sets
            if one.family_guid == plan.family_guid
            for fork in (one.first_fork, one.last_fork)
        }
        return plan.family_guid if existing.redo_start_fork in forks else ""

    def _save_tail(self, decision: Decision) -> dict[str, Any]:
        """Close a living database and save the tail of its log; the tail joins the backups."""
        session, params = self.session, self.session.params
        wanted = decision.tail and params["tail_log"] == "attempt"
        if wanted:
            file = self._tail_file()
            provide_folder(session, parent(file))
        if decision.end_mirroring:
            set_partner(session, self.database, "end")
            session.warnings.append(
                f"{self.database} {'would leave' if session.check_mode else 'left'} its mirroring session and is "
                "NOT protected by a mirror: mirror it again "
                "afterwards (mirror_prs, or sql_mirror)"
            )
        if self.there and self.there["state"] == "ONLINE":
            disconnect_sessions(session, self.database)
        if not wanted:
            return {}
        problem = restores.save_tail(session, self.database, file, damaged=not decision.tail_required)
        if problem and decision.proof_needed:
            raise self._nobody_knows(f"the tail of its log, which could tell, cannot be saved: {problem}")
        if problem:
            session.warnings.append(f"What the log of {self.database} holds since the last backup is lost: {problem}")
            return {"file": None, "problem": problem}
        if not session.check_mode:
            read = read_file(session.connection, file)
            if read.problem:
                raise RecoveryError(
                    f"The tail of the log of {self.database} was saved in {file} but cannot be read: {read.problem}",
                    code="damaged",
                )
            tail = assemble([read], zone=self.zone)
            strangers = {one.family_guid for one in tail.sets} - {self.family}
            if decision.proof_needed and (strangers or not tail.sets):
                raise self._nobody_knows(
                    f"the tail of its log (saved in {file}) is of the family {', '.join(strangers)}, the backups "
                    f"have {self.family}"
                )
            self.tails = merge(self.tails, tail)
            self.inventory = merge(self.inventory, tail)
            self.there = read_database(session.connection, self.database)
        return {"file": file, "problem": None}

    def _nobody_knows(self, reason: str) -> RecoveryError:
        return RecoveryError(
            f"Database {self.database} on {self.host} is not overwritten: whether it is the one in the backups, "
            "nothing tells. Its backups and "
            f"restores are not in msdb, and {reason}",
            code="would_lose_data",
            advice="Restore under another name, or set 'replace: always' if the database that is there may be lost",
        )

    def _add_saved_tails(self) -> bool:
        """What a run saved that was interrupted later: the tail of the log, perhaps where no source looks."""
        session = self.session
        if (self.there or {}).get("state") != "RESTORING":
            return False
        folder, _separator, name = self._tail_file().rpartition("\\")
        known = {path.lower() for one in self.inventory.sets for copy in one.copies for path in copy.stripes}
        beginning = name[: name.rindex("_tail_") + len("_tail_")].lower()
        try:
            paths = [
                path
                for path in find_files(session.connection, folder)
                if path.rpartition("\\")[2].lower().startswith(beginning)
            ]
        except SqlError:
            raise
        except RecoveryError:  # no such folder, so nothing was saved there
            return False
        paths = [path for path in paths if path.lower() not in known]
        self.tails = assemble(read_files(session.connection, paths, progress=session.progress), zone=self.zone)
        self.inventory = merge(self.inventory, self.tails)
        return bool(paths)

    def _tail_file(self) -> str:
        params = self.session.params
        first = None if self.staged else next(iter(self.source["folders"]), None)  # a tail outlives what was brought
        folder = params["tail_log_path"] or first or self.server["default_backup_path"]
        time = utc_now(self.session.connection)
        template = "{database}_tail_{time}.{extension}"
        return backup_files(
            folder=folder,
            database=self.database,
            server=self.server["name"],
            kind=BackupKind.LOG,
            time=time,
            template=template,
        )[0]

    def _carry_out(self, plan: Plan, *, replace: bool) -> Plan:
        """Restore; a set that turns out to be unreadable is left out, and the next best way is taken. Returns the plan
        that worked.
        """
        while True:
            try:
                restores.restore(self.session, plan, database=self.database, replace=replace, guarded=self.guarded)
                return plan
            except restores.SetUnusable as problem:
                self.unusable[problem.guid] = problem.reason
                self.session.warnings.append(
                    f"A backup could not be read while it was restored, another way was taken: {problem.message}"
                )
                self.there = read_database(self.session.connection, self.database)
                replace = replace or self.there is not None
                plan = self._complete_plan()

    def _after_failure(self, problem: RecoveryError) -> RecoveryError:
        """The same problem, with the state in which it leaves the database."""
        if self.session.check_mode:
            return problem
        if isinstance(problem, SqlError) and problem.lost:
            state = "probably RESTORING"
        else:
            restores.reopen(self.session, self.database)
            there = read_database(self.session.connection, self.database)
            state = there["state"] if there else "not there"
        told = f"Database {self.database} is {state} now"
        if "RESTORING" in state:
            told += "; run again: the restore continues or starts over by itself"
        return problem.reworded(advice=sentences(problem.advice, told), database_state=state)

    def _hand_over(self, *, owner: str | None) -> dict[str, Any]:
        told = aftercare.hand_over(self.session, self.database, owner=owner)
        return {**told, **self._report()}

    def _standby_file(self) -> str:
        """Where the undo file of a standby database lies; empty unless it shall end so."""
        params = self.session.params
        if params["recovery"] != "standby":
            return ""
        if params["standby_file"] and not is_full_path(params["standby_file"]):
            raise RecoveryError(
                f"'{params['standby_file']}' is no full path of an undo file",
                code="option_invalid",
                advice="Begin it with a drive or a share",
            )
        folder = params["relocate"]["data_dir"] or self.server["default_data_path"]
        return params["standby_file"] or device_path(folder, f"{safe_name(self.database)}.standby")

    def _check_standby_file(self) -> None:
        """Nothing is overwritten but the undo file of the very database that goes on."""
        if not self.standby_file:
            return
        connection = self.session.connection
        goes_on = self.there is not None and (self.there["standby"] or self.there["state"] == "RESTORING")
        if not is_file(connection, self.standby_file):
            require_new_file(connection, self.standby_file)
        elif not goes_on:
            raise RecoveryError(
                f"The undo file {self.standby_file} of {self.database} is there already on {self.host}",
                code="already_exists",
                advice="Give another path in 'standby_file', or remove the file if it belongs to nothing",
            )

    def _stands_where_it_should(self, plan: Plan) -> bool:
        """A standby database for which there is nothing newer."""
        return bool(
            self.standby_file
            and self.stands_at
            and plan.resumes
            and [step.action for step in plan.steps] == ["recover"]
        )

    def _in_standby(self) -> dict[str, Any]:
        """People may read in it now, if what was asked for holds. It cannot keep a note, so it is checked each time."""
        session = self.session
        if self.there and read_database(session.connection, self.database)["user_access"] != "MULTI_USER":
            set_multi_user(session, self.database)
        return {"checked": aftercare.prove(session, self.database), **self._report()}

    def _confirm_end(self) -> None:
        """That the database is in the state that was asked for."""
        wanted = "in standby" if self.standby_file else "RESTORING"
        there = read_database(self.session.connection, self.database)
        state = "gone" if there is None else "in standby" if there["standby"] else there["state"]
        if state != wanted:
            raise RecoveryError(
                f"Database {self.database} on {self.host} is {state} instead of {wanted}", code="unconfirmed"
            )

    def _report(self) -> dict[str, Any]:
        session = self.session
        return {
            "changed": session.changed,
            "database": read_database(session.connection, self.database) or {},
            "statements": session.statements,
        }
