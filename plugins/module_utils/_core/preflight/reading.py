# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what the role preflight hands over: results of its tasks become typed facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from ..task_result import failure_message
from .data_files import found_databases
from .facts import (
    FAILED,
    OK,
    SKIPPED,
    UNREACHABLE,
    Answer,
    BackupFiles,
    Certificate,
    Choice,
    Chosen,
    Database,
    HostFacts,
    HostOptions,
    Iis,
    Instance,
    NewestFile,
    OtherSite,
    PathFacts,
    PlannedRestore,
    ReadCertificate,
    Settings,
    Shares,
    StandbyMove,
    SurvivingDatabase,
    Windows,
    missing,
)

__all__ = ["backup_files", "build", "host_facts"]

T = TypeVar("T")


def build(kind: type[T], raw: Any, name: str) -> T:
    """A dataclass of facts from what has a fact by the name of each field; others are left out."""
    if not isinstance(raw, Mapping):
        raise missing(name)
    for field in fields(kind):
        if raw.get(field.name) is None:
            raise missing(f"{name}.{field.name}")
    return kind(**{field.name: raw[field.name] for field in fields(kind)})


def host_facts(raw: Mapping[str, Any]) -> HostFacts:
    """Read the facts of one host, in the shape that the role's variable _preflight_facts has."""
    asked = build(_Asked, raw, "facts")
    return HostFacts(
        **{field.name: getattr(asked, field.name) for field in fields(HostOptions)},
        settings=_settings(asked.settings),
        windows=_answer(asked.windows, "windows", lambda result: build(Windows, result, "windows")),
        instance=_answer(asked.instance, "instance", lambda result: build(Instance, result, "instance")),
        answers=_sql_answer(asked.answers),
        iis=_iis(asked.iis),
        other_sites=[_other_site(entry) for entry in asked.other_sites],
        shares=_answer(asked.shares, "shares", lambda result: _shares(result, "shares")),
        backups=_answer(asked.backups, "backups", lambda result: _shares(result, "backups")),
        backup_files=backup_files(asked.backup_files),
        restore=_restore(asked.restore),
        data_files=_data_files(asked.data_files),
        choice=_choice(asked.choice),
        certificates=[_certificate(entry) for entry in asked.certificates],
    )


@dataclass(frozen=True, kw_only=True)
class _Asked(HostOptions):
    """The facts as the role hands them over: results of tasks as they are."""

    settings: Mapping[str, Any]
    windows: Mapping[str, Any]
    instance: Mapping[str, Any]
    answers: Mapping[str, Any]
    iis: Mapping[str, Any]
    other_sites: Sequence[Mapping[str, Any]]
    shares: Mapping[str, Any]
    backups: Mapping[str, Any]
    backup_files: Mapping[str, Any]
    restore: Mapping[str, Any]
    data_files: Mapping[str, Any]
    choice: Mapping[str, Any]
    certificates: Sequence[Mapping[str, Any]]


def _settings(raw: Mapping[str, Any]) -> Settings:
    """Templates of ansible-core before 2.19 make texts of numbers."""
    numbers = {name: int(raw[name]) for name in ("dotnet_release", "free_gb", "sql_port") if name in raw}
    return build(Settings, {**raw, **numbers}, "settings")


