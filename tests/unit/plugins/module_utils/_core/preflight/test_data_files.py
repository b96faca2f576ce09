"""Data files that outlived their server, as a road back: which of them, what they lack, and what is said of others."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.database_file import inspect_file
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.judgement import judge_files
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.report import database_report, file_report
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.data_files import surviving_files
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.reading import host_facts
from database_files import CHECKSUM, Database, data_file, log_file
from preflight_facts import gathered

DATA, LOG = "E:\\saved\\PasswordResetServer.mdf", "E:\\saved\\PasswordResetServer_log.ldf"
UNCLEAN = Database(status=CHECKSUM)
WRITTEN = {DATA: "2026-02-27T10:00:00+00:00", LOG: "2026-02-28T09:00:00+00:00"}


def found(**contents):
    """What database_file_info says of files, as the role hands it over."""
    files = {}
    for path, content in contents.items():
        files[path] = inspect_file(lambda offset, length, data=content: data[offset : offset + length], len(content))
        files[path].modified = WRITTEN.get(path, "")
    judged = [database_report(database, files) for database in judge_files(files)]
    return {"databases": judged, "files": [file_report(path, file) for path, file in files.items()]}


def surviving(result, **changes):
    changes = {"settings__database": "passwordresetserver", "settings__data_file_folders": ["E:\\saved"], **changes}
    return surviving_files(host_facts(gathered(data_files=result, **changes)))


def test_files_of_one_moment_with_their_log():
    """They have everything until the newest of them was written."""
    content = {DATA: data_file(Database()), LOG: log_file(Database())}
    assert surviving(found(**content)) == [
        {
            "folder": "E:\\saved",
            "attach": "likely",
            "problem": "",
            "point": "2026-02-28T09:00:00+00:00",
            "size": sum(map(len, content.values())),
            "data": [DATA],
            "logs": [LOG],
            "needs": "",
            "use": "",
        }
    ]


LAST_USE = {
    "moment": "2026-02-27T18:00:00", "table": "dbo.tbAudit", "column": "Created", "witness": "stamped",
    "users": {"dbo.tbUser": 212}, "schema_versions": {"dbo.DbVersion": [{"Version": "5.1"}, {"Version": "5.2"}]},
    "unread": {},
}  # fmt: skip


@pytest.mark.parametrize(
    ("last", "clean", "says"),
    [
        (
            LAST_USE,
            True,
            "last used at 2026-02-27T18:00:00 by the application's clock (dbo.tbAudit.Created); 212 rows in "
            "dbo.tbUser; dbo.DbVersion ends with 5.2",
        ),
        (
            {**LAST_USE, "witness": "any", "users": {}, "schema_versions": {}, "unread": {"dbo.t": "too large"}},
            False,
            "last used at 2026-02-27T18:00:00 by the application's clock (dbo.tbAudit.Created, which may be a date of "
            "something planned); 1 table could not be read; what is in the log alone is not counted",
        ),
        (None, True, ""),
    ],
)
def test_what_the_rows_say_is_in_the_plan(last, clean, says):
    told = found(**{DATA: data_file(Database()), LOG: log_file(Database())})
    told["databases"][0] |= {"last_change": last, "clean": clean}
    assert surviving(told)[0]["use"] == says


def test_files_that_were_not_closed_cleanly_come_back_with_their_log():
    [files] = surviving(found(**{DATA: data_file(UNCLEAN), LOG: log_file(UNCLEAN)}))
    assert (files["attach"], files["logs"], files["needs"]) == ("likely", [LOG], "")


def test_a_lost_log_takes_a_yes_and_does_not_make_the_data_newer():
    [files] = surviving(found(**{DATA: data_file(Database())}))
    assert (files["attach"], files["logs"], files["point"]) == ("likely", [], WRITTEN[DATA])
    assert files["needs"] == (
        "their log is gone, and SQL Server makes a new one: nothing is lost if they were closed cleanly, as they say, "
        "which from SQL Server 2019 on proves little"
    )


def test_a_log_of_another_moment_is_left_out():
    later = Database(checkpoint=(0x22, 0x20, 1))
    [files] = surviving(found(**{DATA: data_file(Database()), LOG: log_file(later)}))
    assert (files["logs"], files["point"]) == ([], WRITTEN[DATA])
    assert files["needs"].startswith("their log is newer than the data file, and SQL Server makes a new one")


def test_without_the_log_that_is_needed_it_says_what_to_find():
    [files] = surviving(found(**{DATA: data_file(UNCLEAN)}))
    assert files["attach"] == "impossible"
    assert files["problem"].startswith("it was not closed cleanly, and its log is missing: ")
    assert files["problem"].endswith(
        "Find PasswordResetServer_log (E:\\Log\\PasswordResetServer_log.ldf), put it beside them and run again: what was "
        "committed last is in it"
    )


def test_two_copies_are_two_choices_each_with_its_own_log():
    later = Database(checkpoint=(0x22, 0x20, 1))
    files = {DATA: data_file(Database()), "E:\\saved\\b.mdf": data_file(later), "E:\\saved\\b.ldf": log_file(later)}
    assert [(copy["data"], copy["logs"]) for copy in surviving(found(**files))] == [
        ([DATA], []),
        (["E:\\saved\\b.mdf"], ["E:\\saved\\b.ldf"]),
    ]


def test_damaged_files_say_what_is_wrong():
    content = data_file(Database())
    [files] = surviving(found(**{DATA: content[: len(content) // 2]}))
    assert files["attach"] == "impossible"
    assert "is cut off" in files["problem"] and files["problem"].endswith("Find another copy of them")


def test_files_of_a_newer_server_need_newer_media():
    newer = Database(version=957, created_version=957)
    [files] = surviving(found(**{DATA: data_file(newer), LOG: log_file(newer)}))
    assert files["problem"] == (
        "they need SQL Server 2022 or later, and here it is 15.0.2000.5. Provide newer media (prs_sql_media)"
    )
    [files] = surviving(found(**{DATA: data_file(newer), LOG: log_file(newer)}), settings__sql_build="16.0.1000.6")
    assert files["problem"] == ""


@pytest.mark.parametrize("content", [{}, {DATA: data_file(Database(name="Another"))}, {LOG: log_file(Database())}])
def test_where_somebody_named_a_folder_it_is_said_that_nothing_is_in_it(content):
    assert surviving(found(**content)) == [
        {
            "folder": "E:\\saved",
            "attach": "impossible",
            "problem": "it holds no data files of passwordresetserver",
        }
    ]
    assert surviving(found(**content), settings__data_file_folders=[]) == []


def test_a_folder_that_cannot_be_read():
    [files] = surviving({"failed": True, "msg": "Reading the folder E:\\saved failed"})
    assert files["problem"] == "it cannot be looked into: Reading the folder E:\\saved failed"
    assert surviving({"skipped": True}) == []


CHECKPOINT = 34_0000001600_00001
FORK = "00000000-0000-0000-0000-0000000000fa"
NEWER_BY_TIMES = (
    "that they are newer than the recovery set 20260228T100000Z only their times say, which a program that "
)


@pytest.mark.parametrize(
    ("last", "proven"),
    [
        ({"last_lsn": CHECKPOINT}, True),
        ({"last_lsn": CHECKPOINT + 1}, False),
        ({"last_lsn": CHECKPOINT, "last_fork": "another"}, False),
        ({"last_lsn": CHECKPOINT + 9, "kind": "full", "first_lsn": CHECKPOINT - 9}, True),
        ({"last_lsn": CHECKPOINT + 9, "kind": "full", "first_lsn": CHECKPOINT + 1}, False),
        ({"last_lsn": CHECKPOINT + 9, "first_lsn": CHECKPOINT - 9}, False),
    ],
)
def test_files_that_do_not_know_of_the_last_backup_are_taken_for_newer_by_a_yes_alone(last, proven):
    result = found(**{DATA: data_file(Database()), LOG: log_file(Database())})
    row = result["databases"][0]
    row |= {"checkpoint_lsn": CHECKPOINT, "full_backup_lsn": CHECKPOINT, "recovery_fork_guid": FORK}
    link = {"kind": "log", "first_lsn": 0, "last_fork": FORK, **last}
    [files] = surviving(result, choice__chosen__chain=[link])
    assert files["needs"].startswith(NEWER_BY_TIMES) == (not proven)
    [files] = surviving(result, choice__problem="no set", choice__chosen__chain=[link])
    assert files["needs"] == ""
