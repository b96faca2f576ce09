"""database_file_info over WinRM: the same report as on the control node, of a host's folders and of a share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._backup_files.data_files import (
    control_node_files_report,
    refuse_wishes,
    windows_files_report,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from database_files import PAGE, Database, data_file, log_file
from database_rows import INT, NVARCHAR, Built, Stored, database_with, integer, text

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


@pytest.mark.parametrize("wish", [{"check": "pages"}, {"last_change": True}, {"tables": [{"name": "Users"}]}])
def test_what_is_done_on_the_control_node_alone_is_refused(wish: dict[str, Any]) -> None:
    with pytest.raises(RecoveryError, match="control node alone"):
        refuse_wishes({**DEFAULTS, **wish})


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
