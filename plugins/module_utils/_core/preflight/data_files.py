# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data files that outlived their server: where they are looked for, and what of them could become the database again.

What the files say is judged already (database_file_info); here it is put beside the database and the server that are
wanted. The moment of a copy is told by the times of its files, the newest of which the database has lived to see: a
server that runs writes them rarely, and a program that copies files may give them the time of the copying. So nobody
takes files for newer than a recovery set without a yes, unless they know of the set's last backup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ntpath import dirname
from typing import Any

from ..text import counted
from .facts import FAILED, HostFacts, SurvivingDatabase
from .versions import major_version

__all__ = ["folders_to_look_into", "found_databases", "surviving_files"]

_ATTACHED_BY = (
    (998, (17, 0)), (957, (16, 0)), (904, (15, 0)), (868, (14, 0)), (852, (13, 0)), (782, (12, 0)), (706, (11, 0)),
    (660, (10, 50)), (655, (10, 0)), (611, (9, 0)),
)  # fmt: skip
"""Version of the files from which on they need this release of SQL Server; the newest first."""
_WITH_ITS_LOG = ("with_log", "only_with_log")
_LONGEST_VALUE = 60
_OUTSIDE = ("not_sql_server", "no_primary")
"""What belongs to no database that could be attached: a log alone, or what only has the name of a data file."""


def folders_to_look_into(facts: Mapping[str, Any]) -> list[str]:
    """Nothing is looked for as long as the database may be where it belongs.

    facts: folders: those that somebody named; data_folders: of the inventory, some of them empty; installed, running:
    of the instance; databases: None where it does not answer; default_folders: of the instance that answers;
    database: its name.
    """
    if facts["installed"] and not facts["running"]:
        return []
    databases = facts["databases"]
    if facts["installed"] and databases is None:
        return []
    if any(entry["name"].lower() == facts["database"].lower() for entry in databases or ()):
        return []
    usual = [folder for folder in (*facts["data_folders"], *facts["default_folders"]) if folder]
    return list(dict.fromkeys(facts["folders"] or usual))


def found_databases(raw: Mapping[str, Any]) -> list[SurvivingDatabase]:
    """Of the result of database_file_info. A log that would not be used does not make the data files newer."""
    files = {file["path"]: file for file in raw["files"]}
    return [_found(row, [files[path] for path in row["files"]]) for row in raw["databases"]]


