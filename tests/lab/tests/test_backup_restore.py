"""RESTORE DATABASE and RESTORE LOG: the right rows, the right refusals, and where a database stands when it is broken
off.
"""

from __future__ import annotations

import datetime as dt
import os
import pathlib

import pytest
from prs_lab.sqlserver.errors import Cancelled, SqlError
from prs_lab.sqlserver.security import Login
from prs_lab.sqlserver.storage import lifecycle
from prs_lab.sqlserver.storage.target import redo_fork

from .backup_double import InstanceDouble, SessionDouble, give_up_at

MOVE = r"MOVE 'PRS' TO 'D:\Data\New.mdf', MOVE 'PRS_log' TO 'D:\Data\New.ldf'"


@pytest.fixture
def server(tmp_path: pathlib.Path) -> InstanceDouble:
    made = InstanceDouble(tmp_path)
    made.create("PRS")
    made.execute("PRS", "CREATE TABLE t(n INTEGER PRIMARY KEY, filler)")
    return made


@pytest.fixture
def sa(server: InstanceDouble) -> SessionDouble:
    return SessionDouble(server)


def insert(server: InstanceDouble, *numbers: int, size: int = 10, name: str = "PRS", **more: object) -> dt.datetime:
    server.tick()
    server.execute(name, *[f"INSERT INTO t VALUES({number}, '{'x' * size}')" for number in numbers], **more)
    return server.now()


def chain(server: InstanceDouble, sa: SessionDouble) -> list[dt.datetime]:
    """1 | full.bak | 2 3 4 | 1.trn | 5 | diff.bak | 6 | 2.trn; the local times of the six."""
    times = [insert(server, 1)]
    sa.items("BACKUP DATABASE PRS TO DISK = 'full.bak' WITH CHECKSUM")
    times += [insert(server, 2), insert(server, 3, mark="M"), insert(server, 4)]
    sa.items("BACKUP LOG PRS TO DISK = '1.trn'")
    times.append(insert(server, 5))
    sa.items("BACKUP DATABASE PRS TO DISK = 'diff.bak' WITH DIFFERENTIAL")
    times.append(insert(server, 6))
    sa.items("BACKUP LOG PRS TO DISK = '2.trn'")
    return times


