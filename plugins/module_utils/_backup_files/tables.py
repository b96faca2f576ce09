# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of tables, out of data files wherever they lie, and of full backups that lie on the control node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from .._core.backup.backup_set import BackupKind, BackupSet
from .._core.backup_file.backup_file import read_backup_file
from .._core.backup_file.database_pages import BackupPages
from .._core.binary.page_checksums import PAGE
from .._core.binary.range_reader import RangeReader, Read
from .._core.binary.values import Damaged, FileFormatError
from .._core.data_file.boot_page import BOOT_PAGE, read_boot_page
from .._core.data_file.database_file import DatabaseFile, FileKind
from .._core.data_file.page import restored
from .._core.data_file.system_rows import Pages
from .._core.table_rows.questions import answers, questions
from .._core.table_rows.tables import Tables
from .._local_files import range_reader

__all__ = ["Opener", "rows_of_backups", "rows_of_data_files", "table_rows_argument_spec", "wants_rows"]


Opener = Callable[[str], AbstractContextManager[tuple[Read, int]]]
"""read(offset, length) of a file by its path, and its size in bytes."""


def table_rows_argument_spec() -> dict[str, Any]:
    """The options of a module that reads rows."""
    return {
        "tables": {
            "type": "list",
            "elements": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "columns": {"type": "list", "elements": "str"},
                "newest": {"type": "int", "default": 10},
                "newest_by": {"type": "str"},
            },
        },
        "last_change": {"type": "bool", "default": False},
    }


def wants_rows(params: Mapping[str, Any]) -> bool:
    """Whether the tables have to be read at all."""
    return bool(params["tables"]) or params["last_change"]


def rows_of_data_files(
    names: Sequence[str], files: Mapping[str, DatabaseFile], params: Mapping[str, Any], open_file: Opener
) -> dict[str, Any]:
    """Of one database. names: of its files. Nothing raises: what cannot be read is said."""
    with ExitStack() as opened:
        try:
            readers = {}
            for name in names:
                header = files[name].header
                if files[name].kind is FileKind.DATA and header:
                    readers[header.file_id] = RangeReader(*opened.enter_context(open_file(name)))
            boot = next((files[name].boot for name in names if files[name].is_primary), None)
            if boot is None:
                raise Damaged("the page is missing that says where its tables begin")
            tables = Tables(Pages(readers), boot.system_tables)
            return _answers(tables, params, clean=boot.clean)
        except (FileFormatError, OSError) as problem:
            return _unread(problem)


def rows_of_backups(sets: Sequence[BackupSet], params: Mapping[str, Any]) -> dict[str, Any]:
    """Of the newest full backup among the sets of one database that lies in plain pages."""
    full = [backup_set for backup_set in sets if backup_set.kind is BackupKind.FULL and not backup_set.problem]
    if not full:
        return _unread(Damaged("there is no whole full backup of it"))
    newest = max(full, key=lambda backup_set: backup_set.finished)
    copy = newest.best_copy
    with ExitStack() as opened:
        try:
            pages = BackupPages()
            for name in copy.stripes if copy else ():
                read, size = opened.enter_context(range_reader(Path(name)))
                file = read_backup_file(read, size)
                if file.packed:
                    raise Damaged("its newest full backup is compressed, and rows are read from plain ones alone")
                pages.add(read, size, file, copy.position if copy else 1)
            page = pages.files[1].get(BOOT_PAGE * PAGE, PAGE) if 1 in pages.files else b""
            if not page:
                raise Damaged("its newest full backup holds no pages that can be read: it is encrypted, or incomplete")
            tables = Tables(Pages(pages.files), read_boot_page(restored(page)).system_tables)
            return _answers(tables, params, clean=True) | {"rows_of": list(copy.stripes) if copy else []}
        except (FileFormatError, OSError) as problem:
            return _unread(problem)


def _answers(tables: Tables, params: Mapping[str, Any], *, clean: bool) -> dict[str, Any]:
    now = datetime.now()
    asked = questions(params["tables"])
    return answers(tables, asked, last_change=params["last_change"], clean=clean, now=now) | {"rows_problem": ""}


def _unread(problem: Exception) -> dict[str, Any]:
    reason = problem.strerror if isinstance(problem, OSError) else str(problem)
    return {"rows": [], "last_change": None, "rows_problem": f"Its tables cannot be read: {reason}."}
