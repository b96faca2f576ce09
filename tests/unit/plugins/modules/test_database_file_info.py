"""The module that reads data and log files: what it finds in folders, and what it returns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.prs.recovery.plugins.module_utils._backup_files import data_files
from ansible_collections.prs.recovery.plugins.modules import database_file_info
from database_files import PAGE, Database, data_file, log_file
from database_rows import INT, NVARCHAR, Built, Stored, database_with, integer, text


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        database_file_info.main()
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A disk that was saved: data and log in folders of their own, and a page that somebody took for a data file."""
    for name, content in {
        "Data/prs.MDF": data_file(Database()),
        "Log/prs_log.ldf": log_file(Database()),
        "Data/read.me": b"x" * PAGE,
        "Data/page.mdf": b"<html>" * PAGE,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return tmp_path


def test_files_of_one_database_are_put_together(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, paths=[str(saved)], recurse=True, check="pages")
    assert result["changed"] is False
    found = {row["name"]: row for row in result["databases"]}
    prs = found["PasswordResetServer"]
    assert prs["files"] == [str(saved / "Data/prs.MDF"), str(saved / "Log/prs_log.ldf")]
    assert (prs["attach"], prs["attach_code"], prs["sureness"]) == ("FOR ATTACH", "with_log", "likely")
    assert (prs["needs"], prs["checkpoint"]) == ("SQL Server 2019 or later", "00000022:00000018:0001")
    assert prs["tables"] == [{"schema": "dbo", "name": "Users", "rows": 5, "compressed": False}]
    assert [row["kind"] for row in prs["listed_files"]] == ["data", "log"]
    assert found[None]["attach_code"] == "not_sql_server"
    files = {Path(row["path"]).name: row for row in result["files"]}
    assert set(files) == {"prs.MDF", "prs_log.ldf", "page.mdf"}
    assert files["prs.MDF"]["pages"]["total"] == 24
    assert files["prs_log.ldf"]["blocks"] == {"total": 5, "with_checksum": 5, "damaged": []}


def test_folders_below_are_searched_only_when_asked_for(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, paths=[str(saved)])["files"] == []
    assert len(run(capsys, paths=[str(saved / "Data")])["files"]) == 2


def test_headers_alone_count_no_pages(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file,) = run(capsys, paths=[str(saved / "Data/prs.MDF")])["files"]
    assert "pages" not in file


def test_what_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, paths=[str(tmp_path / "gone")])
    assert (result["failed"], result["error_code"]) == (True, "not_found")
    assert f"There is no file or folder {tmp_path / 'gone'} on the control node" in result["msg"]


def test_a_file_that_cannot_be_opened_keeps_none_of_the_others_back(
    saved: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = data_files.range_reader

    def refused(path: Path) -> Any:
        if path.name == "page.mdf":
            raise PermissionError(13, "Permission denied")
        return whole(path)

    monkeypatch.setattr(data_files, "range_reader", refused)
    result = run(capsys, paths=[str(saved / "Data")])
    assert {row["attach_code"] for row in result["databases"]} == {"unreadable", "rebuild_log"}
    assert [row["problems"] for row in result["files"] if row["problems"]] == [["cannot be read: Permission denied"]]


def test_rows_are_read_only_when_they_are_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = (Stored(name="UserId", kind=INT, size=4), Stored(name="Password", kind=NVARCHAR, length=100))
    users = Built(name="Users", columns=columns, rows=[[integer(7), text("secret")]])
    (tmp_path / "prs.mdf").write_bytes(database_with([users]))
    assert "rows" not in run(capsys, paths=[str(tmp_path)])["databases"][0]
    (database,) = run(capsys, paths=[str(tmp_path)], tables=[{"name": "users"}])["databases"]
    assert (database["rows"][0]["rows"], database["rows_problem"]) == ([{"UserId": 7}], "")
    assert database["rows"][0]["left_out"] == ["Password"] and database["last_change"] is None
    (database,) = run(capsys, paths=[str(tmp_path)], last_change=True)["databases"]
    assert database["last_change"]["users"] == {"dbo.Users": 1} and "secret" not in str(database)


def test_a_database_whose_tables_cannot_be_found_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "prs_log.ldf").write_bytes(log_file(Database()))
    (database,) = run(capsys, paths=[str(tmp_path)], tables=[{"name": "users"}])["databases"]
    assert "cannot be read" in database["rows_problem"] and database["rows"] == []
