"""What a kind of backup is called, and by whom."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import (
    BackupKind,
    BackupSet,
    backup_set,
    backup_set_from_history,
)

HEADER = {"BackupSetGUID": "g", "BackupStartDate": "2026-03-01T12:00:00"}
HISTORY = {"backup_set_uuid": "g", "backup_start_date": "2026-03-01T12:00:00"}
# Microsoft's tables of RESTORE HEADERONLY (BackupType) and msdb.dbo.backupset (type).
WORDS = [
    (1, "D", "full"),
    (2, "L", "log"),
    (4, "F", "file"),
    (5, "I", "differential"),
    (6, "G", "file_differential"),
    (7, "P", "partial"),
    (8, "Q", "partial_differential"),
]


@pytest.mark.parametrize(("number", "letter", "word"), WORDS)
def test_headers_say_a_kind_by_number_and_the_history_by_letter(number, letter, word):
    assert backup_set({**HEADER, "BackupType": number}).kind is BackupKind(word)
    assert backup_set_from_history({**HISTORY, "type": f"{letter} "}).kind is BackupKind(word)


def test_every_kind_is_in_the_table():
    assert {word for _number, _letter, word in WORDS} == {kind.value for kind in BackupKind}


@pytest.mark.parametrize("kind", BackupKind)
def test_a_kind_is_its_word_wherever_it_is_written(kind):
    assert f"{kind}" == str(kind) == kind.value == json.loads(json.dumps(kind)) == kind


def test_what_needs_others_is_removed_before_what_it_needs():
    assert sorted(BackupKind.taken(), key=lambda kind: kind.removal_order) == ["log", "differential", "full"]


@pytest.mark.parametrize("kind", set(BackupKind) - set(BackupKind.taken()))
def test_a_kind_that_is_not_taken_is_not_restored_either(kind):
    assert kind.value.replace("_", " ") in backup_set({**HEADER, "BackupType": kind.number}).problem


def test_a_set_that_is_read_has_every_field():
    """It is filled field by field; one that is forgotten shows only when somebody asks for it."""
    made = backup_set({**HEADER, "BackupType": 1})
    assert [field.name for field in fields(BackupSet) if not hasattr(made, field.name)] == []
    assert replace(made).to_dict() == made.to_dict()
