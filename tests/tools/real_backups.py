"""make real-backups FOLDER=...: hold the reader of backup files, and the laboratory's SQL Server, against real ones.

Reads every backup file below a folder, prints a table (file, sets, chain), and ends with status 1 at the first problem:
a file that is not read in full, stripes that do not match, a log that does not begin where the one before it ends, a
column that the laboratory's RESTORE HEADERONLY or FILELISTONLY shows otherwise.
Real files are not in this repository. A public folder of them: github.com/dataplat/appveyor-lab.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path
from uuid import UUID

from ansible_collections.prs.recovery.plugins.module_utils._backup_files.plan import PlanRequest, plan_report
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind, BackupSet
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import FileReading, assemble
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import (
    BackupFile,
    read_backup_file,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import FileFormatError
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.reading import ExaminedFile, file_reading
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.target import parse_target
from prs_lab.sqlserver.backup.headers import facts
from prs_lab.sqlserver.storage.media import scan

RESTORES = (
    ("restoretimeclean2016", "latest", 5),
    ("restoretimeclean2016", "2019-05-02T21:12:27+01:00", 4),
    ("sql2008-backups/SimpleRecovery", "2018-04-06T10:35:32+01:00", 2),
)
"""Folder of dataplat/appveyor-lab, target, and how many backups dbatools' own tests restore to come there."""

ENDINGS = (".bak", ".trn", ".dif", ".diff")


class Problem(Exception):
    """What ends the run."""


def backup_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())


def read(path: Path) -> BackupFile:
    with path.open("rb") as opened:

        def ranged(offset: int, length: int) -> bytes:
            opened.seek(offset)
            return opened.read(length)

        try:
            file = read_backup_file(ranged, os.fstat(opened.fileno()).st_size)
        except FileFormatError as problem:
            raise Problem(f"{path}: {problem}") from None
    problems = file.problems + [problem for stored in file.sets for problem in stored.problems]
    if problems or not all(stored.complete for stored in file.sets):
        raise Problem(f"{path}: {'; '.join(problems) or 'a set is not complete'}")
    return file


def shown_otherwise(path: Path, file: BackupFile) -> Iterator[str]:
    """Columns that the laboratory's SQL Server, which reads files by itself, shows otherwise."""
    with path.open("rb") as opened:
        shown = scan(str(path), opened).sets
        for stored, twin in zip(file.sets, shown, strict=True):
            pairs = [
                (stored.header, facts(twin, zone=timezone.utc)),
                *zip(stored.files, twin.foreign.files, strict=True),
            ]
            for told, row in pairs:
                for column in sorted(told.keys() & row.keys() - stored.unknown):
                    if _plain(told[column]) != _plain(row[column]):
                        yield f"{path}, set {stored.position}: {column} is {told[column]}, not {row[column]}"


def _plain(value: object) -> object:
    """In one spelling; nothing is None, zero or a GUID of zeros."""
    return (str(value) if isinstance(value, UUID) and value.int else None if isinstance(value, UUID) else value) or None


def lines(path: str, file: BackupFile) -> Iterator[str]:
    label = file.media.label
    stripe = f"{label['FamilySequenceNumber']}/{label['FamilyCount']}" if label["FamilyCount"] > 1 else ""
    for stored in file.sets:
        header = stored.header
        letter = {1: "full", 2: "log", 5: "diff"}.get(header["BackupType"], header["BackupTypeDescription"])
        version = f"{header['SoftwareVersionMajor']}.{header['SoftwareVersionMinor']}"
        yield (
            f"{path[-64:]:64} {stored.position:>3} {stripe:>4} {'packed' if file.packed else '':6} {version:>5} "
            f"{letter:4} {header['FirstLSN']:>20} {header['LastLSN']:>20} {header['DatabaseName']}"
        )


def check_stripes(sets: Iterable[BackupSet]) -> None:
    for backup_set in sets:
        for copy in backup_set.copies:
            if copy.problem and "password" not in copy.problem:
                raise Problem(f"{copy.stripes[0]}: {copy.problem}")


def check_chains(sets: Iterable[BackupSet]) -> Iterator[str]:
    """One line for each recovery fork with logs; on it each log begins where the one before it ends."""
    forks = defaultdict(list)
    for backup_set in sets:
        if backup_set.kind == BackupKind.LOG:
            forks[backup_set.family_guid, backup_set.last_fork].append(backup_set)
    for logs in forks.values():
        logs.sort(key=lambda log: (log.first_lsn, log.last_lsn))
        for earlier, later in pairwise(logs):
            if later.first_lsn != earlier.last_lsn:
                raise Problem(
                    f"{later.copies[0].stripes[0]} begins at LSN {later.first_lsn}, "
                    f"{earlier.copies[0].stripes[0]} ends at {earlier.last_lsn}"
                )
        yield f"{logs[0].database}: {len(logs)} logs without a gap, {logs[0].first_lsn} to {logs[-1].last_lsn}"


def check_restores(folder: Path) -> Iterator[str]:
    """One line for each known restore whose folder is there."""
    for name, target, count in RESTORES:
        if not (folder / name).is_dir():
            continue
        readings = [file_reading(ExaminedFile(path=str(path), file=read(path))) for path in backup_files(folder / name)]
        request = PlanRequest(target=parse_target(target))
        report = plan_report(assemble(readings), request, now=datetime.now(timezone.utc))
        if report["plan"] is None:
            raise Problem(f"{name} cannot be restored to {target}: {report['refusal']['message']}")
        taken = [step["devices"][0] for step in report["plan"]["steps"] if step["devices"]]
        if len(taken) != count:
            raise Problem(f"{name} to {target} takes {len(taken)} backups, not {count}: {', '.join(taken)}")
        yield f"{name} to {target}: {count} backups, as dbatools' tests restore it"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("Name a folder of real backup files: make real-backups FOLDER=...", file=sys.stderr)
        return 2
    folder, readings, sets = Path(arguments[0]), list[FileReading](), 0
    try:
        for path in backup_files(folder):
            file = read(path)
            for difference in shown_otherwise(path, file):
                raise Problem(difference)
            for line in lines(str(path.relative_to(folder)), file):
                print(line)
            readings.append(file_reading(ExaminedFile(path=str(path), file=file)))
            sets += len(file.sets)
        catalog = assemble(readings)
        if catalog.unreadable:
            raise Problem(f"{catalog.unreadable[0].path}: {catalog.unreadable[0].reason}")
        check_stripes(catalog.sets)
        print("\n".join(("", *check_chains(catalog.sets))))
        print("\n".join(check_restores(folder)))
    except Problem as problem:
        print(f"FAILED: {problem}", file=sys.stderr)
        return 1
    print(f"\n{len(readings)} files, {sets} sets in them, {len(catalog.sets)} different ones: all read in full")
    return 0 if readings else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
