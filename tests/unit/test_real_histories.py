"""The command that asks the restore planner about recorded histories: what it reads, and that it finds what is wrong."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import real_histories
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.planner import Plan
from backup_file_builder import build, chain
from real_histories import Tally, ask_everything, ask_mixed, histories_of, main, read_recording

BEGIN = datetime(2024, 5, 6, 10)
CHAIN = [(1, 10, 20, 0), (2, 10, 30, 10), (2, 30, 40, 20), (5, 41, 45, 25), (2, 40, 50, 30)]
WORDS = {1: "Database", 2: "Transaction Log", 5: "Database Differential"}


def recording(folder: Path, name: str = "some.json") -> Path:
    """As PowerShell 5.1 writes a history into JSON."""
    entries = []
    for number, (kind, first, last, minute) in enumerate(CHAIN):
        milliseconds = int((BEGIN + timedelta(minutes=minute) - datetime(1970, 1, 1)).total_seconds()) * 1000
        entries.append(
            {
                "Database": "PRS ",
                "SqlInstance": "SQL1",
                "Type": WORDS[kind],
                "BackupSetId": f"{number}-{name}",
                "FirstLsn": first,
                "LastLsn": last,
                "CheckpointLsn": first,
                "DatabaseBackupLsn": 10,
                "Start": f"/Date({milliseconds})/",
                "End": f"/Date({milliseconds})/",
            }
        )
    path = folder / name
    path.write_text(json.dumps(entries), encoding="utf-16")
    return path


def test_a_recording_is_read_as_headers(tmp_path: Path):
    rows = read_recording(recording(tmp_path))
    assert [(row["BackupType"], row["FirstLSN"], row["LastLSN"]) for row in rows] == [entry[:3] for entry in CHAIN]
    assert rows[1]["BackupStartDate"] == BEGIN + timedelta(minutes=10)


def test_an_export_of_powershell_is_read_as_headers(tmp_path: Path):
    path = tmp_path / "some.xml"
    path.write_text(
        '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><Obj RefId="0"><Props>'
        '<S N="Database">PRS</S><S N="Type">Full</S><S N="BackupSetId">1</S><DT N="Start">2024-05-06T10:00:00</DT>'
        '<DT N="End">2024-05-06T10:00:00</DT><Obj N="LastLsn" RefId="1"><ToString>20</ToString></Obj>'
        "</Props></Obj></Objs>",
        encoding="utf-16",
    )
    [row] = read_recording(path)
    assert (row["BackupType"], row["LastLSN"], row["BackupStartDate"]) == (1, 20, BEGIN)


def test_backup_files_of_one_folder_are_a_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "estate"
    folder.mkdir()
    for number, backup_set in enumerate(chain()):
        (folder / f"{number}.bak").write_bytes(build([backup_set], media=f"{number:032x}"))
    (folder / "broken.trn").write_bytes(b"no backup at all")
    [(name, catalog)] = histories_of(tmp_path).items()
    assert (name, [entry.kind for entry in catalog.sets]) == ("estate", ["full", "log", "log", "log"])
    assert "broken.trn is left out" in capsys.readouterr().out
    assert main([str(tmp_path)]) == 0


def test_all_is_asked_and_nothing_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    recording(tmp_path)
    assert main([str(tmp_path)]) == 0
    assert "0 answers that the brute force does not give" in capsys.readouterr().out
    tally = Tally()
    [catalog] = histories_of(tmp_path).values()
    ask_everything("some", catalog, tally)
    ask_mixed({"some": catalog}, tally)
    assert tally.asked > 200


def test_a_wrong_answer_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """A planner that forgets the last log."""
    honest = real_histories.plan_restore

    def forgetful(*arguments: object, **more: object) -> object:
        answer = honest(*arguments, **more)
        if isinstance(answer, Plan) and len(answer.steps) > 3:
            answer.steps = [*answer.steps[:-2], answer.steps[-1]]
        return answer

    monkeypatch.setattr(real_histories, "plan_restore", forgetful)
    recording(tmp_path)
    assert main([str(tmp_path)]) == 1
    assert "WRONG some.json" in capsys.readouterr().out


def test_a_folder_without_histories_is_no_success(tmp_path: Path):
    assert main([str(tmp_path)]) == 1