def _answer(raw: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> Answer[T]:
    """Of the registered result of ansible.windows.win_powershell."""
    if raw.get("unreachable"):
        return Answer(name=name, state=UNREACHABLE, problem=failure_message(raw))
    if raw.get("failed"):
        return Answer(name=name, state=FAILED, problem=failure_message(raw))
    if raw.get("skipped"):
        return Answer(name=name, state=SKIPPED)
    return Answer(name=name, state=OK, content=read(raw.get("result")))


# ---- SQL Server and IIS
def _sql_answer(raw: Mapping[str, Any]) -> Answer[Sequence[Database]]:
    """Of the registered result of sql_info. The task does not fail where the server does not answer."""
    if raw.get("skipped"):
        return Answer(name="answers", state=SKIPPED)
    if raw.get("databases") is None:
        state = FAILED if raw.get("sql_error", {}).get("answered", True) else UNREACHABLE
        return Answer(name="answers", state=state, problem=raw.get("msg") or "SQL Server does not answer")
    return Answer(name="answers", state=OK, content=[_database(entry) for entry in raw["databases"]])


def _database(raw: Mapping[str, Any]) -> Database:
    role = (raw.get("mirroring") or {}).get("role") or ""
    return build(Database, {**raw, "mirroring_role": role}, "databases")


def _iis(raw: Mapping[str, Any]) -> Answer[Iis]:
    """Of the registered result of inspect_protection.ps1. The task does not fail where the script does."""
    if raw.get("skipped"):
        return Answer(name="iis", state=SKIPPED)
    iis = (raw.get("result") or {}).get("iis")
    if iis is None:
        return Answer(name="iis", state=FAILED, problem=failure_message(raw))
    return Answer(name="iis", state=OK, content=build(Iis, iis, "iis"))


def _other_site(raw: Mapping[str, Any]) -> OtherSite:
    """site, host, database: its name; answer: of sql_info there; move, where a standby was asked: of
    sql_standby_failover in check mode.
    """
    answer = _sql_answer(raw["answer"])
    databases = answer.value if answer.ok else ()
    return OtherSite(
        site=raw["site"],
        host=raw["host"],
        answer=answer.state,
        problem=answer.problem,
        databases=[entry for entry in databases if entry.is_named(raw["database"])],
        standby=_standby_move(raw.get("move") or {}),
    )


def _standby_move(raw: Mapping[str, Any]) -> StandbyMove | None:
    if raw.get("skipped") or not raw or raw.get("way") in ("stays", "rejoin"):
        return None
    if "way" not in raw:
        return StandbyMove(complete=False, since="", problem=raw.get("msg") or "the standby cannot be asked")
    lost = raw["may_be_lost"]
    return StandbyMove(complete=not lost, since=(lost.get("since") or "") if lost else "", problem="")


# ---- files
def _shares(raw: Any, name: str) -> Shares:
    lists = build(Shares, raw, name)
    return Shares(
        # ProductVersion of a program that says none is null.
        paths=[
            build(PathFacts, {**path, "version": path.get("version") or ""}, f"{name}.paths") for path in lists.paths
        ],
        newest=[build(NewestFile, file, f"{name}.newest") for file in lists.newest],
    )


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What is needed of a plan of sql_restore that restores something."""

    recovery_point: Mapping[str, Any]
    ends_mirroring: bool


def _restore(raw: Mapping[str, Any]) -> Answer[PlannedRestore]:
    """Of the registered result of sql_restore, of which only a plan means that it went well.

    A plan without steps restores nothing, or does not know yet what: it has no recovery point.
    """
    if raw.get("skipped"):
        return Answer(name="restore", state=SKIPPED)
    if raw.get("plan") is None:
        return Answer(name="restore", state=FAILED, problem=raw.get("msg") or "SQL Server cannot plan the restore")
    if not raw["plan"].get("steps"):
        return Answer(name="restore", state=OK, content=PlannedRestore(recovery_point="", ends_mirroring=False))
    plan = build(_Plan, raw["plan"], "restore.plan")
    point = plan.recovery_point.get("time") or ""
    return Answer(
        name="restore", state=OK, content=PlannedRestore(recovery_point=point, ends_mirroring=plan.ends_mirroring)
    )


def _data_files(raw: Mapping[str, Any]) -> Answer[Sequence[SurvivingDatabase]]:
    """Of the registered result of database_file_info."""
    if raw.get("skipped"):
        return Answer(name="data_files", state=SKIPPED)
    if raw.get("databases") is None:
        return Answer(name="data_files", state=FAILED, problem=failure_message(raw))
    return Answer(name="data_files", state=OK, content=found_databases(raw))


_BROKEN = ("cut_off",)
_UNCLEAR = ("not_a_backup", "unreadable", "damaged", "being_written")
"""What only our reader finds wrong, or what is young by a clock that may be wrong, SQL Server may read; but not what
surely is something else, such as text.
"""


@dataclass(frozen=True, kw_only=True)
class _FilesReport:
    """What is needed of the result of backup_file_info."""

    files: Sequence[Mapping[str, Any]]


def backup_files(raw: Mapping[str, Any]) -> Answer[BackupFiles]:
    """Of the registered result of backup_file_info, which has either a plan or a refusal."""
    if raw.get("skipped"):
        return Answer(name="backup_files", state=SKIPPED)
    if raw.get("files") is None:
        problem = raw.get("msg") or "they could not be read"
        return Answer(name="backup_files", state=FAILED, problem=problem)
    files = build(_FilesReport, raw, "backup_files").files
    plan, refusal = raw.get("plan") or {}, raw.get("refusal") or {}
    steps = [step for step in plan.get("steps", ()) if step["devices"]]
    source = plan.get("source", {})
    content = BackupFiles(
        recovery_point=plan.get("recovery_point", {}).get("time") or "",
        finished=max((step["finished"] for step in steps), default=""),
        backups=len(steps),
        stripes=max((len(step["devices"]) for step in steps), default=0),
        read_bytes=plan.get("bytes", 0),
        space=plan.get("space_needed", {}),
        build=plan.get("build_needed", ""),
        server=source.get("server", ""),
        refusal=refusal.get("message", ""),
        faults=[_fault(file) for file in files if file["state"] in _BROKEN or file.get("foreign")],
        unclear=[_fault(file) for file in files if file["state"] in _UNCLEAR and not file.get("foreign")],
        sets=raw.get("sets", ()),
    )
    return Answer(name="backup_files", state=OK, content=content)


def _fault(file: Mapping[str, Any]) -> tuple[str, str]:
    return file["path"], "; ".join(file["problems"])


def _choice(raw: Mapping[str, Any]) -> Answer[Choice]:
    if raw.get("skipped"):
        return Answer(name="choice", state=SKIPPED)
    choice = build(Choice, raw, "choice")
    chosen = build(Chosen, choice.chosen, "choice.chosen")
    return Answer(name="choice", state=OK, content=replace(choice, chosen=chosen))


@dataclass(frozen=True, kw_only=True)
class _Item:
    """The item of the role's loop over certificates."""

    part: str
    pfx: str
    names: Sequence[str]


def _certificate(raw: Mapping[str, Any]) -> Certificate:
    item = build(_Item, raw.get("item"), "certificates.item")
    return Certificate(
        part=item.part,
        pfx=item.pfx,
        needed=item.names,
        answer=_answer(raw, "certificates", lambda result: build(ReadCertificate, result, "certificates")),
    )
