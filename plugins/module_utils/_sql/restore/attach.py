# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of sql_restore with source.attach: surviving data files become a database again. Nothing that is there is
overwritten, and nothing is changed before the decision.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..._core.backup.backup_set import guid
from ..._core.errors import RecoveryError, sentences
from ..._core.restore.attach_plan import AttachPlan, PrimaryFile, RecordedFile, already_attached, plan_attach
from ..connection.connection import Connection
from ..connection.errors import SqlError
from ..connection.quoting import compose, quote_identifier, quote_text
from ..connection.session import Session
from ..instance.databases import drop_database, read_database, set_restricted_user
from ..instance.folders import is_file
from ..instance.locks import hold
from ..instance.server import read_server, service_account
from . import hand_over
from .facts import other_files
from .options import RestoreOptions

if TYPE_CHECKING:
    from .attach_copies import Copy

__all__ = ["AttachRun", "attach_statement", "read_primary_file"]

IS_LOG = 0x40
"""Bit of a file's status that marks a log."""

NOT_OPENED, NO_PRIMARY_FILE = 1813, 5171


class AttachRun:
    """One run of sql_restore with C(source.attach)."""

    def __init__(self, session: Session, options: RestoreOptions) -> None:
        source = options.source
        if source.names_backups:
            raise RecoveryError(
                "'source' names both files to attach and backups",
                code="option_invalid",
                advice="Attach first; where that fails, restore in a task of its own",
            )
        if options.target != "latest" or not options.opens:
            raise RecoveryError(
                "Attached files can only be opened as they are",
                code="option_invalid",
                advice="Leave out 'target' and 'recovery', or restore from backups",
            )
        self.session = session
        self.options = options
        self.database = options.database
        quote_identifier(self.database, what="name of the database")
        self.host = session.connection.target.server
        self.data = source.attach_data or ()
        self.logs = source.attach_logs
        self.family = source.family_guid
        self.guarded = options.is_guarded
        self.copies: list[Copy] = []
        if not self.data:
            raise RecoveryError(
                "'source.attach' names no data file",
                code="option_invalid",
                advice="Give the primary data file (.mdf) first",
            )

    def run(self) -> dict[str, Any]:
        """What the task returns."""
        session = self.session
        hold(session, self.database, wait=self.options.lock_timeout)
        server = read_server(session.connection)
        service_account(session.connection)
        existing = read_database(session.connection, self.database)
        if existing is not None:
            return self._unchanged(existing)
        self._refuse_foreign_files()
        version = server["database_version"] or 0
        if self.options.source.attach_copy:
            primary, plan = self._copied(server, version=version)
        else:
            primary = read_primary_file(session.connection, self.data[0])
            plan = self._plan(primary, server_version=version)
        report = self._plan_report(plan, primary)
        self._attach(plan)
        if session.check_mode:
            return {**self._report(), "plan": report}  # of copies that are yet to be made
        self._confirm_family()
        owner = self.options.owner or hand_over.builtin_owner(session.connection)
        try:
            handed_over = hand_over.hand_over(session, self.options, owner=owner)
        except RecoveryError as problem:
            raise self._taken_back(problem) from None
        return {**handed_over, **self._report(), "plan": report}

    def _unchanged(self, existing: dict[str, Any]) -> dict[str, Any]:
        """These files are open already: what an interrupted run did not come to is done. Anything else is left as it
        is.
        """
        stranger = self.family and guid(existing["family_guid"]) not in ("", self.family)
        if existing["state"] != "ONLINE" or stranger or not self._is_attached(existing["files"]):
            raise RecoveryError(
                f"Database {self.database} is {existing['state']} on {self.host}, and an attach overwrites nothing",
                code="would_lose_data",
                advice="Attach under another name, or drop that database first if it may be lost",
            )
        is_unfinished = existing["user_access"] != "MULTI_USER"
        owner = self.options.owner or (hand_over.builtin_owner(self.session.connection) if is_unfinished else None)
        handed_over = hand_over.hand_over_found(self.session, self.options, existing, owner=owner)
        return {"plan": {}, **handed_over, **self._report()}

    def _is_attached(self, files: list[dict[str, Any]]) -> bool:
        """Whether the database there is of these files, or of copies of them."""
        if not self.options.source.attach_copy:
            return already_attached(files, self.data)
        from .attach_copies import is_copy_of

        paths = [file["path"] for file in files if file["type"] != "LOG"]
        return all(any(is_copy_of(path, source) for path in paths) for source in self.data)

    def _copied(self, server: dict[str, Any], *, version: int) -> tuple[PrimaryFile | None, AttachPlan]:
        """Copies in the folders of the server, and the plan to attach them. In check mode they are only planned."""
        from ..instance.windows_host import Windows
        from .attach_copies import copy_files, plan_copies

        session, options = self.session, self.options
        if not options.has_windows:
            raise RecoveryError(
                "'source.attach.copy' needs WinRM to the database server",
                code="option_invalid",
                advice="Let the task target that host, or give winrm_host and winrm_user",
            )
        data_dir = options.data_dir or server["default_data_path"]
        log_dir = options.log_dir or server["default_log_path"] or data_dir
        wanted = [*((path, data_dir) for path in self.data), *((path, log_dir) for path in self.logs)]
        used = other_files(session.connection, database=self.database)
        with closing(Windows(session)) as windows:
            copies = plan_copies(windows, wanted, used=used, host=self.host)
            self.copies = copies if session.check_mode else copy_files(session, windows, copies, host=self.host)
        place = {copy.source: copy.target if copy.done else copy.source for copy in self.copies}
        readable = not session.check_mode or is_file(session.connection, place[self.data[0]])
        primary = read_primary_file(session.connection, place[self.data[0]]) if readable else None
        if primary is not None:  # a log that lies where it was is none of the copies
            primary = replace(primary, files=[file for file in primary.files if not file.is_log])
        plan = self._judged(primary, exists=[*self.data, *self.logs], server_version=version)
        target = {copy.source: copy.target for copy in self.copies}
        rebuilds = plan.rebuild_log or not self.logs
        return primary, replace(plan, files=tuple(target[path] for path in plan.files), rebuild_log=rebuilds)

    def _refuse_foreign_files(self) -> None:
        used = other_files(self.session.connection, database=self.database)
        for path in (*self.data, *self.logs):
            if path.lower() in used:
                raise RecoveryError(
                    f"The file {path} belongs to database {used[path.lower()]} on {self.host}",
                    code="in_use",
                    advice="Nothing is lost: work with that one",
                )

    def _plan(self, primary: PrimaryFile | None, *, server_version: int) -> AttachPlan:
        wanted = [*self.data, *self.logs, *(file.path for file in (primary.files if primary else ()))]
        exists = {path for path in dict.fromkeys(wanted) if is_file(self.session.connection, path)}
        return self._judged(primary, exists=exists, server_version=server_version)

    def _judged(self, primary: PrimaryFile | None, *, exists: Collection[str], server_version: int) -> AttachPlan:
        try:
            return plan_attach(
                data=self.data, logs=self.logs, primary=primary, exists=exists, server_version=server_version
            )
        except RecoveryError as problem:
            raise problem.reworded(
                f"Database {self.database} cannot be attached on {self.host}: {problem.message}"
            ) from None

    def _plan_report(self, plan: AttachPlan, primary: PrimaryFile | None) -> dict[str, Any]:
        """The plan as plain JSON values, in the words of a restore."""
        statement = attach_statement(self.database, plan, guarded=self.guarded)
        return {
            "steps": [
                {
                    "action": "attach",
                    "kind": "",
                    "devices": list(plan.files),
                    "position": None,
                    "moves": [],
                    "stop": None,
                    "statement": statement,
                }
            ],
            "recovery_point": {"time": None, "lsn": None, "fork": "", "certain": False},
            "loss_seconds": None,
            "resumes": False,
            "source": {"database": primary.database if primary else "", "server": "", "family_guid": self.family},
            "rejected": [],
            "notes": plan.notes,
            "reason": "there is no database of that name",
        }

    def _attach(self, plan: AttachPlan) -> None:
        session = self.session
        doing = f"The files could not be attached as database {self.database} on {self.host}"
        try:
            session.change(attach_statement(self.database, plan, guarded=self.guarded), doing=doing)
        except SqlError as failure:
            problem: RecoveryError = failure
            if failure.number == NOT_OPENED and plan.rebuild_log:
                problem = RecoveryError(
                    f"{problem.message} The log is missing, and the database was not shut down cleanly, so the "
                    "server makes no new one",
                    code="damaged",
                    advice="Find the log and give it in 'log_files', or restore from backups. The files are as they "
                    "were",
                    **problem.details,
                )
            raise self._given_up(problem) from None
        if plan.rebuild_log and self.guarded:
            set_restricted_user(session, self.database)

    def _confirm_family(self) -> None:
        """The files alone do not tell the family. An attached database does; a stranger is detached again."""
        existing = read_database(self.session.connection, self.database)
        if existing is None or not self.family or guid(existing["family_guid"]) == self.family:
            return
        statement = (
            "EXEC master.sys.sp_detach_db @dbname = "
            f"{quote_text(self.database, what='name of the database')}, @skipchecks = N'true'"
        )
        self.session.change(statement, doing=f"Cannot detach {self.database} again")
        raise RecoveryError(
            f"The files hold another database than the one that was asked for (family {guid(existing['family_guid'])}, "
            f"wanted {self.family}); they were detached from {self.host} again",
            code="wrong_database",
            advice=sentences("Give other files", "Without 'family_guid' these are attached whatever they are"),
        )

    def _taken_back(self, problem: RecoveryError) -> RecoveryError:
        """Copies that did not pass the check are dropped: as long as a damaged database of that name is there, the next
        run would look at that one, and its files would lie where those of a restore belong.
        """
        if problem.lost or problem.code != "check_failed" or not self.copies:
            return self._with_a_way_on(problem)
        try:
            drop_database(self.session, self.database, online=True)
        except RecoveryError as other:
            self.session.warnings.append(f"{self.database} is still there: {other}")
            return self._with_a_way_on(problem)
        originals = ", ".join(copy.source for copy in self.copies)
        return self._with_a_way_on(
            problem.reworded(
                f"{problem.message} The copies were dropped from {self.host} again, and what they were made of "
                f"({originals}) is as it was",
                advice="To repair one, attach a copy under another name without 'checkdb'",
            )
        )

    def _given_up(self, problem: RecoveryError) -> RecoveryError:
        """Copies that SQL Server did not attach, and may have changed by trying, are removed."""
        if self.copies and not problem.lost:
            from ..instance.windows_host import Windows
            from .attach_copies import remove_copies

            try:
                with closing(Windows(self.session)) as windows:
                    remove_copies(windows, self.copies)
            except RecoveryError as other:
                self.session.warnings.append(f"The copies could not be removed again: {other}")
        return self._with_a_way_on(problem)

    def _with_a_way_on(self, problem: RecoveryError) -> RecoveryError:
        if problem.lost or not self.options.source.otherwise:
            return problem
        return problem.reworded(advice=sentences(problem.advice, self.options.source.otherwise))

    def _report(self) -> dict[str, Any]:
        session = self.session
        existing = read_database(session.connection, self.database) or {}
        return {
            "changed": session.changed,
            "database": existing,
            "statements": session.statements,
            **({"copied": [copy.to_dict() for copy in self.copies]} if self.copies else {}),
        }


