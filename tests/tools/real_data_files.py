#!/usr/bin/env python3
"""Read real data and log files, print what they are, and hold against each other what they say of one another.

    real_data_files.py FOLDER

A line for each file and one for each database; every folder is judged by itself. It ends at the first contradiction: a
file that its database lists otherwise, a log that says another thing of its database than the data file, a chain of log
parts that does not end where the file ends. Damage is told, and is no contradiction.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import fields
from pathlib import Path

from ansible_collections.prs.recovery.plugins.module_utils._core.binary.values import lsn_text
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.database_file import (
    DatabaseFile,
    FileKind,
    inspect_file,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.judgement import (
    FoundDatabase,
    LogFit,
    judge_files,
)

ENDINGS = {".mdf", ".ndf", ".ldf"}
MAY_DIFFER = {"name", "last_check"}
"""A rename after the last checkpoint is not in the log yet."""


def inspect(path: Path) -> DatabaseFile:
    with path.open("rb") as stream:

        def read(offset: int, length: int) -> bytes:
            stream.seek(offset)
            return stream.read(length)

        return inspect_file(read, path.stat().st_size, pages=True)


def contradictions(database: FoundDatabase, files: dict[str, DatabaseFile]) -> list[str]:
    """What the files of one database say against each other."""
    problems = []
    primary = next((file for file in files.values() if file.is_primary and file.boot), None)
    for name, file in files.items():
        if primary and file.header and primary.files and database.copies < 2:
            listed = {row.file_id: row for row in primary.files}.get(file.header.file_id)
            if listed is None:
                problems.append(f"{name}: the database does not list a file {file.header.file_id}")
            elif listed.file_guid and file.header.file_guid and listed.file_guid != file.header.file_guid:
                problems.append(f"{name}: the database lists another GUID for file {file.header.file_id}")
            elif (listed.kind == 1) != (file.kind is FileKind.LOG):
                problems.append(f"{name}: the database lists another kind for file {file.header.file_id}")
    if database.log_fit is LogFit.SAME and primary:
        log = files[database.log]
        problems += [
            f"{database.log}: its copy of the boot page has another {field.name}"
            for field in fields(primary.boot)
            if field.name not in MAY_DIFFER and getattr(primary.boot, field.name) != getattr(log.boot, field.name)
        ]
    return problems


def describe(name: str, file: DatabaseFile) -> str:
    header, boot, check = file.header, file.boot, file.page_check
    parts = [f"  {file.kind.value:8}{name[-70:]:72}"]
    parts.append(f"{boot.release or boot.version} " if boot else "")
    parts.append(f"file {header.file_id}, {header.pages} pages" if header else "")
    parts.append(
        f", {sum(table.rows for table in file.tables)} rows in {len(file.tables)} tables" if file.tables else ""
    )
    parts.append(f", {check.damages} damaged pages" if check and check.damages else "")
    parts.append(f", {file.log_check.protected} blocks with a checksum" if file.log_check else "")
    return "".join(parts)


def main() -> int:
    folders: dict[Path, dict[str, DatabaseFile]] = defaultdict(dict)
    for path in sorted(Path(sys.argv[1]).rglob("*")):
        if path.suffix.lower() in ENDINGS and path.is_file():
            folders[path.parent][str(path)] = inspect(path)
    count = sum(map(len, folders.values()))
    databases = 0
    for files in folders.values():
        for database in judge_files(files):
            databases += 1
            boot = database.boot
            moment = lsn_text(database.checkpoint) or "no moment"
            print(f"{boot.name if boot else '(unknown)'}: {database.attach.value}, {database.sureness.value}, {moment}")
            for name in database.names:
                print(describe(name, files[name]))
            for reason in database.reasons:
                print(f"      {reason}")
            problems = contradictions(database, {name: files[name] for name in database.names})
            if problems:
                print("\n".join(problems), file=sys.stderr)
                return 1
    print(f"{count} files, {databases} databases, no contradiction")
    return 0 if count else 1


if __name__ == "__main__":
    sys.exit(main())
