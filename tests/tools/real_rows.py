"""Reads every row of every table in a folder of real data files and plain full backups, and proves what can be proved.

    make real-rows FOLDER=...

Row counts of the catalogue, foreign keys that the server trusts, unique keys, the order of clustered keys, and that no
NULL stands in a NOT NULL column. Fails at the first contradiction, unless the file says that it was not closed cleanly.
Then every data file is held against every backup of the same database (FamilyGUID), table by table, without a value.
Real files are not in this repository. A public pair: github.com/sankaranarayanan/BI.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import read_backup_file
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.database_pages import BackupPages
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import FileFormatError
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.page_checksums import PAGE
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.range_reader import RangeReader
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.values import u32, utf16
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.boot_page import BOOT_PAGE, read_boot_page
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.page import restored
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.system_rows import Pages, SystemRows
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.system_tables import Table
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.columns import Column, NotRead
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.tables import Tables
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.values import OddValue
from ansible_collections.prs.recovery.plugins.module_utils._local_files import range_reader
from row_pairs import State, Verdict, compare

SYSSCHOBJS, SYSIDXSTATS, SYSISCOLS, SYSSINGLEOBJREFS = 34, 54, 55, 74
UNIQUE, FILTERED, NOT_TRUSTED = 8, 0x20000, 0x400
PARENT, CHILD_COLUMN, PARENT_COLUMN = 27, 28, 29
FULL = 1


class Contradiction(Exception):
    pass


@contextmanager
def opened(path: Path) -> Iterator[State | None]:
    """The database that lies in a file; None for a backup that cannot be read alone."""
    with range_reader(path) as (read, size):
        pages: dict[int, Any] = {1: RangeReader(read, size)}
        if path.suffix.lower() == ".bak":
            file = read_backup_file(read, size)
            kinds = [stored.header.get("BackupType") for stored in file.sets]
            if file.packed or FULL not in kinds or not file.ends or file.media.label.get("FamilyCount") != 1:
                yield None
                return
            backup = BackupPages()
            backup.add(read, size, file, kinds.index(FULL) + 1)
            pages = dict(backup.files)
        page = pages[1].get(BOOT_PAGE * PAGE, PAGE)
        boot = read_boot_page(restored(page))
        every = Pages(pages)
        clean = boot.clean or path.suffix.lower() == ".bak"
        tables, system = Tables(every, boot.system_tables), SystemRows(every, boot.system_tables)
        yield State(tables=tables, system=system, pages=every, boot=boot, clean=clean)


def equal(value: Any) -> Any:
    """As SQL Server compares, roughly: blanks at the end and case do not count."""
    return value.rstrip(" ").casefold() if isinstance(value, str) else value


def ordered(value: Any) -> Any:
    """What sorts as SQL Server does; None where that needs a collation."""
    if value is None:
        return (0, 0)
    if isinstance(value, UUID):
        raw = value.bytes_le
        return (1, raw[10:16] + raw[8:10] + raw[6:8] + raw[4:6] + raw[0:4])
    return None if isinstance(value, (str, OddValue)) else (1, value)


def foreign_keys(system: SystemRows) -> list[dict[str, Any]]:
    keys = {
        u32(row.fixed, 0): {
            "name": utf16(row.variable[0]), "child": u32(row.fixed, 15), "status": u32(row.fixed, 9), "parent": 0,
            CHILD_COLUMN: {}, PARENT_COLUMN: {},
        }
        for row in system.rows(SYSSCHOBJS)
        if row.fixed[13:15] == b"F "
    }  # fmt: skip
    for row in system.rows(SYSSINGLEOBJREFS):
        key = keys.get(u32(row.fixed, 1))
        if key and row.fixed[0] == PARENT:
            key["parent"] = u32(row.fixed, 9)
        elif key and row.fixed[0] in (CHILD_COLUMN, PARENT_COLUMN):
            key[row.fixed[0]][u32(row.fixed, 5)] = u32(row.fixed, 13)
    return list(keys.values())


def unique_keys(system: SystemRows) -> dict[int, list[tuple[int, list[int]]]]:
    """By table: (index id, column ids)."""
    columns: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for row in system.rows(SYSISCOLS):
        if row.fixed[20]:
            place = u32(row.fixed, 0), u32(row.fixed, 4)
            columns.setdefault(place, []).append((row.fixed[20], u32(row.fixed, 16)))
    result: dict[int, list[tuple[int, list[int]]]] = {}
    for row in system.rows(SYSIDXSTATS):
        table, index, status = u32(row.fixed, 0), u32(row.fixed, 4), u32(row.fixed, 8)
        if index and row.fixed[17] in (1, 2) and status & UNIQUE and not status & FILTERED:
            ids = [column for _ordinal, column in sorted(columns.get((table, index), []))]
            result.setdefault(table, []).append((index, ids))
    return result


class Proof:
    """Everything that one file says of itself. count: what was compared."""

    def __init__(self, tables: Tables, system: SystemRows, count: Counter[str]) -> None:
        self._tables, self._system, self._count = tables, system, count
        self._rows: dict[int, list[tuple[Any, ...]]] = {}
        self._places: dict[int, dict[int, int]] = {}

    def run(self) -> None:
        keys = unique_keys(self._system)
        for table in self._tables.tables:
            self._count["tables"] += 1
            try:
                rows = list(self._tables.rows(table))
            except NotRead as problem:
                self._count["tables not read"] += 1
                print(f"  {table.name}: {problem}")
                continue
            columns = self._tables.columns(table)
            self._rows[table.object_id] = rows
            self._places[table.object_id] = {column.column_id: index for index, column in enumerate(columns)}
            self._count["rows"] += len(rows)
            self._table(table, columns, rows)
            for index, ids in keys.get(table.object_id, []):
                self._key(table, index, ids)
        for key in foreign_keys(self._system):
            self._foreign(key)

    def _table(self, table: Table, columns: list[Column], rows: list[tuple[Any, ...]]) -> None:
        if len(rows) != table.rows:
            raise Contradiction(f"{table.name}: {len(rows)} rows, and the catalogue counts {table.rows}")
        for index, column in enumerate(columns):
            if not column.nullable and not column.computed and any(row[index] is None for row in rows):
                raise Contradiction(f"{table.name}.{column.name}: NULL where none may be")

    def _key(self, table: Table, index: int, ids: list[int]) -> None:
        places = [self._places[table.object_id][column] for column in ids]
        rows = self._rows[table.object_id]
        values = [tuple(equal(row[place]) for place in places) for row in rows]
        self._count["unique keys"] += 1
        if len(set(values)) != len(values):
            raise Contradiction(f"{table.name}: a unique key holds a value twice")
        if index == 1 and not any(ordered(row[place]) is None for row in rows for place in places):
            self._count["clustered keys in order"] += 1
            order = [tuple(ordered(row[place]) for place in places) for row in rows]
            if order not in (sorted(order), sorted(order, reverse=True)):
                raise Contradiction(f"{table.name}: the rows are not in the order of the clustered key")

    def _foreign(self, key: dict[str, Any]) -> None:
        child, parent = key["child"], key["parent"]
        if child not in self._rows or parent not in self._rows or key["status"] & NOT_TRUSTED:
            return
        children = [self._places[child][column] for _, column in sorted(key[CHILD_COLUMN].items())]
        parents = [self._places[parent][column] for _, column in sorted(key[PARENT_COLUMN].items())]
        known = {tuple(equal(row[place]) for place in parents) for row in self._rows[parent]}
        self._count["foreign keys"] += 1
        for row in self._rows[child]:
            value = tuple(equal(row[place]) for place in children)
            self._count["values of foreign keys"] += None not in value
            if None not in value and value not in known:
                raise Contradiction(f"{key['name']}: a value is not in the parent")


def northwind_total(tables: Tables) -> float | None:
    """The sum of all order lines, which is well known: 1,265,793.04."""
    names = {table.name: table for table in tables.tables}
    if not {"Order Details", "Orders", "Products"} <= set(names):
        return None
    place = {column.name: i for i, column in enumerate(tables.columns(names["Order Details"]))}
    rows = tables.rows(names["Order Details"])
    return sum(float(row[place["UnitPrice"]]) * row[place["Quantity"]] * (1 - row[place["Discount"]]) for row in rows)


def prove(path: Path, count: Counter[str]) -> str | None:
    """Prints a line for the file. Gives the FamilyGUID of its database, None for one that is left out.

    Raises :class:`Contradiction`.
    """
    with opened(path) as state:
        if state is None:
            return None
        proof = Counter[str]()
        try:
            Proof(state.tables, state.system, proof).run()
        except Contradiction:
            if state.clean:
                raise
            count["contradictions in files that were not closed cleanly"] += 1
        total = northwind_total(state.tables)
        note = f", order lines sum to {total:,.2f}" if total else ""
        print(f"{path.name[-60:]:62}{proof['tables']:6} tables{proof['rows']:9} rows{note}")
        count += proof
        count["files"] += 1
        return state.boot.family_guid


def compare_files(data: Path, backup: Path, count: Counter[str]) -> None:
    """Prints what a data file and a backup of its database have in common. Raises :class:`Contradiction`."""
    with opened(data) as one, opened(backup) as other:
        if one is None or other is None:
            return
        print(f"{data.name} ({one.moment}) and {backup.name} ({other.moment})")
        count["pairs of a data file and a backup"] += 1
        for found in compare(one, other):
            print(f"  {found.verdict.value:13}{found.table} ({found.rows} rows): {found.words}")
            count[f"tables of pairs {found.verdict.value}"] += 1
            count["rows of pairs equal"] += found.rows if found.verdict is Verdict.EQUAL else 0
            if found.contradiction and one.clean:
                raise Contradiction(f"{found.table} is of the same moment in {backup.name}, and differs: {found.words}")


def compare_all(families: dict[Path, str], count: Counter[str]) -> None:
    """By the FamilyGUID of every file that could be read."""
    for data in families:
        for backup in families:
            if data.suffix.lower() == ".mdf" and backup.suffix.lower() == ".bak" and families[data] == families[backup]:
                try:
                    compare_files(data, backup, count)
                except Contradiction as problem:
                    raise Contradiction(f"{data}: {problem}") from None


def main() -> int:
    count: Counter[str] = Counter()
    families: dict[Path, str] = {}
    try:
        for path in sorted(Path(sys.argv[1]).rglob("*")):
            if path.suffix.lower() in (".mdf", ".bak") and path.is_file():
                try:
                    family = prove(path, count)
                except FileFormatError as problem:
                    count["files that cannot be read"] += 1
                    print(f"{path.name[-60:]:62}{problem}")
                except Contradiction as problem:
                    raise Contradiction(f"{path}: {problem}") from None
                else:
                    families |= {path: family} if family else {}
        compare_all(families, count)
    except Contradiction as problem:
        print(problem, file=sys.stderr)
        return 1
    print(", ".join(f"{number:,} {what}" for what, number in count.items()))
    return 0 if count["files"] else 1


if __name__ == "__main__":
    sys.exit(main())
