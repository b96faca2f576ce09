"""The T-SQL that this collection writes: exact texts, and Microsoft's own parser as the judge of all of them."""

from __future__ import annotations

import datetime as dt

import judge_tsql
import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind, Copy
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.attach_plan import AttachPlan
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.plan import Step, Stop
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup import missing_base as bases
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup import pruning
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup import statements as backups
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup.statements import backup_statement
from ansible_collections.prs.recovery.plugins.module_utils._sql.catalog import history
from ansible_collections.prs.recovery.plugins.module_utils._sql.catalog.verification import verify_statement
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance import backup_encryption as encryption
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance import databases, locks, logins, server
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore.attach import attach_statement
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore.statements import (
    restore_statement,
    tail_statement,
)
from hypothesis import given, settings
from hypothesis import strategies as st

BACKUP = {"database": "PRS", "kind": BackupKind.FULL, "files": ["D:\\x.bak"]}
REST = "NOFORMAT, NOINIT, CHECKSUM, STATS = 5"


@pytest.fixture(scope="module")
def judge():
    if judge_tsql.available():
        pytest.skip(judge_tsql.available())
    return judge_tsql.Judge()


BACKUPS = [
    ({}, f"BACKUP DATABASE [PRS] TO DISK = N'D:\\x.bak' WITH {REST}"),
    ({"kind": BackupKind.LOG}, f"BACKUP LOG [PRS] TO DISK = N'D:\\x.bak' WITH {REST}"),
    ({"kind": BackupKind.DIFFERENTIAL}, f"BACKUP DATABASE [PRS] TO DISK = N'D:\\x.bak' WITH DIFFERENTIAL, {REST}"),
    ({"copy_only": True}, f"BACKUP DATABASE [PRS] TO DISK = N'D:\\x.bak' WITH COPY_ONLY, {REST}"),
    ({"files": ["a", "b"]}, f"BACKUP DATABASE [PRS] TO DISK = N'a', DISK = N'b' WITH {REST}"),
    ({"database": "a]b'c", "files": ["it's"]}, f"BACKUP DATABASE [a]]b'c] TO DISK = N'it''s' WITH {REST}"),
    (
        {"compression": True},
        "BACKUP DATABASE [PRS] TO DISK = N'D:\\x.bak' WITH NOFORMAT, NOINIT, COMPRESSION, CHECKSUM, STATS = 5",
    ),
    (
        {"compression": False},
        "BACKUP DATABASE [PRS] TO DISK = N'D:\\x.bak' WITH NOFORMAT, NOINIT, NO_COMPRESSION, CHECKSUM, STATS = 5",
    ),
    ({"checksum": False}, "BACKUP DATABASE [PRS] TO DISK = N'D:\\x.bak' WITH NOFORMAT, NOINIT, NO_CHECKSUM, STATS = 5"),
    ({"overwrite": True}, "BACKUP DATABASE [PRS] TO DISK = N'D:\\x.bak' WITH FORMAT, INIT, CHECKSUM, STATS = 5"),
    (
        {"files": ["a", "b"], "mirror": ["c", "d"]},
        (
            "BACKUP DATABASE [PRS] TO DISK = N'a', DISK = N'b' MIRROR TO DISK = N'c', DISK = N'd' WITH FORMAT, INIT, "
            "CHECKSUM, STATS = 5"
        ),
    ),
    (
        {"encryption": {"certificate": "it]s", "algorithm": "aes_256"}},
        "BACKUP DATABASE [PRS] TO DISK = N'D:\\x.bak' WITH NOFORMAT, NOINIT, "
        "ENCRYPTION (ALGORITHM = AES_256, SERVER CERTIFICATE = [it]]s]), CHECKSUM, STATS = 5",
    ),
    (
        {"encryption": {"certificate": "c", "algorithm": "triple_des_3key"}, "overwrite": True},
        "BACKUP DATABASE [PRS] TO DISK = N'D:\\x.bak' WITH FORMAT, INIT, "
        "ENCRYPTION (ALGORITHM = TRIPLE_DES_3KEY, SERVER CERTIFICATE = [c]), CHECKSUM, STATS = 5",
    ),
    (
        {"name": "n", "description": "d"},
        (
            "BACKUP DATABASE [PRS] TO DISK = N'D:\\x.bak' WITH NOFORMAT, NOINIT, NAME = N'n', DESCRIPTION = N'd', "
            "CHECKSUM, STATS = 5"
        ),
    ),
]


@pytest.mark.parametrize(("options", "text"), BACKUPS)
def test_no_option_of_a_backup_is_dropped(options, text, judge):
    assert backup_statement(**{**BACKUP, **options}) == text
    assert judge.statements(text) == [
        "BackupTransactionLogStatement" if "BACKUP LOG" in text else "BackupDatabaseStatement"
    ]


def log(**changes):
    return Step(
        **{
            "action": "log",
            "kind": "log",
            "copies": (Copy(stripes=("a", "b"), position=2),),
            "checksum": True,
            **changes,
        }
    )


