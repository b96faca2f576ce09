# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores: the statements of a plan, and their run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..._core.backup.backup_set import BackupKind
from ..._core.errors import RecoveryError, sentences
from ..._core.restore.plan import Plan, Step, Stop
from ..catalog.verification import verify
from ..connection.errors import SqlError
from ..connection.percent import STEP, show_percent
from ..connection.quoting import compose, quote_text
from ..connection.session import Session
from ..instance.backup_encryption import encryption_option
from ..instance.databases import change_alone, read_database, set_multi_user
from ..instance.folders import from_disk

__all__ = [
    "SetUnusable",
    "plan_report",
    "reading_problems",
    "reopen",
    "restore",
    "restore_statement",
    "save_tail",
    "tail_statement",
]

UNREADABLE = frozenset({3143, 3183, 3186, 3189, 3201, 3203, 3208, 3241, 3242, 3243, 3254, 3256, 3270, 3271, 3287})
"""Errors that condemn the copy of a set, not the plan."""

ALREADY_IN_IT = 4326


class SetUnusable(RecoveryError):
    """No copy of a set can be read, which showed only while it was restored. guid: of the set."""

    def __init__(self, guid: str, problem: SqlError) -> None:
        super().__init__(problem.message, advice=problem.advice, code="damaged", **problem.details)
        self.guid = guid
        self.reason = problem.text


def restore_statement(
    database: str, step: Step, *, copy: int = 0, replace: bool = False, opens: bool = False, guarded: bool = False
) -> str:
    """One step of a plan as T-SQL. copy: which of the places to read from. replace: the database that is there may be
    overwritten.

    opens: the plan ends with an open database. Then a log that is stopped at a mark says RECOVERY: a server that does
    not come to the mark leaves the database RESTORING all the same, so that its state tells whether the mark was there.
    guarded: it opens to administrators only, in the same moment, so that its state tells that it was not handed over
    yet.
    """
    recovery = "RECOVERY, RESTRICTED_USER" if guarded else "RECOVERY"
    head = compose(
        "RESTORE LOG {database}" if step.action == "log" else "RESTORE DATABASE {database}", database=database
    )
    if step.action == "recover":
        return (
            f"{head} WITH STANDBY = {quote_text(step.standby_file, what='path')}"
            if step.standby_file
            else f"{head} WITH {recovery}"
        )
    place = step.copies[copy]
    options = [f"FILE = {place.position}", recovery if opens and _stops_at_mark(step) else "NORECOVERY"]
    options += [
        f"MOVE {quote_text(name, what='logical name')} TO {quote_text(path, what='path')}" for name, path in step.moves
    ]
    if replace:
        options.append("REPLACE")
    if step.stop:
        options.append(_stop(step.stop))
    options.append("CHECKSUM" if step.checksum else "NO_CHECKSUM")
    if step.continue_after_error:
        options.append("CONTINUE_AFTER_ERROR")
    options.append(f"STATS = {STEP}")
    return f"{head} FROM {from_disk(place.stripes)} WITH {', '.join(options)}"


def _stops_at_mark(step: Step) -> bool:
    return step.stop is not None and step.stop.kind == "mark"


def _stop(stop: Stop) -> str:
    if stop.kind == "time" and stop.time:
        return f"STOPAT = {quote_text(_moment(stop.time))}"
    word = "STOPBEFOREMARK" if stop.before else "STOPATMARK"
    if stop.kind == "lsn":
        return f"{word} = {quote_text(f'lsn:{stop.lsn}')}"
    after = f" AFTER {quote_text(_moment(stop.after))}" if stop.after else ""
    return f"{word} = {quote_text(stop.mark, what='name of the mark')}{after}"


def _moment(moment: datetime) -> str:
    """The one form of a time that means the same under every language of a login."""
    return moment.isoformat(timespec="milliseconds")


def plan_report(plan: Plan, *, database: str, replace: bool, guarded: bool = False) -> dict[str, Any]:
    """A plan as plain JSON values, each step with its exact statement."""
    report = plan.to_dict()
    for number, step in enumerate(plan.steps):
        report["steps"][number]["statement"] = restore_statement(
            database, step, replace=_replaces(plan, number, replace=replace), opens=_opens(plan), guarded=guarded
        )
    return report


def _opens(plan: Plan) -> bool:
    return bool(plan.steps) and plan.steps[-1].action == "recover" and not plan.steps[-1].standby_file


def _replaces(plan: Plan, number: int, *, replace: bool) -> bool:
    """REPLACE belongs on the first statement, and only if that starts over."""
    kind = plan.steps[0].kind
    return replace and number == 0 and bool(kind) and BackupKind(kind).begins_chain


