"""The command that proves the rows of real files: a data file is held against a backup of its database."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import real_rows
from backup_file_builder import BackupSet, build
from database_files import CHECKPOINT, Database, page_checksum
from database_rows import INT, NTEXT, NVARCHAR, Built, Stored, database_with, integer, large_data, text, text_pointer

COLUMNS = (Stored(name="UserId", kind=INT, size=4), Stored(name="Name", kind=NVARCHAR, length=100))
PAGE, LAST_WRITTEN_AT, CHECKSUM_AT, FIRST_OWN_PAGE = 8192, 0x28, 60, 32
LATER = Database(tables=(), checkpoint=(0x25, 0x10, 1))


def users(*names: str, name: str = "Users", heap: bool = False) -> Built:
    return Built(name=name, columns=COLUMNS, heap=heap, rows=[[integer(n), text(who)] for n, who in enumerate(names)])


def written_later(data: bytes) -> bytes:
    """The pages with rows bear another LSN."""
    changed = bytearray(data)
    for at in range(FIRST_OWN_PAGE * PAGE, len(data), PAGE):
        struct.pack_into("<I", changed, at + LAST_WRITTEN_AT, 0x24)
        struct.pack_into("<I", changed, at + CHECKSUM_AT, page_checksum(bytes(changed[at : at + PAGE])))
    return bytes(changed)


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, backup: bytes) -> int:
    (folder / "some.mdf").write_bytes(data)
    (folder / "other.bak").write_bytes(build([BackupSet(pages=backup)]))
    monkeypatch.setattr("sys.argv", ["real_rows.py", str(folder)])
    return real_rows.main()


@pytest.mark.parametrize("heap", [False, True])
def test_equal_rows_are_told(
    heap: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    tables = [users("ann", "bob", heap=heap), users(name="Empty")]
    assert run(tmp_path, monkeypatch, database_with(tables), database_with(tables, database=LATER)) == 0
    out = capsys.readouterr().out
    assert "equal        dbo.Users (2 rows): the same pages, last written at the same moments" in out
    assert "equal        dbo.Empty (0 rows)" in out
    assert "1 pairs of a data file and a backup, 2 tables of pairs equal, 2 rows of pairs equal" in out


def test_a_later_moment_may_differ_and_what_differs_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    data = database_with([users("ann", "bob"), users("x", name="New")])
    backup = written_later(database_with([users("ann", "eve", "joe")], database=LATER))
    assert run(tmp_path, monkeypatch, data, backup) == 0
    out = capsys.readouterr().out
    assert "different    dbo.New (0 rows): only in the data file" in out
    assert "pages of other moments, 1 of 2 rows only in the data file, 2 of 3 only in the backup" in out
    assert not any(name in out for name in ("ann", "bob", "eve"))


def test_pages_of_the_same_moment_must_hold_equal_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    data, backup = database_with([users("ann", "bob")]), database_with([users("ann", "eve")], database=LATER)
    assert run(tmp_path, monkeypatch, data, backup) == 1
    assert "some.mdf: dbo.Users is of the same moment in other.bak, and differs" in capsys.readouterr().err


@pytest.mark.parametrize("other", [[users("ann", "eve")], [users("ann", "bob"), users("x", name="New")]])
def test_files_of_the_same_checkpoint_must_be_equal(
    other: list[Built], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    same = Database(tables=(), checkpoint=CHECKPOINT)
    backup = written_later(database_with(other, database=same))
    assert run(tmp_path, monkeypatch, database_with([users("ann", "bob")]), backup) == 1
    assert "is of the same moment" in capsys.readouterr().err


def test_a_value_out_of_its_row_may_change_without_the_page_of_the_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    columns = (Stored(name="Notes", kind=NTEXT, length=16),)
    table = Built(name="Notes", columns=columns, rows=[[text_pointer(30, 0)]])
    data = database_with([table], large=[large_data(text("one"))])
    backup = database_with([table], large=[large_data(text("two"))], database=LATER)
    assert run(tmp_path, monkeypatch, data, backup) == 0
    assert "last written at the same moments, 1 of 1 rows only in the data file" in capsys.readouterr().out


def test_what_cannot_be_read_is_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    packed = Built(name="Users", columns=COLUMNS, compression=2)
    assert run(tmp_path, monkeypatch, database_with([packed]), database_with([users("ann")])) == 0
    assert "not compared dbo.Users (0 rows): its rows are compressed" in capsys.readouterr().out


def test_another_database_is_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    other = Database(tables=(), extra={"504": bytes(range(16))})
    data, backup = database_with([users("ann")]), database_with([users("eve")], database=other)
    assert run(tmp_path, monkeypatch, data, backup) == 0
    assert "pairs of a data file" not in capsys.readouterr().out
