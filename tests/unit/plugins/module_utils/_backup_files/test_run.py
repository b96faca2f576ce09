"""Folders of backup files on the control node: what the report says of them."""

from __future__ import annotations

import json
import os
import resource
import time
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._backup_files import control_node
from ansible_collections.prs.recovery.plugins.module_utils._backup_files.control_node import examine_files
from ansible_collections.prs.recovery.plugins.module_utils._backup_files.run import control_node_report
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._progress import ENVIRONMENT, Progress
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.percent import STEP
from backup_file_builder import LOG_FILE, BackupSet, DatabaseFile, build, chain, numbered_guid, page

DEFAULTS: dict[str, Any] = {
    "folders": [], "files": [], "check": "headers", "database": None, "family_guid": None, "recovery_fork": None, "target": None,
    "restore_as": None, "relocate": None, "time_zone": None, "recovery_point_objective": None, "prometheus": False,
    "remote_src": False, "tables": None, "last_change": False,
}  # fmt: skip
LONG_AGO = time.time() - 86400


def ask(**params: Any) -> dict[str, Any]:
    warnings: list[str] = []
    result = control_node_report({**DEFAULTS, **params}, progress=Progress(), warnings=warnings)
    return {**result, "warnings": warnings}


def put(folder: Path, **files: bytes) -> Path:
    """Files of yesterday."""
    for name, data in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (LONG_AGO, LONG_AGO))
    return folder


def states(result: dict[str, Any]) -> dict[str, str]:
    return {os.path.basename(file["path"]): file["state"] for file in result["files"]}


@pytest.fixture
def nightly(tmp_path: Path) -> Path:
    """A full backup in two stripes and three logs, one of them compressed."""
    full, first, second, third = chain(3)
    stripes = {f"full_{number}": build([full], stripes=2, stripe=number) for number in (1, 2)}
    return put(
        tmp_path,
        **stripes,
        log1=build([first], media=numbered_guid(1)),
        deep__log2=build([second], media=numbered_guid(2), packed=True),
        log3=build([third], media=numbered_guid(3)),
    )


def test_a_folder_in_full(nightly: Path):
    result = ask(folders=[str(nightly)], recovery_point_objective=60)
    [database] = result["databases"]
    assert states(result) == dict.fromkeys(("full_1", "full_2", "log1", "log2", "log3"), "whole")
    assert (database["database"], database["server"]) == ("PasswordResetServer", "SQL1\\PRS")
    assert database["recovery_point"] == "2026-03-01T01:03:00+00:00" and database["within_objective"] is False
    assert len(database["chain"]) == 4 and database["gaps"] == [] and len(database["reachable"]) == 1
    assert database["needs"] == {"build": "13.0.4001", "bytes": 10 << 20, "read": 400_000}
    assert database["certificates"] is database["unencrypted"] is None and "TDEThumbprint" in database["not_known"]
    assert sorted(len(item["files"]) for item in result["media"]) == [1, 1, 1, 2]
    assert result["unreadable"] == [] and result["warnings"] == [] and result["checked"] is None
    assert result["changed"] is False


def test_what_is_not_known_is_null_in_the_sets(nightly: Path):
    sets = ask(folders=[str(nightly)])["sets"]
    assert [(entry["kind"], entry["copy_only"]) for entry in sets] == [("full", False)] + [("log", None)] * 3
    assert {entry["encryptor_thumbprint"] for entry in sets} == {None}


def test_a_missing_stripe_and_a_gap_are_told(nightly: Path):
    (nightly / "deep" / "log2").unlink()
    result = ask(folders=[str(nightly)])
    [database] = result["databases"]
    assert len(database["gaps"]) == 1 and database["recovery_point"] == "2026-03-01T01:01:00+00:00"
    (nightly / "full_2").unlink()
    result = ask(folders=[str(nightly)])
    [database] = result["databases"]
    assert database["recovery_point"] is None and database["needs"] is None
    assert any(entry["reason"] == "stripe 2 of 2 is missing" for entry in database["unusable"])
    assert [item["missing"] for item in result["media"] if item["stripes"] == 2] == [[2]]


