"""Rows out of backup files, as a task asks for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.prs.recovery.plugins.modules import backup_file_info
from backup_file_builder import BackupSet, build, chain
from database_rows import INT, NVARCHAR, Built, Stored, database_with, integer, text

COLUMNS = (Stored(name="UserId", kind=INT, size=4), Stored(name="Name", kind=NVARCHAR, length=100))
DATA = database_with([Built(name="Users", columns=COLUMNS, rows=[[integer(7), text("ann")]])])


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        backup_file_info.main()
    return json.loads(capsys.readouterr().out)


def test_the_newest_full_backup_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full, *logs = chain(3, pages=DATA)
    for number, made in enumerate([full, *logs]):
        (tmp_path / f"{number}.bak").write_bytes(build([made]))
    (database,) = run(capsys, folders=[str(tmp_path)], tables=[{"name": "Users"}], last_change=True)["databases"]
    assert database["rows"][0]["rows"] == [{"UserId": 7, "Name": "ann"}]
    assert database["last_change"]["users"] == {"dbo.Users": 1}
    assert (database["rows_of"], database["rows_problem"]) == ([str(tmp_path / "0.bak")], "")
    assert "rows" not in run(capsys, folders=[str(tmp_path)])["databases"][0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (build([BackupSet(pages=DATA)], packed=True), "compressed"),
        (build([BackupSet(pages=b"\x99" * len(DATA))]), "encrypted, or incomplete"),
        (build([BackupSet(letter="L")]), "no whole full backup"),
    ],
)
def test_why_there_are_none(content: bytes, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "prs.bak").write_bytes(content)
    (database,) = run(capsys, folders=[str(tmp_path)], last_change=True)["databases"]
    assert says in database["rows_problem"] and database["last_change"] is None


def test_on_a_windows_host_it_is_refused_before_anything_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    options = {"winrm_host": "127.0.0.1", "winrm_user": "x", "winrm_password": "x"}
    result = run(capsys, folders=["C:\\backup"], remote_src=True, last_change=True, **options)
    assert result["error_code"] == "option_invalid" and "control node alone" in result["msg"]