def attach_statement(database: str, plan: AttachPlan, *, guarded: bool) -> str:
    """CREATE DATABASE ... FOR ATTACH. guarded: it opens to administrators only, which a rebuilt log does not allow in
    one statement.
    """
    files = ", ".join(f"(FILENAME = {quote_text(path, what='path')})" for path in plan.files)
    head = compose("CREATE DATABASE {database} ON ", database=database) + files
    if plan.rebuild_log:
        return f"{head} FOR ATTACH_REBUILD_LOG"
    return f"{head} FOR ATTACH WITH RESTRICTED_USER" if guarded else f"{head} FOR ATTACH"


def read_primary_file(connection: Connection, path: str) -> PrimaryFile | None:
    """What a primary data file says of itself, as Management Studio asks before it attaches; None where the login may
    not ask.

    DBCC CHECKPRIMARYFILE is not documented, so nothing relies on it but the plan. Raises SqlError for a file that
    cannot be opened or is none.
    """
    quoted = quote_text(path, what="path")
    doing = f"The file {path} cannot be attached"
    try:
        facts = {
            row["property"]: row["value"]
            for row in connection.query(f"DBCC CHECKPRIMARYFILE ({quoted}, 2) WITH NO_INFOMSGS", doing=doing)
        }
        rows = connection.query(f"DBCC CHECKPRIMARYFILE ({quoted}, 3) WITH NO_INFOMSGS", doing=doing)
    except SqlError as problem:
        if problem.lost or problem.os_error or problem.number == NO_PRIMARY_FILE:
            raise
        return None
    version = str(facts.get("Database version") or "0")
    return PrimaryFile(
        database=str(facts.get("Database name") or "").strip(),
        version=int(version) if version.isdigit() else 0,
        files=[
            RecordedFile(name=row["name"].strip(), path=row["filename"].strip(), is_log=bool(row["status"] & IS_LOG))
            for row in rows
        ],
    )