def _found(row: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> SurvivingDatabase:
    data = sorted((file for file in files if file["kind"] == "data"), key=lambda file: file["file_id"] or 0)
    counting = [*data, *(file for file in files if _uses_log(row) and file["path"] == row["log"])]
    return SurvivingDatabase(
        row=row,
        data=[file["path"] for file in data],
        modified=max((file["modified"] or "" for file in counting), default=""),
        size=sum(file["size"] for file in counting),
    )


def _uses_log(row: Mapping[str, Any]) -> bool:
    return row["attach_code"] in _WITH_ITS_LOG


def surviving_files(facts: HostFacts) -> list[dict[str, Any]]:
    """As fields of the wreck's files."""
    if facts.data_files.state == FAILED:
        return _impossible(facts, f"it cannot be looked into: {facts.data_files.problem}")
    if not facts.data_files.ok:
        return []
    wanted = [copy for copy in facts.data_files.value if _is_wanted(copy, facts.settings.database)]
    return [_surviving(copy, facts) for copy in wanted] or _impossible(
        facts, f"it holds no data files of {facts.settings.database}"
    )


def _is_wanted(copy: SurvivingDatabase, database: str) -> bool:
    """A damaged file may not tell its name."""
    name = copy.row["name"]
    return copy.row["attach_code"] not in _OUTSIDE and (name is None or name.lower() == database.lower())


def _impossible(facts: HostFacts, problem: str) -> list[dict[str, Any]]:
    """Of the folders that somebody named; that nothing is in others says nothing."""
    return [
        {"folder": folder, "attach": "impossible", "problem": problem} for folder in facts.settings.data_file_folders
    ]


def _surviving(copy: SurvivingDatabase, facts: HostFacts) -> dict[str, Any]:
    problem = _too_new(copy, facts) or _problem(copy)
    uses_log = _uses_log(copy.row)
    return {
        "folder": dirname(copy.data[0] if copy.data else next(iter(copy.row["files"]), "")),
        "attach": "impossible" if problem else "likely",
        "problem": problem,
        "point": copy.modified or None,
        "size": copy.size,
        "data": list(copy.data),
        "logs": [copy.row["log"]] if uses_log else [],
        "needs": "" if problem else " and ".join(_why_a_yes(copy, facts)),
        "use": "; ".join(_use(copy.row)),
    }


def _use(row: Mapping[str, Any]) -> Iterator[str]:
    """What rows say of the use of a database: numbers and moments, no names of people."""
    said = row.get("last_change") or {}
    if moment := said.get("moment"):
        doubt = ", which may be a date of something planned" if said["witness"] == "any" else ""
        yield f"last used at {moment} by the application's clock ({said['table']}.{said['column']}{doubt})"
    yield from (f"{counted(rows, 'row')} in {table}" for table, rows in (said.get("users") or {}).items())
    for table, rows in (said.get("schema_versions") or {}).items():
        if rows:
            yield f"{table} ends with {', '.join(str(value)[:_LONGEST_VALUE] for value in rows[-1].values())}"
    if unread := said.get("unread"):
        yield f"{counted(len(unread), 'table')} could not be read"
    if said and not row.get("clean"):
        yield "what is in the log alone is not counted"


def _problem(copy: SurvivingDatabase) -> str:
    """Why these files make no database, and what can be done."""
    code, row = copy.row["attach_code"], copy.row
    if code in (*_WITH_ITS_LOG, "rebuild_log"):
        return ""
    missing = [f"{file['logical_name']} ({file['path']})" for file in row["missing"]]
    reasons = "; ".join(row["problems"])
    if code == "not_as_it_is":
        wanted = f" Find {' and '.join(missing)}, put it beside them" if missing else " Find the log of that moment"
        return f"{reasons}.{wanted} and run again: what was committed last is in it"
    if code == "incomplete":
        return f"data files are missing: {', '.join(missing)}. Put them beside the others and run again"
    if code == "unreadable":
        return f"{reasons}. Stop the server that holds them, or give the account that reads them the right to"
    return f"{reasons}. Find another copy of them"


def _why_a_yes(copy: SurvivingDatabase, facts: HostFacts) -> Iterator[str]:
    if not _uses_log(copy.row):
        state = f"their log is {copy.row['log_fit']}" if copy.row["log"] else "their log is gone"
        doubt = "" if copy.row["sureness"] == "likely" else ", which from SQL Server 2019 on proves little"
        clean = f"nothing is lost if they were closed cleanly, as they say{doubt}"
        yield f"{state}, and SQL Server makes a new one: {clean}"
    chain = facts.chosen.chain if facts.choice.ok and not facts.choice.value.problem else ()
    if chain and not _knows_of(copy, chain):
        yield (
            f"that they are newer than the recovery set {facts.chosen.label} only their times say, which a program "
            "that copied them may have changed"
        )


def _knows_of(copy: SurvivingDatabase, chain: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the files are surely of a moment after the last backup of a chain: their checkpoint lies behind it, or it
    is the full backup that they call their last one. Elsewhere (another fork, a crash soon after a log backup) nothing
    proves it.
    """
    last = chain[-1]
    if last["last_fork"] != copy.row.get("recovery_fork_guid"):
        return False
    full = copy.row.get("full_backup_lsn") or 0
    is_last_full = last["kind"] == "full" and last["first_lsn"] <= full <= last["last_lsn"]
    return is_last_full or (copy.row.get("checkpoint_lsn") or 0) >= last["last_lsn"]


def _too_new(copy: SurvivingDatabase, facts: HostFacts) -> str:
    target, version = facts.target_build, copy.row.get("version") or 0
    needed = next((release for least, release in _ATTACHED_BY if version >= least), (0, 0))
    if not target or needed <= major_version(target):
        return ""
    return f"they need {copy.row['needs']}, and here it is {target}. Provide newer media (prs_sql_media)"
