"""The options of sql_backup as one object."""

from __future__ import annotations

from dataclasses import fields

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.retention_rules import Rules
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup.options import BackupOptions

PARAMS = {field.name: getattr(BackupOptions(database="PRS"), field.name) for field in fields(BackupOptions)}


def test_words_and_rules_are_understood_once():
    options = BackupOptions.from_params({**PARAMS, "kind": "log", "retention": {"last": 2, "age": None}, "other": 1})
    assert options.kind is BackupKind.LOG and options.retention == Rules(last=2)


def test_an_option_that_the_module_does_not_know_is_no_none():
    with pytest.raises(KeyError, match="verify"):
        BackupOptions.from_params({name: value for name, value in PARAMS.items() if name != "verify"})


def test_a_rule_is_refused_by_the_name_of_its_option():
    with pytest.raises(RecoveryError, match="'copy_retention' needs"):
        BackupOptions.from_params({**PARAMS, "copy_retention": {"last": 0}})


@pytest.mark.parametrize(
    ("asked", "of_windows"),
    [({}, True), ({"manifest_beside": "false"}, False), ({"manifest_beside": "false", "stage_path": "D:\\x"}, True)],
)
def test_windows_is_asked_for_what_sql_server_cannot_do(asked, of_windows):
    assert BackupOptions(database="PRS", **asked).asks_windows is of_windows


def test_slashes_of_windows_paths_are_turned_round_as_msdb_may_do_it():
    asked = {"path": "D:/Backup", "stage_path": "D:\\Stage", "copy_to": "/var/opt/mssql/data"}
    options = BackupOptions.from_params({**PARAMS, **asked})
    assert (options.path, options.stage_path, options.copy_to) == ("D:\\Backup", "D:\\Stage", "/var/opt/mssql/data")
