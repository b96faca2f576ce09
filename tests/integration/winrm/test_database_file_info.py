"""database_file_info over WinRM: the same report as on the control node, of a host's folders and of a share."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._backup_files import data_files
from ansible_collections.prs.recovery.plugins.module_utils._backup_files.data_files import (
    control_node_files_report,
    refuse_wishes,
    windows_files_report,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from ansible_collections.prs.recovery.plugins.module_utils._winrm.data_files import far_file
from database_files import PAGE, Database, data_file, log_file, moment
from database_rows import DATETIME, INT, NVARCHAR, Built, Stored, database_with, integer, text

from .windows_twins import NO_SHARE, ON_SHARE, Twins
from .wire import Wire

FOLDER, SHARE = "D:\\saved", "\\\\files\\backup\\saved"
DEFAULTS: dict[str, Any] = {
    "recurse": True, "remote_src": True, "check": "headers", "tables": None, "last_change": False, "skip_missing": False,
}  # fmt: skip
COLUMNS = (Stored(name="UserId", kind=INT, size=4), Stored(name="Name", kind=NVARCHAR, length=100))


def many_tables(count: int) -> bytes:
    """The system tables of so many tables lie on many pages, one behind the other and behind the first 32."""
    return database_with(
        [Built(name=f"Table{n:04}", columns=COLUMNS, rows=[[integer(n), text("x")]]) for n in range(count)]
    )


CONTENT = {
    "Data\\prs.MDF": data_file(Database()),
    "Log\\prs_log.ldf": log_file(Database()),
    "Data\\many.mdf": many_tables(900),
    "Data\\page.mdf": b"<html>" * PAGE,
    "Data\\empty.ndf": b"",
    "Data\\cut.mdf": data_file(Database())[: 12 * PAGE],
    "Data\\read.me": b"x" * PAGE,
}


def put(twins: Twins, folder: str, *, share: bool = False) -> None:
    for name, data in CONTENT.items():
        twins.write(f"{folder}\\{name}", data, twins.share_host if share else twins.web)


def ask(twins: Twins, **params: Any) -> dict[str, Any]:
    with twins.session() as files:
        return windows_files_report(files, {**DEFAULTS, **NO_SHARE, **params})


def on_control_node(folder: Path) -> dict[str, Any]:
    for name, data in CONTENT.items():
        path = folder / name.replace("\\", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return control_node_files_report({**DEFAULTS, "paths": [str(folder)], "remote_src": False}, progress=Progress())


def comparable(value: Any, folder: str) -> Any:
    """Without the folder and the times, and in one order."""
    if isinstance(value, dict):
        return {key: comparable(item, folder) for key, item in value.items() if key != "modified"}
    if isinstance(value, list):
        return sorted((comparable(item, folder) for item in value), key=str)
    return value.replace(folder, "").replace("\\", "/").lower() if isinstance(value, str) else value


@pytest.mark.parametrize("share", [False, True])
def test_the_report_is_that_of_the_control_node(twins: Twins, tmp_path: Path, share: bool) -> None:
    folder = SHARE if share else FOLDER
    put(twins, "E:\\backup\\saved" if share else FOLDER, share=share)
    result = ask(twins, paths=[folder], **(ON_SHARE if share else {}))
    expected = on_control_node(tmp_path / "control_node")
    assert comparable(result, folder) == comparable(expected, str(tmp_path / "control_node"))
    assert all(file["modified"] for file in (*result["files"], *expected["files"]))
    assert {row["name"] for row in result["databases"]} == {"PasswordResetServer", None}
    assert max(len(row["tables"]) for row in result["databases"]) == 900


def test_files_of_a_running_server_are_said_to_be_held(twins: Twins) -> None:
    put(twins, FOLDER)
    twins.files.hold(f"{FOLDER}\\Data\\prs.MDF", "sqlservr")
    result = ask(twins, paths=[FOLDER])
    twins.files.release(f"{FOLDER}\\Data\\prs.MDF", "sqlservr")
    [held] = [file for file in result["files"] if file["path"].endswith("prs.MDF")]
    assert held["faults"] == ["held"] and "a running SQL Server most likely" in held["problems"][0]
    [database] = [row for row in result["databases"] if row["files"] == [held["path"]]]
    assert database["attach_code"] == "unreadable"
    assert {row["attach_code"] for row in result["databases"]} >= {"not_sql_server", "damaged"}


def test_named_files_and_folders_alone_or_with_those_below(twins: Twins) -> None:
    put(twins, FOLDER)
    assert ask(twins, paths=[FOLDER], recurse=False)["files"] == []
    paths = [f"{FOLDER}\\Data\\prs.MDF", "D:\\gone.mdf"]
    here, gone = sorted(ask(twins, paths=paths)["files"], key=lambda file: file["path"], reverse=True)
    assert (here["path"], here["problems"], gone["faults"]) == (paths[0], [], ["unreadable"])
    with pytest.raises(RecoveryError, match="gone"):
        ask(twins, paths=["D:\\gone"])
    assert ask(twins, paths=["D:\\gone"], skip_missing=True)["files"] == []
    assert ask(twins, paths=[FOLDER, "D:\\gone"], skip_missing=True) == ask(twins, paths=[FOLDER])


def test_what_is_done_on_the_control_node_alone_is_refused_with_what_to_do_instead() -> None:
    with pytest.raises(RecoveryError, match=r"control node alone.*'source.attach.copy'"):
        refuse_wishes({**DEFAULTS, "check": "pages"})
    refuse_wishes({**DEFAULTS, "last_change": True, "tables": [{"name": "Users"}]})


NOON = datetime(2024, 5, 6, 12)
ASKED = {"name": "users", "columns": None, "newest": 2, "newest_by": None}


def users_and_log(rows: int) -> bytes:
    """A small table and a large one, of which three rows fill a page."""
    last = (*COLUMNS, Stored(name="LastLogin", kind=DATETIME, size=8))
    users = [[integer(n), text(f"user {n}"), moment(NOON)] for n in range(50)]
    lines = [[integer(n), text("x" * 1200), moment(NOON - timedelta(days=1))] for n in range(rows)]
    return database_with(
        [Built(name="AuditLog", columns=last, rows=lines), Built(name="Users", columns=last, rows=users)]
    )


def test_rows_are_those_of_the_control_node(twins: Twins, tmp_path: Path) -> None:
    data = users_and_log(3000)
    twins.write(f"{FOLDER}\\prs.mdf", data)
    folder = tmp_path / "control_node"
    folder.mkdir()
    (folder / "prs.mdf").write_bytes(data)
    wish = {**DEFAULTS, "last_change": True, "tables": [ASKED]}
    here = control_node_files_report({**wish, "paths": [str(folder)], "remote_src": False}, progress=Progress())
    with twins.session() as files:
        call, calls = files._session.call, []
        files._session.call = lambda *args, **options: calls.append(options["doing"]) or call(*args, **options)
        there = windows_files_report(files, {**wish, **NO_SHARE, "paths": [FOLDER]})
    [ours], [theirs] = here["databases"], there["databases"]
    for key in ("rows", "last_change", "rows_problem"):
        assert ours[key] == theirs[key]
    assert theirs["rows"][0]["total"] == 50 and theirs["last_change"]["users"] == {"dbo.Users": 50}
    print(f"\n{len(data) / 1e6:.1f} MB: {len(calls)} requests")
    assert len(calls) <= 10


def test_a_table_that_is_too_large_for_the_way_leaves_the_others_readable(
    twins: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(far_file, "MOST_BLOCKS", 5)
    twins.write(f"{FOLDER}\\prs.mdf", users_and_log(3000))
    every = [ASKED, {**ASKED, "name": "AuditLog"}]
    [database] = ask(twins, paths=[FOLDER], last_change=True, tables=every)["databases"]
    users, log = database["rows"]
    assert users["total"] == 50 and users["problems"] == []
    assert log["total"] is None and "Copy the file to the control node" in log["problems"][0]
    assert database["last_change"]["moment"] == NOON.isoformat()
    assert list(database["last_change"]["unread"]) == ["dbo.AuditLog"]


def test_a_file_that_changes_between_is_told(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    twins.write(f"{FOLDER}\\prs.mdf", users_and_log(10))
    judge = data_files.judge_files

    def judged(files: Any) -> Any:
        twins.write(f"{FOLDER}\\prs.mdf", bytes(PAGE))
        return judge(files)

    monkeypatch.setattr(data_files, "judge_files", judged)
    [database] = ask(twins, paths=[FOLDER], tables=[ASKED])["databases"]
    assert "it is another one by now" in database["rows_problem"]


def test_two_hundred_files_in_ten_requests(twins: Twins, wire: Wire) -> None:
    data, log = many_tables(60), log_file(Database())
    for number in range(100):
        twins.write(f"{FOLDER}\\db{number:03}.mdf", data)
        twins.write(f"{FOLDER}\\db{number:03}_log.ldf", log)
    with twins.session() as files:
        before, call, calls = wire.envelopes, files._session.call, []
        files._session.call = lambda *args, **options: calls.append(options["doing"]) or call(*args, **options)
        result = windows_files_report(files, {**DEFAULTS, **NO_SHARE, "paths": [FOLDER]})
    print(f"\n200 files: {len(calls)} requests, {wire.envelopes - before} envelopes, {wire.bytes / 1e6:.1f} MB")
    assert len(result["files"]) == 200 and not any(file["problems"] for file in result["files"])
    assert len(calls) <= 10 and wire.envelopes - before <= 20