def test_a_full_restored_under_another_name(server: InstanceDouble, sa: SessionDouble) -> None:
    chain(server, sa)
    messages = sa.messages(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH {MOVE}, CHECKSUM, STATS = 100")
    assert [number for number, _ in messages] == [3211, 4035, 4035, 3014]
    assert messages[-1][1].startswith("RESTORE DATABASE successfully processed ")
    assert server.rows("New") == {1}
    new, old = server.databases.get("New"), server.databases.get("PRS")
    assert new.family_guid == old.family_guid
    assert new.boot.database_guid != old.boot.database_guid
    assert new.boot.fork.guid != old.boot.fork.guid
    assert (new.data_path, new.log_path) == (r"D:\Data\New.mdf", r"D:\Data\New.ldf")
    insert(server, 100, name="New")
    assert server.rows("PRS") == {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize(
    ("files", "rows"),
    [
        (["1.trn"], {1, 2, 3, 4}),
        (["1.trn", "2.trn"], {1, 2, 3, 4, 5, 6}),
        (["diff.bak"], {1, 2, 3, 4, 5}),
        (["diff.bak", "2.trn"], {1, 2, 3, 4, 5, 6}),
    ],
)
def test_chains(server: InstanceDouble, sa: SessionDouble, files: list[str], rows: set[int]) -> None:
    chain(server, sa)
    sa.items(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH NORECOVERY, {MOVE}")
    for file in files:
        sa.items(f"RESTORE {'LOG' if file.endswith('trn') else 'DATABASE'} New FROM DISK = '{file}' WITH NORECOVERY")
    assert server.databases.get("New").state == "RESTORING"
    sa.items("RESTORE DATABASE New WITH RECOVERY")
    assert server.rows("New") == rows
    assert sa.errors("RESTORE DATABASE New WITH RECOVERY") == [3153, 3013]


def test_the_state_in_between_is_told(server: InstanceDouble, sa: SessionDouble) -> None:
    chain(server, sa)
    sa.items(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH NORECOVERY, {MOVE}")
    (header,) = sa.table("RESTORE HEADERONLY FROM DISK = 'full.bak'")
    boot = server.databases.get("New").boot
    assert boot.redo_start_lsn == header["LastLSN"]
    assert redo_fork(boot) == str(header["RecoveryForkID"]).upper()
    sa.items("RESTORE LOG New FROM DISK = '1.trn' WITH NORECOVERY")
    (header,) = sa.table("RESTORE HEADERONLY FROM DISK = '1.trn'")
    assert server.databases.get("New").boot.redo_start_lsn == header["LastLSN"]
    with pytest.raises(SqlError) as caught:
        server.databases.get("New").connect()
    assert caught.value.number == 927


def until(sa: SessionDouble, clause: str, *, end: str = "RECOVERY") -> list[tuple[int, str]]:
    sa.items(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH NORECOVERY, REPLACE, {MOVE}")
    found = sa.messages(f"RESTORE LOG New FROM DISK = '1.trn' WITH {end}, {clause}")
    return (
        found + sa.messages(f"RESTORE LOG New FROM DISK = '2.trn' WITH {end}, {clause}")
        if not found or end == "NORECOVERY"
        else found
    )


def test_stopat_is_the_servers_local_time(server: InstanceDouble, sa: SessionDouble) -> None:
    times = chain(server, sa)
    assert times[2] == dt.datetime(2025, 7, 1, 12, 3)
    for text, rows in (
        ("2025-07-01T12:03:00", {1, 2, 3}),
        ("2025-07-01T12:02:59.997", {1, 2}),
        ("2025-07-01 12:03", {1, 2, 3}),
        ("20250701 12:03:30", {1, 2, 3}),
        ("Jul 1, 2025 12:03 PM", {1, 2, 3}),
    ):
        until(sa, f"STOPAT = '{text}'")
        assert server.rows("New") == rows, text


def test_marks_and_lsns(server: InstanceDouble, sa: SessionDouble) -> None:
    chain(server, sa)
    until(sa, "STOPATMARK = 'M'")
    assert server.rows("New") == {1, 2, 3}
    until(sa, "STOPBEFOREMARK = 'M'")
    assert server.rows("New") == {1, 2}
    (header,) = sa.table("RESTORE HEADERONLY FROM DISK = '1.trn'")
    until(sa, f"STOPBEFOREMARK = 'lsn:{header['LastLSN']}'")
    assert server.rows("New") == {1, 2, 3, 4}


def test_a_log_that_does_not_reach_the_time_leaves_restoring(server: InstanceDouble, sa: SessionDouble) -> None:
    times = chain(server, sa)
    clause = f"STOPAT = '{times[5].isoformat()}'"
    sa.items(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH NORECOVERY, {MOVE}")
    assert 4322 in [number for number, _ in sa.messages(f"RESTORE LOG New FROM DISK = '1.trn' WITH RECOVERY, {clause}")]
    assert server.databases.get("New").state == "RESTORING"
    assert 4322 not in [
        number for number, _ in sa.messages(f"RESTORE LOG New FROM DISK = '2.trn' WITH RECOVERY, {clause}")
    ]
    assert server.rows("New") == {1, 2, 3, 4, 5, 6}


def test_a_mark_that_is_not_found_leaves_restoring(server: InstanceDouble, sa: SessionDouble) -> None:
    chain(server, sa)
    sa.items(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH NORECOVERY, {MOVE}")
    assert 4329 in [
        number for number, _ in sa.messages("RESTORE LOG New FROM DISK = '1.trn' WITH RECOVERY, STOPATMARK = 'none'")
    ]
    assert server.databases.get("New").state == "RESTORING"


def test_stopat_on_the_full_only_checks(server: InstanceDouble, sa: SessionDouble) -> None:
    times = chain(server, sa)
    assert sa.errors(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH {MOVE}, STOPAT = '2025-07-01T11:00:00'") == [
        4338,
        3013,
    ]
    assert server.databases.get("New") is None
    messages = sa.messages(
        f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH {MOVE}, STOPAT = '{times[2].isoformat()}'"
    )
    assert 4322 in [number for number, _ in messages]
    assert server.databases.get("New").state == "RESTORING"
    assert sa.errors(
        f"RESTORE LOG New FROM DISK = '1.trn' WITH STOPAT = '{(times[0] - dt.timedelta(minutes=5)).isoformat()}'"
    ) == [
        4335,
        3013,
    ]


def test_bulk_logged_changes_forbid_stopping_inside(server: InstanceDouble, sa: SessionDouble) -> None:
    server.databases.get("PRS").set_recovery_model("BULK_LOGGED")
    sa.items("BACKUP DATABASE PRS TO DISK = 'full.bak'")
    inside = insert(server, 1, bulk=True)
    end = insert(server, 2)
    sa.items("BACKUP LOG PRS TO DISK = '1.trn'")
    assert sa.table("RESTORE HEADERONLY FROM DISK = '1.trn'")[0]["HasBulkLoggedData"] is True
    sa.items(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH NORECOVERY, {MOVE}")
    assert sa.errors(f"RESTORE LOG New FROM DISK = '1.trn' WITH STOPAT = '{inside.isoformat()}'") == [4341, 3013]
    assert sa.errors(f"RESTORE LOG New FROM DISK = '1.trn' WITH STOPAT = '{end.isoformat()}'") == []
    assert server.rows("New") == {1, 2}


PLANNED = [
    ("RESTORE DATABASE New FROM DISK = 'full.bak'", [1834, 3156, 1834, 3156, 3119, 3013]),
    ("RESTORE DATABASE New FROM DISK = 'full.bak' WITH MOVE 'PRS' TO 'D:\\Data\\n.mdf'", [1834, 3156, 3119, 3013]),
    (
        (
            "RESTORE DATABASE New FROM DISK = 'full.bak' WITH MOVE 'PRS' TO 'E:\\None\\n.mdf', MOVE 'PRS_log' TO "
            "'D:\\Data\\n.ldf'"
        ),
        [5133, 3156, 3119, 3013],
    ),
    (
        "RESTORE DATABASE New FROM DISK = 'full.bak' WITH MOVE 'PRS' TO 'D:\\Data\\n', MOVE 'PRS_log' TO 'D:\\Data\\n'",
        [3176, 3119, 3013],
    ),
    ("RESTORE DATABASE New FROM DISK = 'full.bak' WITH MOVE 'nope' TO 'D:\\Data\\n'", [3234, 3013]),
    ("RESTORE DATABASE PRS FROM DISK = 'full.bak'", [3159, 3013]),
    ("RESTORE DATABASE PRS FROM DISK = 'full.bak' WITH STOPAT = '2025-07-01T12:03:00'", [3173, 3013]),
    ("RESTORE DATABASE Other FROM DISK = 'full.bak'", [3154, 3013]),
    ("RESTORE LOG New FROM DISK = '1.trn'", [3118, 3013]),
    ("RESTORE DATABASE New FROM DISK = 'diff.bak'", [3118, 3013]),
    ("RESTORE LOG PRS FROM DISK = '1.trn'", [3117, 3013]),
    ("RESTORE LOG New FROM DISK = 'full.bak'", [3135, 3013]),
    ("RESTORE DATABASE New FROM DISK = '1.trn'", [3135, 3013]),
    ("RESTORE DATABASE New FROM DISK = '1.trn', DISK = '2.trn'", [3258, 3013]),
    ("RESTORE DATABASE New FROM DISK = 'full.bak' WITH FILE = 2", [4038, 3013]),
    ("RESTORE DATABASE New FROM DISK = 'none.bak'", [3201, 3013]),
    ("RESTORE LOG New FROM DISK = '1.trn' WITH STOPATMARK = 'lsn:nonsense'", [4334, 3013]),
    ("RESTORE DATABASE New FROM DISK = 'full.bak' WITH STOPATMARK = 'M'", [4340, 3013]),
    ("RESTORE LOG New FROM DISK = '1.trn' WITH STOPAT = 'yesterday'", [3217, 3013]),
    ("RESTORE DATABASE New FROM DISK = 'diff.bak' WITH CHECKSUM", [3187, 3013]),
    ("RESTORE DATABASE master FROM DISK = 'full.bak'", [3108, 3013]),
    ("RESTORE DATABASE nope WITH RECOVERY", [911, 3013]),
]


@pytest.mark.parametrize(("text", "numbers"), PLANNED)
def test_a_restore_refused_while_planning_changes_nothing(
    server: InstanceDouble, sa: SessionDouble, text: str, numbers: list[int]
) -> None:
    chain(server, sa)
    server.create("Other")
    server.execute("Other", "CREATE TABLE t(n)")
    before = {
        name: server.drives.read(path) for name in ("PRS", "Other") for path in [server.databases.get(name).data_path]
    }
    assert sa.errors(text) == numbers
    assert server.databases.get("New") is None
    assert [database.state for database in server.databases] == ["ONLINE"] * 3
    assert {name: server.drives.read(server.databases.get(name).data_path) for name in before} == before
    assert server.rows("PRS") == {1, 2, 3, 4, 5, 6}
    assert server.drives.list(r"D:\Data") == []


def test_replace_overwrites(server: InstanceDouble, sa: SessionDouble) -> None:
    chain(server, sa)
    sa.items("RESTORE DATABASE PRS FROM DISK = 'full.bak' WITH REPLACE")
    assert server.rows("PRS") == {1}
    binding = server.databases.get("PRS").boot.database_guid
    sa.items("RESTORE DATABASE PRS FROM DISK = 'full.bak' WITH REPLACE")
    assert server.databases.get("PRS").boot.database_guid == binding
    server.create("Other")
    assert sa.errors(f"RESTORE DATABASE Other FROM DISK = 'full.bak' WITH REPLACE, {MOVE}") == []
    assert server.rows("Other") == {1}
    assert not server.drives.exists(r"C:\Data\Other.mdf")


def test_leftover_files_are_overwritten_only_with_replace(server: InstanceDouble, sa: SessionDouble) -> None:
    chain(server, sa)
    server.drives.write(r"D:\Data\New.mdf", b"of somebody else")
    assert sa.errors(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH {MOVE}") == [3142, 3156, 3119, 3013]
    assert server.drives.read(r"D:\Data\New.mdf") == b"of somebody else"
    assert sa.errors(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH REPLACE, {MOVE}") == []


def test_in_use(server: InstanceDouble, sa: SessionDouble) -> None:
    chain(server, sa)
    server.others["prs"] = [object()]
    assert sa.errors("RESTORE DATABASE PRS FROM DISK = 'full.bak' WITH REPLACE") == [3101, 3013]
    server.others.clear()
    sa.database = "PRS"
    with pytest.raises(SqlError) as caught:
        sa.items("RESTORE DATABASE PRS FROM DISK = 'full.bak' WITH REPLACE")
    assert caught.value.text.startswith("RESTORE cannot process database 'PRS' because it is in use by this session.")


def test_rights(server: InstanceDouble, sa: SessionDouble) -> None:
    chain(server, sa)
    plain = SessionDouble(server, login=Login(name="app", sid=b"app", principal_id=300))
    assert plain.errors("RESTORE DATABASE New FROM DISK = 'full.bak'") == [262, 3013]
    assert plain.errors("RESTORE DATABASE PRS FROM DISK = 'full.bak' WITH REPLACE") == [3110, 3013]
    server.databases.update(server.databases.get("PRS"), owner_sid=b"app")
    assert plain.errors("RESTORE DATABASE PRS FROM DISK = 'full.bak' WITH REPLACE") == []


def test_a_newer_servers_backup_is_refused_an_older_ones_upgraded(tmp_path: pathlib.Path) -> None:
    new = InstanceDouble(tmp_path / "new", version="16.0.4135.4")
    new.create("PRS").boot.version = 957
    SessionDouble(new).items("BACKUP DATABASE PRS TO DISK = 'x.bak'")
    old = InstanceDouble(tmp_path / "old")
    old.drives.write(r"C:\Backup\x.bak", new.drives.read(r"C:\Backup\x.bak"))
    with pytest.raises(SqlError) as caught:
        SessionDouble(old).items("RESTORE DATABASE PRS FROM DISK = 'x.bak'")
    assert caught.value.number == 3169
    assert "running version 16.00.4135. " in caught.value.text
    assert "running version 15.00.4430. " in caught.value.text
    old.create("Old")
    old.execute("Old", "CREATE TABLE t(n)", "INSERT INTO t VALUES(7)")
    SessionDouble(old).items("BACKUP DATABASE Old TO DISK = 'y.bak'")
    new.drives.write(r"C:\Backup\y.bak", old.drives.read(r"C:\Backup\y.bak"))
    assert SessionDouble(new).errors("RESTORE DATABASE Old FROM DISK = 'y.bak' WITH STANDBY = 'C:\\Backup\\u.dat'") == [
        3180,
        3013,
    ]
    SessionDouble(new).items("RESTORE DATABASE Old FROM DISK = 'y.bak'")
    assert new.rows("Old") == {7}
    assert new.databases.get("Old").boot.version == 957


def test_no_room(server: InstanceDouble, sa: SessionDouble) -> None:
    insert(server, *range(200), size=3000)
    sa.items("BACKUP DATABASE PRS TO DISK = 'full.bak'")
    server.drives.room_left = 10_000
    with pytest.raises(SqlError) as caught:
        sa.items(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH {MOVE}")
    assert caught.value.number == 3257
    assert "only 10000 bytes are available." in caught.value.text
    assert server.databases.get("New") is None


@pytest.mark.parametrize("what", ["full", "log", "diff"])
def test_a_restore_that_is_given_up_leaves_restoring_where_it_stood(
    server: InstanceDouble, sa: SessionDouble, what: str
) -> None:
    insert(server, *range(300), size=3000)
    sa.items("BACKUP DATABASE PRS TO DISK = 'full.bak'")
    for number in range(1000, 1200):
        server.tick()
        server.execute("PRS", f"INSERT INTO t VALUES({number}, '{os.urandom(1500).hex()}')")
    sa.items("BACKUP LOG PRS TO DISK = '1.trn' WITH NO_COMPRESSION")
    sa.items("BACKUP DATABASE PRS TO DISK = 'diff.bak' WITH DIFFERENTIAL")
    steps = {
        "full": f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH NORECOVERY, REPLACE, {MOVE}",
        "log": "RESTORE LOG New FROM DISK = '1.trn' WITH NORECOVERY",
        "diff": "RESTORE DATABASE New FROM DISK = 'diff.bak' WITH NORECOVERY",
    }
    before = None
    if what != "full":
        sa.items(steps["full"])
        before = server.databases.get("New").boot.redo_start_lsn
    server.io_seconds = 1.0
    sa.on_pause = give_up_at(50)
    with pytest.raises(Cancelled):
        sa.items(steps[what])
    server.io_seconds, sa.on_pause = 0, None
    database = server.databases.get("New")
    assert (database.state, database.busy) == ("RESTORING", set())
    stands = database.boot.redo_start_lsn
    if what == "log":
        assert before < stands < server.databases.get("PRS").boot.log_start_lsn
    else:
        assert database.boot.redo_start_lsn is None
        assert sa.errors("RESTORE LOG New FROM DISK = '1.trn'") == [4319, 3013]
        assert sa.errors("RESTORE DATABASE New WITH RECOVERY") == [4333, 3013]
    database.crash()
    lifecycle.bring_up(database)
    assert (database.state, database.boot.redo_start_lsn) == ("RESTORING", stands)
    for step in [steps["full"], steps["log"]] if what == "full" else [steps[what]]:
        sa.items(step)
    sa.items("RESTORE DATABASE New WITH RECOVERY")
    assert server.rows("New") == set(range(300)) | set(range(1000, 1200))


def test_damage_found_while_restoring_leaves_restoring(server: InstanceDouble, sa: SessionDouble) -> None:
    insert(server, *range(300), size=3000)
    sa.items("BACKUP DATABASE PRS TO DISK = 'full.bak' WITH CHECKSUM")
    path = server.drives.real(r"C:\Backup\full.bak")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4] = b"\xde\xad\xbe\xef"
    path.write_bytes(data)
    with pytest.raises(SqlError) as caught:
        sa.items("RESTORE VERIFYONLY FROM DISK = 'full.bak'")
    assert caught.value.number == 3183
    assert 'in database "PRS" as read from the backup set.' in caught.value.text
    assert sa.errors(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH {MOVE}") == [3183, 3013]
    assert server.databases.get("New").state == "RESTORING"
    messages = sa.messages(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH CONTINUE_AFTER_ERROR, REPLACE, {MOVE}")
    assert 3184 in [number for number, _ in messages]
    assert server.databases.get("New").state == "ONLINE"
    assert server.databases.get("New").damaged_pages() != []


@pytest.mark.parametrize("options", ["CHECKSUM", "CHECKSUM, COMPRESSION"])
def test_headers_and_files_of_a_backup_with_damaged_pages_are_shown(
    server: InstanceDouble, sa: SessionDouble, options: str
) -> None:
    sa.items(f"BACKUP DATABASE PRS TO DISK = 'full.bak' WITH {options}")
    path = server.drives.real(r"C:\Backup\full.bak")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert sa.errors("RESTORE VERIFYONLY FROM DISK = 'full.bak'") != []
    assert len(sa.table("RESTORE HEADERONLY FROM DISK = 'full.bak'")) == 1
    assert len(sa.table("RESTORE FILELISTONLY FROM DISK = 'full.bak'")) == 2


def test_standby_reads_and_goes_on(server: InstanceDouble, sa: SessionDouble) -> None:
    chain(server, sa)
    sa.items(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH STANDBY = N'C:\\Backup\\undo.dat', {MOVE}")
    assert server.rows("New") == {1}
    assert server.drives.exists(r"C:\Backup\undo.dat")
    sa.items("RESTORE LOG New FROM DISK = '1.trn' WITH STANDBY = N'C:\\Backup\\undo.dat'")
    assert server.rows("New") == {1, 2, 3, 4}
    server.others["new"] = [object()]
    assert sa.errors("RESTORE LOG New FROM DISK = '2.trn' WITH RECOVERY") == [3101, 3013]
    server.others.clear()
    sa.items("RESTORE LOG New FROM DISK = '2.trn' WITH RECOVERY")
    assert server.rows("New") == {1, 2, 3, 4, 5, 6}
    assert not server.drives.exists(r"C:\Backup\undo.dat")


def test_restricted_user_and_history(server: InstanceDouble, sa: SessionDouble) -> None:
    chain(server, sa)
    sa.items(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH RESTRICTED_USER, {MOVE}")
    assert server.databases.entry(server.databases.get("New"))["user_access"] == "RESTRICTED_USER"
    rows = server.msdb(
        'SELECT destination_database_name, restore_type, backup_set_id, replace, recovery FROM "dbo.restorehistory"'
    )
    assert rows == [("New", "D", 1, 0, 1)]
    assert server.msdb('SELECT destination_phys_name FROM "dbo.restorefile"') == [
        (r"D:\Data\New.mdf",),
        (r"D:\Data\New.ldf",),
    ]


def test_single_user_ends_with_the_restore(server: InstanceDouble, sa: SessionDouble) -> None:
    chain(server, sa)
    database = server.databases.get("PRS")
    server.databases.update(database, user_access="SINGLE_USER")
    sa.items("RESTORE DATABASE PRS FROM DISK = 'full.bak' WITH REPLACE")
    assert server.databases.entry(database)["user_access"] == "MULTI_USER"


def test_a_set_from_elsewhere_is_entered_in_msdb(
    server: InstanceDouble, sa: SessionDouble, tmp_path: pathlib.Path
) -> None:
    chain(server, sa)
    other = InstanceDouble(tmp_path / "other", name="SQL02")
    other.drives.write(r"C:\Backup\full.bak", server.drives.read(r"C:\Backup\full.bak"))
    session = SessionDouble(other)
    session.items("RESTORE DATABASE PRS FROM DISK = 'full.bak'")
    assert other.rows("PRS") == {1}
    assert other.msdb('SELECT server_name, database_name, type FROM "dbo.backupset"') == [("SQL01", "PRS", "D")]
    session.items("RESTORE DATABASE PRS FROM DISK = 'full.bak' WITH REPLACE")
    assert other.msdb('SELECT count(*) FROM "dbo.backupset"') == [(1,)]
    assert other.msdb('SELECT count(*) FROM "dbo.restorehistory"') == [(2,)]


def test_several_sets_in_one_file(server: InstanceDouble, sa: SessionDouble) -> None:
    insert(server, 1)
    sa.items("BACKUP DATABASE PRS TO DISK = 'all.bak'")
    insert(server, 2)
    sa.items("BACKUP LOG PRS TO DISK = 'all.bak'")
    insert(server, 3)
    sa.items("BACKUP LOG PRS TO DISK = 'all.bak'")
    sa.items(f"RESTORE DATABASE New FROM DISK = 'all.bak' WITH NORECOVERY, {MOVE}")
    sa.items("RESTORE LOG New FROM DISK = 'all.bak' WITH NORECOVERY, FILE = 2")
    assert sa.errors("RESTORE LOG New FROM DISK = 'all.bak' WITH FILE = 1") == [3135, 3013]
    sa.items("RESTORE LOG New FROM DISK = 'all.bak' WITH FILE = 3")
    assert server.rows("New") == {1, 2, 3}


def test_the_gap_is_named_by_its_lsns(server: InstanceDouble, sa: SessionDouble) -> None:
    chain(server, sa)
    sa.items(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH NORECOVERY, {MOVE}")
    (header,) = sa.table("RESTORE HEADERONLY FROM DISK = '2.trn'")
    with pytest.raises(SqlError) as caught:
        sa.items("RESTORE LOG New FROM DISK = '2.trn'")
    x = server.databases.get("New").boot.redo_start_lsn
    assert caught.value.text == (
        f"The log in this backup set begins at LSN {header['FirstLSN']}, which is too recent to apply to the "
        "database. An earlier log backup that includes "
        f"LSN {x} can be restored."
    )


def test_who_left_by_a_tail_goes_on_with_the_logs_of_who_took_over(server: InstanceDouble, sa: SessionDouble) -> None:
    chain(server, sa)
    sa.items(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH NORECOVERY, {MOVE}")
    for log in ("1.trn", "2.trn"):
        sa.items(f"RESTORE LOG New FROM DISK = '{log}' WITH NORECOVERY")
    insert(server, 7)
    sa.items("BACKUP LOG PRS TO DISK = 'tail.trn' WITH NORECOVERY")
    sa.items("RESTORE LOG New FROM DISK = 'tail.trn' WITH NORECOVERY")
    sa.items("RESTORE DATABASE New WITH RECOVERY")
    insert(server, 8, name="New")
    sa.items("BACKUP LOG New TO DISK = 'new.trn'")
    sa.items("RESTORE LOG PRS FROM DISK = 'new.trn' WITH NORECOVERY")
    insert(server, 9, name="New")
    sa.items("BACKUP LOG New TO DISK = 'back.trn' WITH NORECOVERY")
    sa.items("RESTORE LOG PRS FROM DISK = 'back.trn' WITH RECOVERY")
    assert server.rows("PRS") == {1, 2, 3, 4, 5, 6, 7, 8, 9}


def test_who_is_past_the_fork_point_does_not_go_on(server: InstanceDouble, sa: SessionDouble) -> None:
    """The standby was opened without the tail, so the old principal holds what it never got."""
    chain(server, sa)
    sa.items(f"RESTORE DATABASE New FROM DISK = 'full.bak' WITH NORECOVERY, {MOVE}")
    for log in ("1.trn", "2.trn"):
        sa.items(f"RESTORE LOG New FROM DISK = '{log}' WITH NORECOVERY")
    sa.items("RESTORE DATABASE New WITH RECOVERY")
    insert(server, 7)
    sa.items("BACKUP LOG PRS TO DISK = 'unsent.trn' WITH NORECOVERY")
    insert(server, *range(20, 60), name="New", size=3000)
    sa.items("BACKUP LOG New TO DISK = 'new.trn'")
    assert sa.errors("RESTORE LOG PRS FROM DISK = 'new.trn' WITH NORECOVERY") == [4330, 3013]
