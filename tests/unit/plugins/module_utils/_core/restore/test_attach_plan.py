from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.attach_plan import (
    PrimaryFile,
    RecordedFile,
    already_attached,
    plan_attach,
)

MDF, NDF, LDF = "D:\\Data\\PRS.mdf", "D:\\Data\\PRS2.ndf", "E:\\Log\\PRS.ldf"
FILES = [RecordedFile(name="PRS", path=MDF, is_log=False), RecordedFile(name="PRS_log", path=LDF, is_log=True)]
SECOND = RecordedFile(name="PRS2", path=NDF, is_log=False)


def plan(*, data=(MDF,), logs=(), files=FILES, exists=(MDF, LDF), version=904, here=904, told=True):
    primary = PrimaryFile(database="PRS", version=version, files=files) if told else None
    return plan_attach(data=data, logs=logs, primary=primary, exists=exists, server_version=here)


@pytest.mark.parametrize(
    ("given", "files", "rebuild"),
    [
        ({"logs": [LDF]}, (MDF, LDF), False),
        ({}, (MDF, LDF), False),  # the log is where it was
        ({"exists": [MDF]}, (MDF,), True),
        ({"told": False, "exists": [MDF]}, (MDF,), False),  # nobody knows: the server decides
        ({"logs": ["F:\\moved.ldf"], "exists": [MDF, "f:\\MOVED.ldf"]}, (MDF, "F:\\moved.ldf"), False),
        ({"files": [*FILES, SECOND], "exists": [MDF, NDF, LDF]}, (MDF, LDF), False),  # the server finds it where it was
        (
            {"files": [*FILES, SECOND], "data": [MDF, "F:\\prs2.NDF"], "exists": [MDF, "F:\\prs2.NDF", LDF]},
            (MDF, "F:\\prs2.NDF", LDF),
            False,
        ),
    ],
)
def test_which_files(given, files, rebuild):
    made = plan(**given)
    assert (made.files, made.rebuild_log) == (files, rebuild)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"exists": []}, "There is no file .*PRS.mdf"),
        ({"logs": [LDF], "exists": [MDF]}, "leave out 'log_files'"),
        ({"files": [*FILES, SECOND]}, "data file PRS2"),
        ({"version": 957}, "newer SQL Server"),
    ],
)
def test_what_cannot_work(given, message):
    with pytest.raises(RecoveryError, match=message):
        plan(**given)


def test_what_is_done_for_good_is_said():
    assert any("upgrades" in note for note in plan(version=869).notes)
    assert any("full backup" in note for note in plan(exists=[MDF]).notes)
    assert plan().notes == []


def test_files_that_are_open_already():
    there = [{"path": MDF.upper(), "type": "ROWS"}, {"path": LDF, "type": "LOG"}]
    assert (
        already_attached(there, [MDF])
        and not already_attached(there, [NDF])
        and not already_attached(there, [MDF, NDF])
    )