def restore(session: Session, plan: Plan, *, database: str, replace: bool, guarded: bool = False) -> None:
    """Carry out a plan. guarded: see `restore_statement`.

    Raises SetUnusable when a set cannot be read from any of its places, RecoveryError for a mark that is in no log.
    """
    for number, step in enumerate(plan.steps):
        if not session.check_mode and step.skip_if_stopped and _stopped_before(session, database, step):
            continue
        shower = show_percent(session.progress, f"restore of {database}, step {number + 1} of {len(plan.steps)}")
        for copy in range(max(1, len(step.copies))):
            replaces = _replaces(plan, number, replace=replace)
            statement = restore_statement(
                database, step, copy=copy, replace=replaces, opens=_opens(plan), guarded=guarded
            )
            try:
                doing = f"The restore of database {database} on {session.connection.target.server} failed"
                change_alone(session, database, statement, doing=doing, on_message=shower)
                break
            except SqlError as problem:
                if problem.number == ALREADY_IN_IT and plan.resumes:
                    # msdb, which tells where a standby database stands, does not know of logs whose restore was broken
                    # off
                    break
                if problem.number not in UNREADABLE:
                    raise
                if copy + 1 >= len(step.copies):
                    raise SetUnusable(step.guid, problem) from None
        if _opens(plan) and _stops_at_mark(step) and not session.check_mode:
            existing = read_database(session.connection, database)
            if existing and existing["state"] == "ONLINE":
                return
            if plan.steps[number + 1].action == "recover":
                raise RecoveryError(
                    f"The {plan.target} was not met in the logs: {database} stands at their end and was not opened",
                    code="not_restorable",
                    advice="Look at the name of the mark (that of its transaction) and at 'mark_after', or give a time",
                )


def reading_problems(session: Session, step: Step) -> list[str]:
    """Read what a step restores, from one place after the other, until it can be read; what the server said of each
    place, empty for a whole one.
    """
    problems: list[str] = []
    for copy in step.copies:
        session.progress.line(f"reading {copy.stripes[0]} to its end before the living database is closed")
        try:
            verify(
                session.connection,
                files=copy.stripes,
                position=copy.position,
                checksum=step.checksum,
                progress=session.progress,
            )
        except SqlError as problem:
            if problem.lost:
                raise
            problems.append(problem.text)
        else:
            return [*problems, ""]
    return problems


def _stopped_before(session: Session, database: str, step: Step) -> bool:
    """Whether a log before this one was cut off at the target, so that this one is one too many."""
    existing = read_database(session.connection, database) or {"files": []}
    stands_at = [int(file["redo_start_lsn"]) for file in existing["files"] if file["redo_start_lsn"]]
    return bool(stands_at) and step.fits_from is not None and min(stands_at) < step.fits_from


def tail_statement(database: str, file: str, *, damaged: bool, encryption: Mapping[str, str] | None = None) -> str:
    """BACKUP LOG of what no backup holds yet. A living database is left RESTORING, so that nothing can be written after
    the tail.
    """
    head = compose("BACKUP LOG {database}", database=database)
    how = "NO_TRUNCATE, CONTINUE_AFTER_ERROR" if damaged else "NORECOVERY"
    name = quote_text(f"{database} tail"[:128])
    secret = f"{encryption_option(encryption)}, " if encryption else ""
    return (
        f"{head} TO {from_disk([file])} WITH {how}, NOFORMAT, NOINIT, NAME = {name}, {secret}CHECKSUM, STATS = {STEP}"
    )


def save_tail(
    session: Session, database: str, file: str, *, damaged: bool, encryption: Mapping[str, str] | None = None
) -> str:
    """Back up the tail of the log. Returns "" or, for a damaged database, why it was not possible; for a living one
    that is an error.
    """
    statement = tail_statement(database, file, damaged=damaged, encryption=encryption)
    shower = show_percent(session.progress, f"tail of the log of {database}")
    doing = f"The tail of the log of database {database} on {session.connection.target.server} could not be saved"
    try:
        change_alone(session, database, statement, doing=doing, on_message=shower)
    except SqlError as problem:
        if problem.lost:
            raise
        if damaged:
            return str(problem)
        way_out = (
            "Give another folder in 'tail_log_path', or set 'tail_log: skip' to give up what was written "
            "since the last backup"
        )
        raise problem.reworded(advice=sentences(problem.advice, way_out)) from None
    return ""


def reopen(session: Session, database: str) -> None:
    """Give a living database back to its users, after something failed before the first byte was written."""
    existing = read_database(session.connection, database)
    if existing and existing["state"] == "ONLINE" and existing["user_access"] == "SINGLE_USER":
        set_multi_user(session, database)
