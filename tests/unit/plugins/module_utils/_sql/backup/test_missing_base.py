from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup import missing_base as bases
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup.options import BackupOptions
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session

NONE = {"data_files": 1, "differential_bases": 0, "snapshot_bases": 0, "family_guid": "F", "last_log_backup_lsn": None}
BOTH = {"data_files": 2, "differential_bases": 1, "snapshot_bases": 0, "family_guid": "F", "last_log_backup_lsn": 7}
SNAPSHOT = {**BOTH, "snapshot_bases": 1}
INVISIBLE = {
    "data_files": 0,
    "differential_bases": 0,
    "snapshot_bases": 0,
    "family_guid": None,
    "last_log_backup_lsn": None,
}


def asked(kind, known, *, missing_base="full", hours=24, age=None, check_mode=False):
    substitute = None if age is None else {"finished": "2026-03-01T10:00:00", "age": age}
    answers = {bases._BASES: known, bases._SUBSTITUTES: substitute}
    options = BackupOptions(
        database="PRS", kind=BackupKind(kind), missing_base=missing_base, min_full_interval_hours=hours
    )
    session = Session(
        params={},
        check_mode=check_mode,
        progress=Progress(),
    )
    session.connection = SimpleNamespace(
        target=SimpleNamespace(server="sql01"), row=lambda statement, *_values, doing: answers[statement]
    )
    return bases.kind_to_take(session, options, {"name": "PRS", "family_guid": "F"}), session.warnings


@pytest.mark.parametrize(
    ("kind", "known", "taken"),
    [
        ("full", NONE, "full"), ("differential", BOTH, "differential"), ("log", BOTH, "log"), ("differential", NONE, "full"), ("log", NONE, "full"),
        ("log", {**BOTH, "differential_bases": 0}, "log"), ("differential", {**BOTH, "last_log_backup_lsn": None}, "differential"),
        ("differential", SNAPSHOT, "full"), ("log", SNAPSHOT, "log"),
        ("log", INVISIBLE, "log"), ("differential", INVISIBLE, "differential"), ("log", None, "log"),
    ],
)  # fmt: skip
def test_what_is_taken(kind, known, taken):
    found, warnings = asked(kind, known)
    assert found == taken
    assert bool(warnings) == (taken != kind)


@pytest.mark.parametrize(("kind", "number"), [("log", "4214"), ("differential", "3035")])
def test_without_leave_it_is_refused(kind, number):
    with pytest.raises(RecoveryError, match=f"(?s){number}.*kind: full.*missing_base: full"):
        asked(kind, NONE, missing_base="fail")


@pytest.mark.parametrize(
    ("age", "hours", "refused"),
    [(3599, 1, True), (3600, 1, False), (0, 0, False), (86399, 24, True), (86400, 24, False)],
)
def test_once_in_the_time_given(age, hours, refused):
    if refused:
        with pytest.raises(RecoveryError, match=r"already taken instead at 2026-03-01T10:00:00 .*again and again"):
            asked("log", NONE, age=age, hours=hours)
    else:
        assert asked("log", NONE, age=age, hours=hours)[0] == "full"


def test_the_warning_does_not_claim_what_was_not_done():
    assert "would be taken instead" in asked("log", NONE, check_mode=True)[1][0]
    assert "was taken instead" in asked("log", NONE)[1][0]


def test_names_of_sets_stay_apart_however_long_the_database_is_called():
    names = {
        bases.backup_name("x" * 128, BackupKind.FULL, instead)
        for instead in (None, BackupKind.LOG, BackupKind.DIFFERENTIAL)
    }
    assert len(names) == 3 and max(map(len, names)) == 128
    assert bases.backup_name("PRS", BackupKind.LOG) == "PRS log"


def test_a_snapshot_of_other_software_is_no_base():
    with pytest.raises(
        RecoveryError, match=r"a snapshot taken by other backup software.*copy-only.*missing_base: full"
    ):
        asked("differential", SNAPSHOT, missing_base="fail")


def test_a_snapshot_each_night_costs_a_full_backup_each_night_and_never_none():
    kind, (warning,) = asked("differential", SNAPSHOT, age=0)
    assert kind == "full" and "which RESTORE cannot read. A full backup was taken instead. Have that" in warning