def test_what_is_wrong_with_files_is_told_one_by_one(tmp_path: Path):
    whole = build([BackupSet(pages=page(1) * 4, log=bytes(40_000))])
    damaged = bytearray(whole)
    damaged[whole.rindex("PasswordResetServer".encode("utf-16-le"))] ^= 1
    put(
        tmp_path, whole=whole, damaged=bytes(damaged), cut=whole[:50_000], text=b"hello", empty=b"", longer=whole + b"x"
    )
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    result = ask(folders=[str(tmp_path)], files=[str(tmp_path / "pipe"), str(tmp_path / "missing.bak")])
    assert states(result) == {
        "whole": "whole", "damaged": "damaged", "cut": "cut_off", "text": "not_a_backup", "empty": "not_a_backup", "longer": "damaged",
        "pipe": "unreadable", "missing.bak": "unreadable",
    }  # fmt: skip
    reasons = {os.path.basename(item["path"]): item["reason"] for item in result["unreadable"]}
    assert "neither TAPE nor MSSQLBAK" in reasons["text"] and reasons["empty"] == "it is empty"
    assert "No such file" in reasons["missing.bak"]
    foreign = {os.path.basename(file["path"]) for file in result["files"] if file["foreign"]}
    assert foreign == {"text", "empty"}
    [database] = result["databases"]
    assert database["recovery_point"] is not None


def test_a_file_that_is_being_written_is_told_from_one_that_is_cut_off(tmp_path: Path):
    data = build([BackupSet(log=bytes(40_000))])[:30_000]
    put(tmp_path, old=data)
    (tmp_path / "fresh").write_bytes(data)
    (tmp_path / "begun").write_bytes(bytes(4096))
    result = ask(folders=[str(tmp_path)])
    assert not any(file["foreign"] for file in result["files"])
    assert states(result) == {
        "old": "cut_off",
        "fresh": "being_written",
        "begun": "being_written",
    }


@pytest.mark.parametrize("check", ["headers", "pages"])
def test_a_sparse_file_takes_no_longer_than_its_ends(tmp_path: Path, check: str):
    """A terabyte of nothing: behind a good head, and as a whole."""
    for name, data in {"headed": build(), "hollow": b""}.items():
        put(tmp_path, **{name: data})
        os.truncate(tmp_path / name, 1 << 40)
        os.utime(tmp_path / name, (LONG_AGO, LONG_AGO))
    begin = time.process_time()
    result = ask(folders=[str(tmp_path)], check=check)
    assert time.process_time() - begin < 2
    assert states(result) == {"headed": "cut_off", "hollow": "not_a_backup"}


@pytest.mark.parametrize("grown", [b"more", b"\0" * 4096])
def test_a_file_that_grows_while_it_is_read_is_told_as_one_that_is_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grown: bytes
):
    put(tmp_path, growing=build([BackupSet(log=bytes(40_000))])[:30_000], quiet=build())
    original = control_node.read_backup_file

    def grow(read: Any, size: int) -> Any:
        if size == 30_000:
            with (tmp_path / "growing").open("ab") as opened:
                opened.write(grown)
            os.utime(tmp_path / "growing", (LONG_AGO, LONG_AGO))
        return original(read, size)

    monkeypatch.setattr(control_node, "read_backup_file", grow)
    assert states(ask(folders=[str(tmp_path)])) == {"growing": "being_written", "quiet": "whole"}


