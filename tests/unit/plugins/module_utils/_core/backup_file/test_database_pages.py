"""The pages of a database in a plain full backup, put together again: the same rows as from its data file."""

from __future__ import annotations

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import read_backup_file
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.database_pages import BackupPages
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.system_rows import Pages
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.tables import Tables
from backup_file_builder import PAGE, BackupSet, build
from database_rows import INT, NVARCHAR, Built, Stored, database_with, integer, text

COLUMNS = (Stored(name="UserId", kind=INT, size=4), Stored(name="Name", kind=NVARCHAR, length=100))
USERS = Built(name="Users", columns=COLUMNS, rows=[[integer(n), text(f"user {n}")] for n in range(500)])
DATA = database_with([USERS])


def pages_of(*files: bytes, position: int = 1) -> BackupPages:
    pages = BackupPages()
    for data in files:
        file = read_backup_file(lambda offset, length, data=data: data[offset : offset + length], len(data))
        pages.add(lambda offset, length, data=data: data[offset : offset + length], len(data), file, position)
    return pages


def names(pages: BackupPages) -> list[str]:
    tables = Tables(Pages(pages.files), (1, 16))
    return [row[1] for row in tables.rows(tables.named("Users"))]


def test_the_rows_of_a_backup_are_those_of_its_data_file() -> None:
    assert names(pages_of(build([BackupSet(pages=DATA, log=b"\xab" * 4096)]))) == [f"user {n}" for n in range(500)]


def test_the_set_is_chosen_by_its_position() -> None:
    other = database_with([Built(name="Users", columns=COLUMNS, rows=[[integer(1), text("second set")]])])
    data = build([BackupSet(pages=DATA), BackupSet(pages=other)])
    assert names(pages_of(data, position=2)) == ["second set"]
    assert len(names(pages_of(data, position=1))) == 500


def test_stripes_are_put_together() -> None:
    """Each stripe holds some of the pages."""
    half = len(DATA) // PAGE // 2 * PAGE
    stripes = [
        build([BackupSet(pages=part)], stripes=2, stripe=number)
        for number, part in enumerate((DATA[:half], DATA[half:]), start=1)
    ]
    assert len(names(pages_of(*stripes))) == 500
    assert len(names(pages_of(*reversed(stripes)))) == 500


def test_a_page_that_was_saved_twice_is_the_later_one() -> None:
    """A backup reads again what was changed while it ran."""
    later = database_with([Built(name="Users", columns=COLUMNS, rows=[[integer(1), text("changed")]])])
    assert names(pages_of(build([BackupSet(pages=DATA + later)]))) == ["changed"]


def test_pages_that_were_not_saved_are_missing_and_nothing_else() -> None:
    pages = pages_of(build([BackupSet(pages=DATA)]))
    saved = pages.files[1]
    assert saved.size == len(DATA)
    assert saved.get(0, PAGE) == DATA[:PAGE] and saved.get(9 * PAGE + 10, 20) == DATA[9 * PAGE + 10 : 9 * PAGE + 30]
    assert saved.get(8 * PAGE, PAGE) == b"" and saved.get(len(DATA) + 800 * PAGE, PAGE) == b""
