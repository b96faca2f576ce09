"""What the backup files say where no SQL Server can answer: sentences of the plan, and problems."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.backup_files import (
    CHECKS,
    notes,
    recovery_point,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.backups import backup_of_newer_server
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.facts import missing
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.plan import restored_database
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.reading import host_facts
from preflight_facts import ANSWERED, INSTALLED, gathered

GB = 1 << 30
SHARE = "\\\\files\\backup\\database"
PLAN: dict[str, Any] = {
    "recovery_point": {"time": "2026-02-28T10:00:00+00:00"},
    "bytes": 3 << 20,
    "space_needed": {"D:": GB // 2, "L:": 1 << 20},
    "build_needed": "15.0.2000",
    "source": {"server": "SQL-A", "database": "PasswordResetServer"},
    "steps": [
        {"devices": ["a", "b"], "finished": "2026-02-28T09:00:00+00:00"},
        {"devices": ["c"], "finished": "2026-02-28T10:00:00+00:00"},
        {"devices": [], "finished": None},
    ],
}
WHOLE = {"path": f"{SHARE}\\a.bak", "state": "whole", "problems": []}
CUT = {"path": f"{SHARE}\\b.trn", "state": "cut_off", "problems": ["it has no end", "and no middle"]}
SECRET = {"path": f"{SHARE}\\c.bak", "state": "not_a_backup", "problems": ["it is encrypted"]}
STRAY = {"path": f"{SHARE}\\job.log", "state": "not_a_backup", "problems": ["it is text"], "foreign": True}
STRANGE = {"path": f"{SHARE}\\d.bak", "state": "damaged", "problems": ["a record of an unknown shape"]}
YOUNG = {"path": f"{SHARE}\\e.bak", "state": "being_written", "problems": ["it is being written"]}
REFUSAL = {"code": "no_full", "message": "There is no full backup"}
CONTENTS = (
    "the backup files themselves say: recovery point 2026-02-28T10:00:00 UTC, 2 backups of SQL-A, in up to 2 stripes, "
    "made by SQL Server 15.0.2000; 3.0 MB to read, room for 512.0 MB on D: and 1.0 MB on L:"
)


def read(*files: dict[str, Any], plan: dict[str, Any] | None = None, refusal: dict[str, Any] | None = None):
    return {**ANSWERED, "files": list(files or (WHOLE,)), "plan": plan, "refusal": refusal}


def facts(backup_files: dict[str, Any], **changes: Any):
    return host_facts(gathered(backup_files=backup_files, **changes))


def lies(what: str) -> str:
    return f"NOTE: the manifest of recovery set 20260228T100000Z is wrong: it says {what}"


@pytest.mark.parametrize(
    ("backup_files", "changes", "said"),
    [
        pytest.param(read(plan=PLAN), {}, [CONTENTS], id="all agrees"),
        pytest.param({"skipped": True}, {}, [], id="SQL Server answered"),
        pytest.param(
            {"failed": True, "msg": "access is denied"},
            {},
            ["NOTE: the backups could not be read without a SQL Server: access is denied"],
            id="not read",
        ),
        pytest.param(
            read(WHOLE, CUT, plan=PLAN), {}, [CONTENTS, "NOTE: b.trn: it has no end; and no middle"], id="one breaks off"
        ),
        pytest.param(
            read(WHOLE, SECRET, plan=PLAN),
            {},
            [CONTENTS, "NOTE: c.bak is left to SQL Server: it is encrypted"],
            id="one that nobody can read",
        ),
        pytest.param(
            read(*[CUT] * 7, plan=PLAN),
            {},
            [CONTENTS, *["NOTE: b.trn: it has no end; and no middle"] * 5,
             "NOTE: and 2 files more; backup_file_info names all"],
            id="many",
        ),
        pytest.param(
            read(SECRET, refusal=REFUSAL),
            {},
            ["NOTE: c.bak is left to SQL Server: it is encrypted",
             "NOTE: what could be read cannot bring back the database: There is no full backup"],
            id="what cannot be read may hold it",
        ),
        pytest.param(read(CUT, refusal=REFUSAL), {}, ["NOTE: b.trn: it has no end; and no middle"], id="a problem"),
        pytest.param(
            read(plan=PLAN),
            {"choice__chosen__recovery_point": "2026-02-28T10:00:02+00:00"},
            [CONTENTS, lies("its last backup ended at 2026-02-28T10:00:02Z, the backup files say 2026-02-28T10:00:00Z")],
            id="another time",
        ),
        pytest.param(
            read(plan=PLAN),
            {"choice__chosen__recovery_point": "2026-02-28T09:00:02+00:00",
             "choice__chosen__target": "2026-02-28T09:00:02+00:00"},
            [CONTENTS],
            id="a moment that was asked for",
        ),
        pytest.param(
            read(plan=PLAN),
            {"choice__chosen__build": "14.0.1.2"},
            [CONTENTS, lies("it was made by SQL Server 14.0.1.2, the backup files say 15.0.2000")],
            id="another build",
        ),
        pytest.param(
            read(plan=PLAN),
            {"choice__chosen__server": "SQL-B"},
            [CONTENTS, lies("it was taken on SQL-B, the backup files say SQL-A")],
            id="another server",
        ),
        pytest.param(
            read(plan=PLAN), {"choice__chosen__server": "SQL-B", "choice__chosen__label": ""}, [CONTENTS], id="no manifest"
        ),
        pytest.param(
            read(WHOLE, SECRET, plan=PLAN),
            {"choice__chosen__recovery_point": "2026-02-28T10:00:02+00:00"},
            [CONTENTS, "NOTE: c.bak is left to SQL Server: it is encrypted"],
            id="the manifest may speak of what cannot be read",
        ),
        pytest.param(
            read(WHOLE, STRAY, plan=PLAN),
            {"choice__chosen__build": "14.0.1.2"},
            [CONTENTS, "NOTE: job.log: it is text", lies("it was made by SQL Server 14.0.1.2, the backup files say 15.0.2000")],
            id="what is surely no backup hides no lie",
        ),
        pytest.param(
            read(CUT, refusal=REFUSAL),
            {"instance__result": INSTALLED},
            ["NOTE: b.trn: it has no end; and no middle",
             "NOTE: what could be read cannot bring back the database: There is no full backup"],
            id="an instance that is there",
        ),
        pytest.param(
            read(*[CUT] * 5, plan=PLAN), {}, [CONTENTS, *["NOTE: b.trn: it has no end; and no middle"] * 5], id="just not many"
        ),
        pytest.param(
            read(plan=PLAN), {"choice__chosen__recovery_point": "2026-02-28T10:00:01+00:00"}, [CONTENTS], id="the same second"
        ),
        pytest.param(read(plan=PLAN), {"choice__chosen__recovery_point": ""}, [CONTENTS], id="a manifest without a time"),
        pytest.param(read(plan=PLAN), {"choice__chosen__build": ""}, [CONTENTS], id="a manifest without a build"),
        pytest.param(read(plan=PLAN), {"choice__chosen__server": ""}, [CONTENTS], id="a manifest without a server"),
        pytest.param(read(plan={**PLAN, "build_needed": ""}), {"choice__chosen__build": "14.0.1.2"},
                     [CONTENTS.replace("15.0.2000", "")], id="files without a build"),
    ],
)  # fmt: skip
def test_what_the_plan_says(backup_files, changes, said):
    assert list(notes(facts(backup_files, **changes))) == said


@pytest.mark.parametrize(
    ("backup_files", "changes", "said"),
    [
        pytest.param(read(plan=PLAN), {}, [], id="nothing"),
        pytest.param(
            read(CUT, refusal=REFUSAL),
            {},
            ["the backups cannot bring back the database: There is no full backup"],
            id="refused",
        ),
        pytest.param(
            read(CUT, STRAY, refusal=REFUSAL),
            {},
            ["the backups cannot bring back the database: There is no full backup"],
            id="refused beside what is surely no backup",
        ),
        pytest.param(read(CUT, SECRET, refusal=REFUSAL), {}, [], id="what cannot be read may hold it"),
        pytest.param(read(STRANGE, refusal=REFUSAL), {}, [], id="what only our reader calls damaged may hold it"),
        pytest.param(read(YOUNG, refusal=REFUSAL), {}, [], id="what is young by some clock may hold it"),
        pytest.param(
            read(CUT, refusal=REFUSAL), {"instance__result": INSTALLED}, [], id="an instance may have the database still"
        ),
        pytest.param(
            read(plan={**PLAN, "space_needed": {"d:": 3 * GB, "L:": GB}}),
            {},
            ["has 1.0 GB free on D:, the files of the database need 3.0 GB there. Make room, or name other folders in "
             "prs_sql_data_dir and prs_sql_log_dir."],
            id="no room",
        ),
        pytest.param(
            read(plan={**PLAN, "space_needed": {"D:": 3 * GB}}), {"windows__result__mounted_bytes": {"D:\\Data": 4 * GB}},
            [], id="volumes in folders have room",
        ),
        pytest.param(
            read(plan={**PLAN, "space_needed": {"D:": 9 * GB}}), {"windows__result__mounted_bytes": {"d:\\data": 4 * GB}},
            ["has 5.0 GB free on D: and d:\\data, the files of the database need 9.0 GB there. Make room, or name other "
             "folders in prs_sql_data_dir and prs_sql_log_dir."],
            id="no room on the drive and the volume in a folder of it",
        ),
        pytest.param(
            read(plan={**PLAN, "space_needed": {"D:": 3 * GB}}),
            {"settings__sql_folders": ["D:\\m\\data", "D:\\m\\log", ""],
             "windows__result__mounted_bytes": {"D:\\m": 2 * GB, "D:\\mm": 9 * GB}},
            ["has 2.0 GB free on D:\\m, the files of the database need 3.0 GB there. Make room, or name other folders in "
             "prs_sql_data_dir and prs_sql_log_dir."],
            id="no room on the volume in a folder",
        ),
        pytest.param(
            read(plan={**PLAN, "space_needed": {"D:": 3 * GB}}), {"settings__sql_folders": ["", "", ""]}, [],
            id="nobody knows the drive",
        ),
        pytest.param(
            read(plan={**PLAN, "space_needed": {"D:": 3 * GB}}), {"instance__result": INSTALLED}, [], id="not installed"
        ),
    ],
)  # fmt: skip
def test_what_stops_a_run(backup_files, changes, said):
    found = facts(backup_files, **changes)
    assert [sentence for check in CHECKS for sentence in check(found)] == said


def test_a_recovery_point_is_known_where_all_files_could_be_read():
    assert recovery_point(facts(read(WHOLE, CUT, plan=PLAN))) == PLAN["recovery_point"]["time"]
    assert recovery_point(facts(read(WHOLE, STRAY, plan=PLAN))) == PLAN["recovery_point"]["time"]
    assert recovery_point(facts(read(WHOLE, SECRET, plan=PLAN))) == ""
    assert recovery_point(facts({"failed": True, "msg": "access is denied"})) == ""


def test_room_that_is_just_enough_is_enough():
    found = facts(read(plan={**PLAN, "space_needed": {"D:": GB}}))
    assert [sentence for check in CHECKS for sentence in check(found)] == []


def test_a_fact_that_was_not_gathered_is_the_roles_affair():
    problem = missing("backup_files")
    assert problem.code == "option_invalid" and "give it as _preflight_facts does" in str(problem)


def test_the_files_go_before_the_manifest():
    earlier = {**PLAN, "recovery_point": {"time": "2026-02-28T08:00:00+00:00"}, "build_needed": "16.0.1000"}
    found = facts(read(plan=earlier))
    assert restored_database(found).endswith("; recovery point 2026-02-28T08:00:00 UTC")
    (problem,) = backup_of_newer_server(found)
    assert "made by SQL Server 16.0.1000" in problem


def test_a_report_without_its_parts_is_an_error():
    with pytest.raises(RecoveryError, match="backup_files was not gathered"):
        host_facts(gathered(backup_files=None))


LINK = {
    "set_guid": "{0000000A-0000-0000-0000-000000000001}", "kind": "full", "files": [f"{SHARE}\\A.bak"], "first_lsn": 1, "last_lsn": 2,
    "first_fork": "f1", "last_fork": "f1", "differential_base_guid": "", "sha256": None,
}  # fmt: skip
SET = {
    **LINK,
    "guid": "0000000a-0000-0000-0000-000000000001",
    "files": [f"{SHARE}\\a.bak"],
    "differential_base_guid": None,
}


@pytest.mark.parametrize(
    ("link", "stored", "says"),
    [
        ({}, {}, []),
        ({"first_lsn": 7}, {}, ["FirstLSN of A.bak is 7, the backup files say 1"]),
        ({}, {"last_lsn": 9}, ["LastLSN of A.bak is 2, the backup files say 9"]),
        ({"kind": "differential"}, {}, ["the kind of A.bak is differential, the backup files say full"]),
        ({"last_fork": "f2"}, {}, ["RecoveryForkID of A.bak is f2, the backup files say f1"]),
        ({"first_fork": "f2"}, {}, ["FirstRecoveryForkID of A.bak is f2, the backup files say f1"]),
        ({"differential_base_guid": "b"}, {}, []),
        ({"differential_base_guid": "b"}, {"differential_base_guid": "c"},
         ["DifferentialBaseGUID of A.bak is b, the backup files say c"]),
        ({}, {"guid": "0000000b-0000-0000-0000-000000000002", "first_lsn": 9},
         ["A.bak holds the set 0000000a-0000-0000-0000-000000000001, the backup files say 0000000b-0000-0000-0000-000000000002"]),
        ({}, {"files": [f"{SHARE}\\other.bak"], "first_lsn": 9}, []),
        ({}, {"first_lsn": None, "last_lsn": 0}, []),
    ],
)  # fmt: skip
def test_what_a_manifest_says_of_a_backup_is_held_against_its_file(link: dict, stored: dict, says: list[str]):
    answer = {**read(plan=PLAN), "sets": [{**SET, **stored}]}
    assert [*notes(facts(answer, choice__chosen__chain=[{**LINK, **link}]))] == [CONTENTS, *map(lies, says)]
