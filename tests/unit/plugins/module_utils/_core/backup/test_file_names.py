from __future__ import annotations

import datetime as dt

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.file_names import (
    backup_files,
    is_beside,
    made_since,
    pattern_since,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError

NOON = dt.datetime(2026, 3, 1, 13, 0, 5, 7999, tzinfo=dt.timezone(dt.timedelta(hours=1)))


def files(**changes):
    given = {
        "folder": "D:\\Backup",
        "database": "PRS",
        "server": "SQL01\\PRS",
        "kind": BackupKind.FULL,
        "time": NOON,
        **changes,
    }
    return backup_files(**given)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["D:\\Backup\\PRS_full_20260301T120005007Z.bak"]),
        ({"kind": BackupKind.LOG}, ["D:\\Backup\\PRS_log_20260301T120005007Z.trn"]),
        ({"kind": BackupKind.DIFFERENTIAL}, ["D:\\Backup\\PRS_differential_20260301T120005007Z.dif"]),
        ({"copy_only": True}, ["D:\\Backup\\PRS_full_copy_20260301T120005007Z.bak"]),
        ({"folder": "\\\\files\\backup\\"}, ["\\\\files\\backup\\PRS_full_20260301T120005007Z.bak"]),
        ({"folder": "/var/backup"}, ["/var/backup/PRS_full_20260301T120005007Z.bak"]),
        ({"database": 'a<b>:"/\\|?*c', "template": "{database}.bak"}, ["D:\\Backup\\a_b________c.bak"]),
        ({"template": "{server}-{date}.{extension}"}, ["D:\\Backup\\SQL01_PRS-20260301.bak"]),
        ({"template": "x.bak", "stripes": 2}, ["D:\\Backup\\x_1of2.bak", "D:\\Backup\\x_2of2.bak"]),
        ({"template": "x", "stripes": 2}, ["D:\\Backup\\x_1of2", "D:\\Backup\\x_2of2"]),
        ({"template": "{stripe}.bak", "stripes": 2}, ["D:\\Backup\\1.bak", "D:\\Backup\\2.bak"]),
    ],
)
def test_names(changes, expected):
    assert files(**changes) == expected


@pytest.mark.parametrize(
    ("template", "part"),
    [
        ("{nonsense}.bak", "{database}"),
        ("{0}.bak", "{database}"),
        ("{database", "template"),
        ("{}.bak", "there is no {}"),
        ("{database.__class__}.bak", "there is no {database.__class__}"),
        ("{database:>1000000000}.bak", "{database} has no other form"),
        ("{time!r}.bak", "{time} has no other form"),
        ("sub\\{database}.bak", "must not contain"),
        ("..", "no name of a file"),
        ("nul.bak", "no name of a file"),
        ("x. ", "no name of a file"),
        ("", "no name of a file"),
    ],
)
def test_templates_that_give_no_file_are_refused(template, part):
    with pytest.raises(RecoveryError) as refused:
        files(template=template)
    assert part in str(refused.value)


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("x.bak.manifest.json", True),
        ("X.BAK.MANIFEST.JSON", True),
        ("x.bak.manifest.json.partial", True),
        ("x.bak.manifest.json.removed", True),
        ("PRS.lease.json", True),
        ("PRS.lease.json.draft-0a1b", True),
        ("PRS.lease.json.draft-0a1b.partial", True),
        ("x.bak.unfinished.json", True),
        ("x.bak", False),
        ("x.json", False),
        ("manifest.json.bak", False),
        ("x.bak.partial", False),
    ],
)
def test_what_lies_beside_backups_and_is_none(name, beside):
    assert is_beside(f"D:\\Backup\\{name}") is beside


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("PRS_log_20260301T114500123Z.trn", "PRS_log_20260301T1*"),
        ("PRS_log_20260301T120001000Z.trn", "PRS_log_20260301T12000*"),
        ("PRS_log_20260228T235900000Z.trn", "PRS_log_20260*"),
        ("PRS_log_20260301T120005007Z.trn", "PRS_log_20260301T120005*"),
        ("renamed.trn", ""),
        ("PRS_log_20260301.trn", ""),
    ],
)
def test_where_to_look_for_what_came_since(name, pattern):
    assert pattern_since(name, NOON) == pattern


@pytest.mark.parametrize(
    ("name", "since"),
    [
        ("PRS_log_20260301T114500123Z.trn", True),
        ("prs_LOG_20260301T114500124z.trn", True),
        ("PRS_log_20260301T114500122Z.trn", False),
        ("PRS_full_20260301T120000000Z.bak", False),
        ("PRS_log_20260301T120000000Z.trn.manifest.json", False),
        ("PRS_log.trn", False),
    ],
)
def test_what_came_since(name, since):
    assert made_since(name, "PRS_log_20260301T114500123Z.trn") is since