MOMENT = dt.datetime(2026, 3, 1, 14, 30, 5, 123999)
FROM = "FROM DISK = N'a', DISK = N'b' WITH FILE = 2, NORECOVERY"
RESTORES = [
    (log(), {}, f"RESTORE LOG [PRS] {FROM}, CHECKSUM, STATS = 5"),
    (
        log(checksum=False, continue_after_error=True),
        {},
        f"RESTORE LOG [PRS] {FROM}, NO_CHECKSUM, CONTINUE_AFTER_ERROR, STATS = 5",
    ),
    (
        log(stop=Stop(kind="time", time=MOMENT)),
        {},
        f"RESTORE LOG [PRS] {FROM}, STOPAT = N'2026-03-01T14:30:05.123', CHECKSUM, STATS = 5",
    ),
    (log(stop=Stop(kind="lsn", lsn=7)), {}, f"RESTORE LOG [PRS] {FROM}, STOPATMARK = N'lsn:7', CHECKSUM, STATS = 5"),
    (
        log(stop=Stop(kind="lsn", lsn=7, before=True)),
        {},
        f"RESTORE LOG [PRS] {FROM}, STOPBEFOREMARK = N'lsn:7', CHECKSUM, STATS = 5",
    ),
    (
        log(stop=Stop(kind="mark", mark="m'", after=MOMENT)),
        {},
        f"RESTORE LOG [PRS] {FROM}, STOPATMARK = N'm''' AFTER N'2026-03-01T14:30:05.123', CHECKSUM, STATS = 5",
    ),
    (
        log(action="database", kind="full", moves=(("l'", "E:\\x.mdf"),)),
        {"replace": True},
        f"RESTORE DATABASE [PRS] {FROM}, MOVE N'l''' TO N'E:\\x.mdf', REPLACE, CHECKSUM, STATS = 5",
    ),
    (
        log(copies=(Copy(stripes=("x",)), Copy(stripes=("y",)))),
        {"copy": 1},
        "RESTORE LOG [PRS] FROM DISK = N'y' WITH FILE = 1, NORECOVERY, CHECKSUM, STATS = 5",
    ),
    (Step(action="recover"), {}, "RESTORE DATABASE [PRS] WITH RECOVERY"),
    (Step(action="recover"), {"opens": True, "guarded": True}, "RESTORE DATABASE [PRS] WITH RECOVERY, RESTRICTED_USER"),
    (
        log(stop=Stop(kind="mark", mark="m")),
        {"opens": True, "guarded": True},
        (
            "RESTORE LOG [PRS] FROM DISK = N'a', DISK = N'b' WITH FILE = 2, RECOVERY, RESTRICTED_USER, STOPATMARK = "
            "N'm', CHECKSUM, STATS = 5"
        ),
    ),
    (Step(action="recover", standby_file="D:\\u.dat"), {}, "RESTORE DATABASE [PRS] WITH STANDBY = N'D:\\u.dat'"),
]


@pytest.mark.parametrize(("step", "options", "text"), RESTORES)
def test_steps_of_a_plan(step, options, text, judge):
    assert restore_statement("PRS", step, **options) == text
    assert judge.statements(text) == ["RestoreStatement"]


ATTACHES = [
    ({}, {}, "CREATE DATABASE [PRS] ON (FILENAME = N'D:\\a.mdf'), (FILENAME = N'E:\\l''.ldf') FOR ATTACH"),
    (
        {},
        {"guarded": True},
        (
            "CREATE DATABASE [PRS] ON (FILENAME = N'D:\\a.mdf'), (FILENAME = N'E:\\l''.ldf') FOR ATTACH WITH "
            "RESTRICTED_USER"
        ),
    ),
    (
        {"files": ("D:\\a.mdf",), "rebuild_log": True},
        {"guarded": True},
        "CREATE DATABASE [PRS] ON (FILENAME = N'D:\\a.mdf') FOR ATTACH_REBUILD_LOG",
    ),
]


@pytest.mark.parametrize(("plan", "options", "text"), ATTACHES)
def test_attaches(plan, options, text, judge):
    made = AttachPlan(**{"files": ("D:\\a.mdf", "E:\\l'.ldf"), "rebuild_log": False, **plan})
    assert attach_statement("PRS", made, **{"guarded": False, **options}) == text
    assert judge.statements(text) == ["CreateDatabaseStatement"]


def test_tail_and_verification(judge):
    living, damaged = tail_statement("PRS", "t", damaged=False), tail_statement("PRS", "t", damaged=True)
    assert "NORECOVERY" in living and "NO_TRUNCATE" not in living
    assert "NO_TRUNCATE, CONTINUE_AFTER_ERROR" in damaged and "NORECOVERY" not in damaged
    assert judge.statements(living) == judge.statements(damaged) == ["BackupTransactionLogStatement"]
    verification = verify_statement(files=["a", "b"], position=3, checksum=True)
    assert verification == "RESTORE VERIFYONLY FROM DISK = N'a', DISK = N'b' WITH FILE = 3, CHECKSUM, STATS = 5"
    assert judge.statements(verification) == ["RestoreStatement"]


def test_every_query_is_t_sql(judge):
    texts = {
        f"{module.__name__}.{name}": text.replace("?", "@P1").replace("{database}", "[a]]b]")
        for module in (backups, bases, databases, encryption, history, locks, logins, pruning, server)
        for name, text in vars(module).items()
        if name.startswith("_") and not name.startswith("__") and isinstance(text, str)
    }
    assert len(texts) > 12
    assert {name: judge.errors(text) for name, text in texts.items() if judge.errors(text)} == {}


NAMES = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=50).filter(
    str.strip
)


@given(database=NAMES, file=NAMES, name=NAMES)
@settings(max_examples=100, deadline=None)
def test_whatever_names_hold_it_stays_one_statement(judge, database, file, name):
    assert judge.statements(backup_statement(database=database, kind=BackupKind.FULL, files=[file], name=name)) == [
        "BackupDatabaseStatement"
    ]
    step = log(copies=(Copy(stripes=(file,)),), moves=((name, file),))
    assert judge.statements(restore_statement(database, step)) == ["RestoreStatement"]
    assert judge.statements(restore_statement(database, Step(action="recover", standby_file=file))) == [
        "RestoreStatement"
    ]
    attach = attach_statement(database, AttachPlan(files=(file, name), rebuild_log=False), guarded=True)
    assert judge.statements(attach) == ["CreateDatabaseStatement"]