def test_a_name_that_is_no_text_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Linux takes any bytes for a name."""
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "lines"))
    folder = tmp_path / "backup"
    folder.mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xe4.bak")).write_bytes(build())
    result = ask(folders=[str(folder)], check="pages", target="latest")
    assert [step["kind"] for step in result["plan"]["steps"]] == ["full", ""]
    assert json.dumps(result) and "\\udcff" in (tmp_path / "lines").read_text()


@pytest.mark.parametrize("program", ["LiteSpeed", "Red Gate"])
def test_files_of_other_programs_are_told_by_their_names(tmp_path: Path, program: str):
    put(tmp_path, other=b"some other format\0" * 500, whole=build())
    result = ask(folders=[str(tmp_path)])
    assert states(result) == {"other": "not_a_backup", "whole": "whole"}
    assert program in result["unreadable"][0]["reason"]


def test_a_file_is_told_by_its_name_where_its_bytes_tell_nothing(tmp_path: Path):
    for name, data in (
        ("a.SQB", b"some other format\0" * 500),
        ("b.sqb", build()),
        ("c.sqb", b"PK\x03\x04" + bytes(9)),
    ):
        (tmp_path / name).write_bytes(data)
        os.utime(tmp_path / name, (LONG_AGO, LONG_AGO))
    reasons = {Path(entry["path"]).name: entry["reason"] for entry in ask(folders=[str(tmp_path)])["unreadable"]}
    assert reasons.keys() == {"a.SQB", "c.sqb"} and "ZIP" in reasons["c.sqb"]
    assert reasons["a.SQB"].endswith("by its name it is one of SQL Backup (Red Gate), which alone reads it")


@pytest.mark.parametrize("count", [500, pytest.param(100_000, marks=pytest.mark.nightly)])
def test_very_many_files(tmp_path: Path, count: int):
    """Ten copies of each of so many backups of an hour."""
    sets, folder = chain(count // 10 - 1), tmp_path / "many"
    folder.mkdir()
    for number, made in enumerate(sets):
        first = folder / f"{number}_0.trn"
        first.write_bytes(build([made], media=numbered_guid(number + 1)))
        os.utime(first, (LONG_AGO, LONG_AGO))
        for copy in range(1, 10):
            os.link(first, folder / f"{number}_{copy}.trn")
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    result = ask(folders=[str(folder)], target="latest")
    seconds = time.process_time() - begin
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"\n{count} files: {seconds:.1f} s, {grown:.0f} MB more")
    assert len(result["files"]) == count and len(result["plan"]["steps"]) == len(sets) + 1
    assert seconds < 5 + count / 500 and grown < 100 + count / 50


def test_only_the_database_that_is_asked_for(tmp_path: Path):
    put(tmp_path, a=build(), b=build([BackupSet(database="Other", family=numbered_guid(0xFB), guid=numbered_guid(2))]))
    assert len(ask(folders=[str(tmp_path)])["databases"]) == 2
    assert [found["database"] for found in ask(folders=[str(tmp_path)], database="other")["databases"]] == ["Other"]
    assert [
        found["database"] for found in ask(folders=[str(tmp_path)], family_guid=numbered_guid(0xFA))["databases"]
    ] == ["PasswordResetServer"]


def test_content_is_read_when_asked_for_and_damage_keeps_sets_out_of_the_chain(tmp_path: Path):
    full, first, second = chain(2, pages=page(1) + page(2), log=bytes(512))
    data = bytearray(build([full, first], media=numbered_guid(1)))
    data[data.rindex(page(2)) + 4000] ^= 1  # of the log's
    put(tmp_path, both=bytes(data), log=build([second], media=numbered_guid(2), packed=True))
    assert set(states(ask(folders=[str(tmp_path)])).values()) == {"whole"}
    result = ask(folders=[str(tmp_path)], check="pages")
    assert states(result) == {"both": "damaged", "log": "whole"}
    assert [entry["problem"] for entry in result["sets"]] == [
        "",
        "page 1:2 fails its checksum (" + str(tmp_path / "both") + ")",
        "",
    ]
    assert result["checked"]["files"] == 2 and result["checked"]["damaged_files"] == 1
    assert 0 < result["checked"]["share"] < 1 and result["files"][0]["judged"] is not None
    assert len(result["databases"][0]["chain"]) == 1


@pytest.mark.parametrize(("seconds", "lines"), [(0.0, 1), (1.0, 8)])
def test_progress_is_shown_while_a_long_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, lines: int
):
    """400 pages are seven pieces, and each takes some time."""
    put(tmp_path, long=build([BackupSet(pages=page(1) * 400)]))
    clock = count()
    monkeypatch.setattr(control_node.time, "monotonic", lambda: seconds * next(clock))
    [examined] = examine_files([str(tmp_path / "long")], content=True, progress=Progress(path=str(tmp_path / "lines")))
    assert examined.state == "whole"
    shown = (tmp_path / "lines").read_text().splitlines()
    assert shown[0] == f"reading {tmp_path / 'long'} (1 of 1)" and len(shown) == lines
    assert all(line.startswith(f"{shown[0]}: ") and "%" in line for line in shown[1:])


# Plans


def test_a_plan_with_its_statements(nightly: Path):
    plan = ask(folders=[str(nightly)], target="latest")["plan"]
    stripes = [str(nightly / "full_1"), str(nightly / "full_2")]
    statements = [step["statement"] for step in plan["steps"]]
    assert len(statements) == 5 and plan["build_needed"] == "13.0.4001"
    assert statements[0] == (
        f"RESTORE DATABASE [PasswordResetServer] FROM DISK = N'{stripes[0]}', DISK = N'{stripes[1]}' "
        f"WITH FILE = 1, NORECOVERY, CHECKSUM, STATS = {STEP}"
    )
    assert [statement.split(" FROM ")[0] for statement in statements[1:4]] == ["RESTORE LOG [PasswordResetServer]"] * 3
    assert statements[4] == "RESTORE DATABASE [PasswordResetServer] WITH RECOVERY"
    assert plan["space_needed"] == {"D:": 8 << 20, "L:": 2 << 20}
    assert any("encrypted (TDE)" in note for note in plan["notes"])


def test_a_plan_under_another_name_and_in_other_folders(nightly: Path):
    relocate = {"data_dir": "E:\\Data", "log_dir": "F:\\Log"}
    plan = ask(folders=[str(nightly)], target="latest", restore_as="Copy", relocate=relocate)["plan"]
    assert (
        "MOVE N'prs' TO N'E:\\Data\\Copy_prs.mdf', MOVE N'prs_log' TO N'F:\\Log\\Copy_prs_log.ldf'"
        in plan["steps"][0]["statement"]
    )
    plan = ask(folders=[str(nightly)], target="latest", relocate=relocate)["plan"]
    assert "MOVE N'prs' TO N'E:\\Data\\prs.mdf'" in plan["steps"][0]["statement"]


def test_a_plan_to_a_time_stops_in_the_source_servers_time(nightly: Path):
    plan = ask(folders=[str(nightly)], target="2026-03-01T01:01:30Z")["plan"]
    assert "STOPAT = N'2026-03-01T02:01:30.000'" in plan["steps"][-2]["statement"]


def test_a_backup_that_ran_while_the_clock_was_set_back_is_used(tmp_path: Path):
    """In autumn: it began at 02:58 and ended at 02:03."""
    night = BackupSet(time_zone=8, started=datetime(2026, 10, 25, 2, 58), finished=datetime(2026, 10, 25, 2, 3, 0))
    put(tmp_path, autumn=build([night]))
    result = ask(folders=[str(tmp_path)], target="latest")
    assert states(result) == {"autumn": "whole"} and len(result["plan"]["steps"]) == 2


def test_no_plan_is_no_failure(tmp_path: Path):
    put(tmp_path, log=build(chain(1)[1:]))
    result = ask(folders=[str(tmp_path)], target="latest")
    assert result["plan"] is None and result["refusal"]["code"] == "no_full"


def test_from_2019_on_a_plan_takes_the_lsns_of_the_end(tmp_path: Path):
    """By those of the start the log would not fit to the full backup."""
    full, log = chain(1, version=(15, 0, 2000))
    full.provisional = (1_0000000001_00001, 2_0000000001_00001, 1_0000000001_00037)
    put(tmp_path, full=build([full], media=numbered_guid(1)), log=build([log], media=numbered_guid(2)))
    plan = ask(folders=[str(tmp_path)], target="latest")["plan"]
    assert [step["kind"] for step in plan["steps"]] == ["full", "log", ""]


# Wishes


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "Neither 'folders' nor 'files' is given"),
        ({"folders": ["/no/such/folder"]}, "cannot be looked into"),
        ({"files": ["/x"], "time_zone": "Nowhere/Here"}, "does not know the time zone"),
        ({"files": ["/x"], "target": "yesterday"}, "target is 'yesterday'"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_read(params: dict[str, Any], message: str):
    with pytest.raises(RecoveryError, match=message):
        ask(**params)


def test_unknown_time_zones_are_warned_of_and_can_be_told(tmp_path: Path):
    put(tmp_path, full=build([BackupSet(time_zone=127)]))
    result = ask(folders=[str(tmp_path)])
    assert "do not tell" in result["warnings"][0].replace("backup does not", "backups do not")
    assert result["databases"][0]["recovery_point"] == "2026-03-01T02:00:05+00:00"
    result = ask(folders=[str(tmp_path)], time_zone="Europe/Berlin")
    assert result["warnings"] == [] and result["databases"][0]["recovery_point"] == "2026-03-01T01:00:05+00:00"


def test_what_lies_beside_backups_is_left_out(tmp_path: Path):
    put(tmp_path, full=build())
    (tmp_path / "full.bak.manifest.json").write_text("{}")
    assert [os.path.basename(file["path"]) for file in ask(folders=[str(tmp_path)])["files"]] == ["full"]


def test_metrics(nightly: Path):
    text = ask(folders=[str(nightly)], prometheus=True)["prometheus"]
    assert 'prs_backup_recoverable{database="PasswordResetServer"' in text and "prs_backup_unreadable_files" in text


def test_files_of_filestream_do_not_stop_a_plan(tmp_path: Path):
    made = BackupSet(
        files=(DatabaseFile(), LOG_FILE, DatabaseFile(logical_name="docs", physical_name="D:\\Docs", type=3, file_id=3))
    )
    put(tmp_path, full=build([made]))
    assert ask(folders=[str(tmp_path)], target="latest")["plan"] is not None
