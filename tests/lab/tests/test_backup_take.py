"""BACKUP DATABASE and BACKUP LOG: messages, headers, history, refusals, and what is left when they are broken off."""

from __future__ import annotations

import datetime as dt
import pathlib
import types
from decimal import Decimal

import pytest
from prs_lab.sqlserver.errors import Cancelled, SqlError, Unmodelled
from prs_lab.sqlserver.security import Login
from prs_lab.sqlserver.storage.pages import PAGE, place_of
from prs_lab.sqlserver.wire.items import Flush, Info

from .backup_double import BACKUPS, InstanceDouble, SessionDouble, give_up_at

FULL = r"BACKUP DATABASE [PRS] TO DISK = N'C:\Backup\full.bak' WITH CHECKSUM, INIT"


@pytest.fixture
def server(tmp_path: pathlib.Path) -> InstanceDouble:
    made = InstanceDouble(tmp_path)
    made.create("PRS")
    made.execute("PRS", "CREATE TABLE t(n INTEGER PRIMARY KEY, filler)")
    return made


@pytest.fixture
def sa(server: InstanceDouble) -> SessionDouble:
    return SessionDouble(server)


def insert(server: InstanceDouble, *numbers: int, size: int = 10, name: str = "PRS", **more: object) -> None:
    server.tick()
    server.execute(name, *[f"INSERT INTO t VALUES({number}, '{'x' * size}')" for number in numbers], **more)


def test_a_full_backup_says_what_it_did(server: InstanceDouble, sa: SessionDouble) -> None:
    insert(server, 1)
    messages = sa.messages(FULL + ", STATS = 50")
    assert [number for number, _ in messages] == [3211, 4035, 3211, 4035, 3014] or [
        number for number, _ in messages
    ] == [
        3211,
        3211,
        4035,
        4035,
        3014,
    ]
    texts = [text for _, text in messages]
    assert "50 percent processed." in texts
    assert "100 percent processed." in texts
    assert any(text.endswith("pages for database 'PRS', file 'PRS_log' on file 1.") for text in texts)
    assert texts[-1].startswith("BACKUP DATABASE successfully processed ")
    assert texts[-1].endswith(" MB/sec).")


def test_the_header_tells_all(server: InstanceDouble, sa: SessionDouble) -> None:
    insert(server, 1)
    sa.items(FULL + ", NAME = N'nightly', DESCRIPTION = N'Nächtlich'")
    (row,) = sa.table(r"RESTORE HEADERONLY FROM DISK = N'C:\Backup\full.bak'")
    assert len(row) == 56
    assert (row["BackupName"], row["BackupDescription"], row["BackupType"], row["BackupTypeDescription"]) == (
        "nightly",
        "Nächtlich",
        1,
        "Database",
    )
    assert (row["DatabaseName"], row["ServerName"], row["MachineName"], row["UserName"]) == (
        "PRS",
        "SQL01",
        "SQL01",
        "sa",
    )
    assert (row["SoftwareVersionMajor"], row["SoftwareVersionBuild"], row["DatabaseVersion"]) == (15, 4430, 904)
    assert row["BackupStartDate"] == dt.datetime(2025, 7, 1, 12, 1)
    assert isinstance(row["FirstLSN"], Decimal)
    assert row["FirstLSN"] == row["CheckpointLSN"] < row["LastLSN"]
    assert row["DatabaseBackupLSN"] == 0
    assert (row["Position"], row["IsCopyOnly"], row["HasBackupChecksums"], row["RecoveryModel"]) == (
        1,
        False,
        True,
        "FULL",
    )
    assert row["RecoveryForkID"] == row["FirstRecoveryForkID"]
    assert row["ForkPointLSN"] is None
    assert (row["DeviceType"], row["Flags"]) == (2, 512 + 16)
    sa.items(FULL)
    (again,) = sa.table(r"RESTORE HEADERONLY FROM DISK = N'C:\Backup\full.bak'")
    assert again["DatabaseBackupLSN"] == row["CheckpointLSN"]
    assert again["FamilyGUID"] == row["FamilyGUID"]
    assert again["BackupSetGUID"] != row["BackupSetGUID"]


def test_2022_has_three_columns_more(tmp_path: pathlib.Path) -> None:
    server = InstanceDouble(tmp_path, version="16.0.4135.4")
    server.create("PRS")
    sa = SessionDouble(server)
    sa.items(FULL + ", COMPRESSION")
    (row,) = sa.table(r"RESTORE HEADERONLY FROM DISK = N'C:\Backup\full.bak'")
    assert len(row) == 59
    assert (row["LastValidRestoreTime"], row["TimeZone"], row["CompressionAlgorithm"]) == (None, 0, "MS_XPRESS")
    server.headers_tell_zone = True
    assert sa.table(r"RESTORE HEADERONLY FROM DISK = N'C:\Backup\full.bak'")[0]["TimeZone"] in (
        4,
        8,
    )  # Berlin, winter or summer


def test_the_file_list_and_the_label(server: InstanceDouble, sa: SessionDouble) -> None:
    sa.items(FULL + ", FORMAT, MEDIANAME = N'weekly'")
    files = sa.table(r"RESTORE FILELISTONLY FROM DISK = N'C:\Backup\full.bak'")
    assert [(one["LogicalName"], one["PhysicalName"], one["Type"], one["FileId"]) for one in files] == [
        ("PRS", r"C:\Data\PRS.mdf", "D", 1),
        ("PRS_log", r"C:\Log\PRS_log.ldf", "L", 2),
    ]
    assert files[0]["Size"] >= PAGE
    (label,) = sa.table(r"RESTORE LABELONLY FROM DISK = N'C:\Backup\full.bak'")
    assert (label["MediaName"], label["FamilyCount"], label["FamilySequenceNumber"], label["Mirror_Count"]) == (
        "weekly",
        1,
        1,
        1,
    )


def test_msdb_remembers(server: InstanceDouble, sa: SessionDouble) -> None:
    insert(server, 1)
    sa.items(FULL)
    insert(server, 2)
    sa.items(r"BACKUP LOG PRS TO DISK = N'C:\Backup\full.bak' WITH CHECKSUM")
    (full, log) = sa.table(r"RESTORE HEADERONLY FROM DISK = N'C:\Backup\full.bak'")
    rows = server.msdb(
        "SELECT s.type, s.position, s.first_lsn, s.last_lsn, s.backup_start_date, s.time_zone, s.backup_set_uuid, "
        'f.physical_device_name FROM "dbo.backupset" s'
        ' JOIN "dbo.backupmediafamily" f ON f.media_set_id = s.media_set_id ORDER BY s.rowid'
    )
    assert [row[:2] for row in rows] == [("D", 1), ("L", 2)]
    assert [row[2:4] for row in rows] == [(one["FirstLSN"], one["LastLSN"]) for one in (full, log)]
    assert rows[0][4:] == ("2025-07-01 12:01:00.000000", 8, str(full["BackupSetGUID"]).upper(), r"C:\Backup\full.bak")
    assert server.msdb('SELECT count(*) FROM "dbo.backupmediaset"') == [(1,)]
    assert server.msdb('SELECT logical_name, file_type FROM "dbo.backupfile" WHERE backup_set_id = 1') == [
        ("PRS", "D"),
        ("PRS_log", "L"),
    ]


def test_sets_are_appended_and_replaced(server: InstanceDouble, sa: SessionDouble) -> None:
    for _ in range(3):
        sa.items(r"BACKUP DATABASE PRS TO DISK = N'C:\Backup\many.bak'")
    assert [row["Position"] for row in sa.table(r"RESTORE HEADERONLY FROM DISK = N'C:\Backup\many.bak'")] == [1, 2, 3]
    (one,) = sa.table(r"RESTORE HEADERONLY FROM DISK = N'C:\Backup\many.bak' WITH FILE = 2")
    assert one["Position"] == 2
    assert sa.errors(r"RESTORE HEADERONLY FROM DISK = N'C:\Backup\many.bak' WITH FILE = 4") == [4038, 3013]
    before = sa.table(r"RESTORE LABELONLY FROM DISK = N'C:\Backup\many.bak'")[0]["MediaSetId"]
    sa.items(r"BACKUP DATABASE PRS TO DISK = N'C:\Backup\many.bak' WITH INIT")
    assert len(sa.table(r"RESTORE HEADERONLY FROM DISK = N'C:\Backup\many.bak'")) == 1
    assert sa.table(r"RESTORE LABELONLY FROM DISK = N'C:\Backup\many.bak'")[0]["MediaSetId"] == before
    sa.items(r"BACKUP DATABASE PRS TO DISK = N'C:\Backup\many.bak' WITH FORMAT")
    assert sa.table(r"RESTORE LABELONLY FROM DISK = N'C:\Backup\many.bak'")[0]["MediaSetId"] != before


def test_a_bare_name_lies_in_the_backup_folder(server: InstanceDouble, sa: SessionDouble) -> None:
    sa.items("BACKUP DATABASE PRS TO DISK = N'bare.bak'")
    assert server.drives.list(BACKUPS) == ["bare.bak"]


def test_only_format_overwrites_what_is_no_backup(server: InstanceDouble, sa: SessionDouble) -> None:
    server.drives.write(r"C:\Backup\full.bak", b"something else, and long enough")
    assert sa.errors(FULL) == [3241, 3013]
    assert server.drives.read(r"C:\Backup\full.bak") == b"something else, and long enough"
    assert sa.errors(FULL + ", FORMAT") == []


def test_expiry_protects_against_init(server: InstanceDouble, sa: SessionDouble) -> None:
    sa.items(FULL + ", RETAINDAYS = 3")
    assert sa.errors(FULL) == [4030, 3013]
    assert sa.errors(FULL + ", SKIP") == []
    sa.items(FULL + ", EXPIREDATE = N'2025-07-02T00:00:00'")
    server.tick(2 * 86400)
    assert sa.errors(FULL) == []


REFUSED = [
    ("BACKUP DATABASE nope TO DISK = 'x'", [911, 3013]),
    ("BACKUP DATABASE tempdb TO DISK = 'x'", [3147, 3013]),
    ("BACKUP LOG PRS TO DISK = 'x'", [4214, 3013]),
    ("BACKUP DATABASE PRS TO DISK = 'x' WITH DIFFERENTIAL", [3035, 3013]),
    ("BACKUP LOG msdb TO DISK = 'x'", [4208, 3013]),
    (r"BACKUP DATABASE PRS TO DISK = 'C:\None\x.bak'", [3201, 3013]),
    (r"BACKUP DATABASE PRS TO DISK = '\\files\share\x.bak'", [3201, 3013]),
    ("BACKUP DATABASE PRS TO DISK = ''", [3044, 3013]),
    ("BACKUP DATABASE PRS TO logical_device", [3206, 3013]),
    ("BACKUP DATABASE PRS TO DISK = 'a' MIRROR TO DISK = 'b' WITH FORMAT", [3218, 3013]),
    (
        "BACKUP DATABASE PRS TO DISK = 'x' WITH ENCRYPTION (ALGORITHM = AES_256, SERVER CERTIFICATE = none)",
        [15151, 3013],
    ),
    (r"RESTORE HEADERONLY FROM DISK = 'C:\Backup\none.bak'", [3201, 3013]),
]


@pytest.mark.parametrize(("text", "numbers"), REFUSED)
def test_refusals(server: InstanceDouble, sa: SessionDouble, text: str, numbers: list[int]) -> None:
    assert sa.errors(text) == numbers
    assert server.drives.list(BACKUPS) == []
    assert server.msdb('SELECT count(*) FROM "dbo.backupset"') == [(0,)]


@pytest.mark.parametrize(
    "text",
    [
        "BACKUP DATABASE PRS FILE = 'PRS' TO DISK = 'x'",
        "BACKUP DATABASE PRS TO URL = 'https://x/y.bak'",
        "BACKUP DATABASE PRS TO DISK = 'x' WITH RESTART",
        "RESTORE DATABASE PRS PAGE = '1:5' FROM DISK = 'x'",
        "RESTORE DATABASE PRS FROM DISK = 'x' WITH PARTIAL",
    ],
)
def test_what_is_not_modelled_says_so(sa: SessionDouble, text: str) -> None:
    with pytest.raises(Unmodelled):
        sa.items(text)


def test_a_transaction_refuses_backups(sa: SessionDouble) -> None:
    sa.transaction_count = 1
    assert sa.errors(FULL) == [3021, 3013]


def test_the_operating_system_error_is_quoted(server: InstanceDouble, sa: SessionDouble) -> None:
    server.drives.denied.add(BACKUPS)
    with pytest.raises(SqlError) as caught:
        sa.items(FULL)
    assert (
        caught.value.text
        == r"Cannot open backup device 'C:\Backup\full.bak'. Operating system error 5(Access is denied.)."
    )
    assert caught.value.follow[0].text == "BACKUP DATABASE is terminating abnormally."


def test_rights(server: InstanceDouble) -> None:
    plain = SessionDouble(server, login=Login(name="app", sid=b"app", principal_id=300))
    assert plain.errors(FULL) == [262, 3013]
    assert plain.errors(r"RESTORE HEADERONLY FROM DISK = 'x'") == [262, 3013]
    server.databases.update(server.databases.get("PRS"), owner_sid=b"app")
    assert plain.errors(FULL) == []
    creator = SessionDouble(server, login=Login(name="maker", sid=b"maker", principal_id=301, roles=["dbcreator"]))
    assert creator.errors(FULL) == [262, 3013]
    assert creator.errors(r"RESTORE HEADERONLY FROM DISK = 'C:\Backup\full.bak'") == []


def test_express_has_neither_compression_nor_encryption(tmp_path: pathlib.Path) -> None:
    server = InstanceDouble(tmp_path, edition="Express Edition (64-bit)")
    server.create("PRS")
    sa = SessionDouble(server)
    with pytest.raises(SqlError) as caught:
        sa.items(FULL + ", COMPRESSION")
    assert caught.value.text == "BACKUP DATABASE WITH COMPRESSION is not supported on Express Edition (64-bit)."
    server.configuration["backup compression default"] = 1
    sa.items(FULL)
    assert sa.table(r"RESTORE HEADERONLY FROM DISK = N'C:\Backup\full.bak'")[0]["Compressed"] is False


def test_stripes(server: InstanceDouble, sa: SessionDouble) -> None:
    insert(server, *range(300), size=2000)
    sa.items(r"BACKUP DATABASE PRS TO DISK = 'a.bak', DISK = 'b.bak', DISK = 'c.bak' WITH FORMAT, CHECKSUM")
    labels = [sa.table(f"RESTORE LABELONLY FROM DISK = '{name}.bak'")[0] for name in "abc"]
    assert [(one["FamilyCount"], one["FamilySequenceNumber"]) for one in labels] == [(3, 1), (3, 2), (3, 3)]
    assert sa.table("RESTORE HEADERONLY FROM DISK = 'b.bak'")[0]["BackupType"] == 1
    assert sa.errors("RESTORE VERIFYONLY FROM DISK = 'a.bak', DISK = 'b.bak'") == [3132, 3013]
    assert sa.errors("RESTORE VERIFYONLY FROM DISK = 'a.bak', DISK = 'b.bak', DISK = 'b.bak'") == [3227, 3013]
    assert sa.messages("RESTORE VERIFYONLY FROM DISK = 'c.bak', DISK = 'b.bak', DISK = 'a.bak'")[-1][0] == 3262
    assert sa.errors("BACKUP LOG PRS TO DISK = 'a.bak'") == [3132, 3013]
    assert sa.errors("BACKUP LOG PRS TO DISK = 'c.bak', DISK = 'a.bak', DISK = 'b.bak'") == []
    assert [row["Position"] for row in sa.table("RESTORE HEADERONLY FROM DISK = 'c.bak'")] == [1, 2]
    sa.items("BACKUP DATABASE PRS TO DISK = 'x.bak'")
    assert sa.errors("RESTORE VERIFYONLY FROM DISK = 'a.bak', DISK = 'b.bak', DISK = 'x.bak'") == [3258, 3013]
    assert sa.errors("BACKUP DATABASE PRS TO DISK = 'x.bak', DISK = 'y.bak'") == [3231, 3013]


def test_mirrored_media(tmp_path: pathlib.Path) -> None:
    server = InstanceDouble(tmp_path, edition="Developer Edition (64-bit)")
    server.create("PRS")
    sa = SessionDouble(server)
    assert sa.errors("BACKUP DATABASE PRS TO DISK = 'a.bak' MIRROR TO DISK = 'm.bak'") == [3215, 3013]
    sa.items("BACKUP DATABASE PRS TO DISK = 'a.bak' MIRROR TO DISK = 'm.bak' WITH FORMAT")
    assert sa.table("RESTORE LABELONLY FROM DISK = 'm.bak'")[0]["Mirror_Count"] == 2
    assert sa.messages("RESTORE VERIFYONLY FROM DISK = 'm.bak'")[-1][0] == 3262


def test_structures_do_not_mix_on_one_media_set(sa: SessionDouble) -> None:
    sa.items("BACKUP DATABASE PRS TO DISK = 'x.bak' WITH COMPRESSION")
    assert sa.errors("BACKUP DATABASE PRS TO DISK = 'x.bak' WITH NO_COMPRESSION") == [3098, 3013]
    assert sa.errors("BACKUP DATABASE PRS TO DISK = 'x.bak' WITH COMPRESSION") == []


def test_progress_is_told_while_it_runs(server: InstanceDouble, sa: SessionDouble) -> None:
    insert(server, *range(500), size=3000)
    server.io_seconds = 2.0
    seen: list[float] = []
    sa.on_pause = lambda session: seen.append(session.progress.percent)
    items = sa.items(FULL + ", STATS = 10")
    told = [item.text for item in items if isinstance(item, Info) and item.number == 3211]
    assert told == [f"{percent} percent processed." for percent in range(10, 101, 10)]
    assert sum(isinstance(item, Flush) for item in items) == 10
    assert sa.progress.command == "BACKUP DATABASE"
    assert sa.waited == pytest.approx(2.0)
    assert seen == sorted(seen)
    assert any(20 < percent < 80 for percent in seen)


def test_without_stats_nothing_is_told(sa: SessionDouble) -> None:
    assert not [text for number, text in sa.messages(FULL) if number == 3211]


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_a_backup_that_is_given_up_leaves_no_set(server: InstanceDouble, sa: SessionDouble, how: str) -> None:
    insert(server, *range(300), size=3000)
    server.io_seconds = 1.0
    give_up(server, sa, FULL, how)
    assert server.drives.list(BACKUPS) == []
    assert server.msdb('SELECT count(*) FROM "dbo.backupset"') == [(0,)]
    database = server.databases.get("PRS")
    assert (database.pins, database.busy, database.boot.base) == ([], set(), None)
    sa.on_pause = None
    assert sa.errors(FULL) == []


def give_up(server: InstanceDouble, session: SessionDouble, text: str, how: str) -> None:
    from prs_lab.sqlserver.backup import commands
    from prs_lab.sqlserver.parse.parser import parse

    if how == "cancel":
        session.on_pause = give_up_at(40)
        with pytest.raises(Cancelled):
            session.items(text)
    else:
        running = commands.run(server, session, parse(text + ", STATS = 10")[0])
        for item in running:
            if isinstance(item, Info) and item.text.startswith("40 "):
                break
        running.close()


def test_after_whole_sets_an_unfinished_one_stays_and_is_shown(server: InstanceDouble, sa: SessionDouble) -> None:
    insert(server, *range(300), size=3000)
    sa.items(r"BACKUP DATABASE PRS TO DISK = N'C:\Backup\many.bak'")
    server.io_seconds = 1.0
    sa.on_pause = give_up_at(40)
    with pytest.raises(Cancelled):
        sa.items(r"BACKUP DATABASE PRS TO DISK = N'C:\Backup\many.bak'")
    sa.on_pause = None
    rows = sa.table(r"RESTORE HEADERONLY FROM DISK = N'C:\Backup\many.bak'")
    assert [(row["Position"], row["BackupName"]) for row in rows] == [(1, None), (2, "*** INCOMPLETE ***")]
    assert sa.errors(r"RESTORE VERIFYONLY FROM DISK = N'C:\Backup\many.bak' WITH FILE = 2") == [3256, 3013]
    assert sa.errors(r"RESTORE VERIFYONLY FROM DISK = N'C:\Backup\many.bak'") == []
    sa.items(r"BACKUP DATABASE PRS TO DISK = N'C:\Backup\many.bak'")
    assert sa.errors(r"RESTORE VERIFYONLY FROM DISK = N'C:\Backup\many.bak' WITH FILE = 3") == []


def test_nothing_is_appended_to_a_file_that_breaks_off(server: InstanceDouble, sa: SessionDouble) -> None:
    sa.items(r"BACKUP DATABASE PRS TO DISK = N'C:\Backup\many.bak'")
    data = server.drives.read(r"C:\Backup\many.bak")
    server.drives.write(r"C:\Backup\many.bak", data + data[1536:4096])
    assert sa.errors(r"BACKUP DATABASE PRS TO DISK = N'C:\Backup\many.bak'") == [3266, 3013]
    server.drives.write(r"C:\Backup\many.bak", data)
    assert sa.errors(r"BACKUP DATABASE PRS TO DISK = N'C:\Backup\many.bak'") == []


def test_a_full_disk_in_the_middle(server: InstanceDouble, sa: SessionDouble) -> None:
    insert(server, *range(300), size=3000)
    server.databases.get("PRS").checkpoint()
    server.drives.room_left = 400_000
    with pytest.raises(SqlError) as caught:
        sa.items(FULL)
    assert caught.value.number == 3202
    assert caught.value.text == r'Write on "C:\Backup\full.bak" failed: 112(There is not enough space on the disk.)'
    assert server.drives.list(BACKUPS) == []
    server.drives.room_left = None
    assert server.msdb('SELECT count(*) FROM "dbo.backupset"') == [(0,)]


def test_two_backups_of_one_database_do_not_run_at_once(server: InstanceDouble, sa: SessionDouble) -> None:
    insert(server, *range(300), size=3000)
    sa.items(FULL)
    server.io_seconds = 0.5
    other = SessionDouble(server, spid=52)
    seen: list[list[int]] = []

    def meanwhile(session: SessionDouble) -> None:
        session.on_pause = None
        server.io_seconds = 0
        seen.append(other.errors("BACKUP DATABASE PRS TO DISK = 'other.bak'"))
        seen.append(other.errors("BACKUP LOG PRS TO DISK = 'log.trn'"))
        seen.append(other.errors(r"RESTORE HEADERONLY FROM DISK = 'C:\Backup\full.bak'"))

    sa.on_pause = meanwhile
    sa.items(FULL)
    assert seen == [[3023, 3013], [], [3201, 3013]]


def test_damage_stops_the_backup_unless_it_may_go_on(server: InstanceDouble, sa: SessionDouble) -> None:
    insert(server, *range(100), size=900)
    database = server.databases.get("PRS")
    database.checkpoint()
    with open(server.drives.real(database.data_path), "r+b") as file:
        file.seek(place_of(6) * PAGE + 300)
        file.write(b"\xaa\xbb\xcc\xdd" * 3)
    with pytest.raises(SqlError) as caught:
        sa.items(FULL)
    assert caught.value.number == 3043
    assert f"page (1:{place_of(6)})" in caught.value.text
    messages = sa.messages(FULL + ", CONTINUE_AFTER_ERROR")
    assert 3042 in [number for number, _ in messages]
    assert sa.table(r"RESTORE HEADERONLY FROM DISK = N'C:\Backup\full.bak'")[0]["IsDamaged"] is True
    assert sa.errors(r"RESTORE VERIFYONLY FROM DISK = N'C:\Backup\full.bak'") == [3182, 3013]


def test_encryption_needs_its_certificate(server: InstanceDouble, sa: SessionDouble, tmp_path: pathlib.Path) -> None:
    insert(server, 1)
    server.execute("PRS", "INSERT INTO t VALUES(77, 'a very secret word')")
    server.certificates["cert"] = certificate()
    sa.items(FULL + ", ENCRYPTION (ALGORITHM = AES_256, SERVER CERTIFICATE = cert)")
    assert b"a very secret word" not in server.drives.read(r"C:\Backup\full.bak")
    (row,) = sa.table(r"RESTORE HEADERONLY FROM DISK = N'C:\Backup\full.bak'")
    assert (row["KeyAlgorithm"], row["EncryptorThumbprint"], row["EncryptorType"]) == (
        "aes_256",
        b"\x12\x34",
        "CERTIFICATE",
    )
    assert sa.errors(r"RESTORE VERIFYONLY FROM DISK = N'C:\Backup\full.bak'") == []
    assert sa.errors(r"BACKUP LOG PRS TO DISK = N'C:\Backup\full.bak'") == [3095, 3013]
    del server.certificates["cert"]
    assert sa.table(r"RESTORE HEADERONLY FROM DISK = N'C:\Backup\full.bak'")[0]["EncryptorThumbprint"] == b"\x12\x34"
    for text in ("VERIFYONLY", "FILELISTONLY", "DATABASE Other"):
        with pytest.raises(SqlError) as caught:
            sa.items(rf"RESTORE {text} FROM DISK = N'C:\Backup\full.bak'")
        assert caught.value.text == "Cannot find server certificate with thumbprint '0x1234'."


def test_an_expired_certificate_encrypts_nothing_and_still_opens_what_it_encrypted(
    server: InstanceDouble, sa: SessionDouble
) -> None:
    server.certificates["cert"] = certificate()
    sa.items(FULL + ", ENCRYPTION (ALGORITHM = AES_256, SERVER CERTIFICATE = cert)")
    server.certificates["cert"] = certificate(expires=server.clock - dt.timedelta(seconds=1))
    again = r"BACKUP DATABASE PRS TO DISK = N'C:\Backup\again.bak'"
    assert sa.errors(again + " WITH ENCRYPTION (ALGORITHM = AES_256, SERVER CERTIFICATE = cert)") == [3096, 3013]
    sa.items(r"RESTORE VERIFYONLY FROM DISK = N'C:\Backup\full.bak'")


def certificate(expires: dt.datetime = dt.datetime(2099, 1, 1, tzinfo=dt.timezone.utc)) -> object:
    def mix(data: bytes) -> bytes:
        return bytes(byte ^ 0x5A for byte in data)

    return types.SimpleNamespace(name="cert", thumbprint=b"\x12\x34", encrypt=mix, decrypt=mix, expires=expires)


def test_a_tail_with_norecovery_takes_the_database_out_of_service(server: InstanceDouble, sa: SessionDouble) -> None:
    sa.items(FULL)
    insert(server, 1)
    other = object()
    server.others["prs"] = [other]
    assert sa.errors("BACKUP LOG PRS TO DISK = 'tail.trn' WITH NORECOVERY") == [3101, 3013]
    server.databases.update(server.databases.get("PRS"), user_access="SINGLE_USER")
    assert sa.errors("BACKUP LOG PRS TO DISK = 'tail.trn' WITH NORECOVERY") == [924, 3013]
    server.databases.update(server.databases.get("PRS"), user_access="MULTI_USER")
    assert server.rows("PRS") == {1}
    server.others.clear()
    sa.database = "PRS"
    assert sa.errors("BACKUP LOG PRS TO DISK = 'tail.trn' WITH NORECOVERY") == [3102, 3013]
    sa.database = "master"
    sa.items("BACKUP LOG PRS TO DISK = 'tail.trn' WITH NORECOVERY")
    database = server.databases.get("PRS")
    assert database.state == "RESTORING"
    (row,) = sa.table("RESTORE HEADERONLY FROM DISK = 'tail.trn'")
    assert row["IsForceOffline"] is True
    assert database.boot.redo_start_lsn == row["LastLSN"]
    sa.items("RESTORE DATABASE PRS WITH RECOVERY")
    assert server.rows("PRS") == {1}


def test_a_tail_that_fails_puts_the_database_back(server: InstanceDouble, sa: SessionDouble) -> None:
    sa.items(FULL)
    insert(server, *range(100), size=3000)
    server.drives.room_left = 1000
    assert sa.errors("BACKUP LOG PRS TO DISK = 'tail.trn' WITH NORECOVERY, NO_COMPRESSION") == [3202, 3013]
    server.drives.room_left = None
    assert server.databases.get("PRS").state == "ONLINE"
    assert server.rows("PRS") == set(range(100))
    assert sa.errors("BACKUP LOG PRS TO DISK = 'tail.trn'") == []


@pytest.mark.parametrize("option", ["NO_TRUNCATE", "CONTINUE_AFTER_ERROR", "NO_TRUNCATE, NORECOVERY"])
def test_the_tail_of_a_database_whose_data_file_is_gone(server: InstanceDouble, sa: SessionDouble, option: str) -> None:
    insert(server, 1)
    sa.items(FULL)
    insert(server, 2)
    database = server.databases.get("PRS")
    database.crash()
    server.drives.real(database.data_path).unlink()
    from prs_lab.sqlserver.storage import lifecycle

    lifecycle.bring_up(database)
    assert database.state == "RECOVERY_PENDING"
    assert sa.errors("BACKUP LOG PRS TO DISK = 'tail.trn'") == [945, 3013]
    sa.items(f"BACKUP LOG PRS TO DISK = 'tail.trn' WITH {option}")
    (row,) = sa.table("RESTORE HEADERONLY FROM DISK = 'tail.trn'")
    assert row["HasIncompleteMetaData"] is True
    assert row["IsCopyOnly"] is ("NO_TRUNCATE" in option)
    sa.items(r"RESTORE DATABASE PRS FROM DISK = 'C:\Backup\full.bak' WITH NORECOVERY, REPLACE")
    sa.items("RESTORE LOG PRS FROM DISK = 'tail.trn'")
    assert server.rows("PRS") == {1, 2}


def test_a_standby_cannot_be_backed_up(server: InstanceDouble, sa: SessionDouble) -> None:
    sa.items(FULL)
    insert(server, 1)
    sa.items(r"BACKUP LOG PRS TO DISK = 'tail.trn' WITH STANDBY = N'C:\Backup\undo.dat'")
    assert server.rows("PRS") == {1}
    assert server.databases.get("PRS").is_in_standby
    assert sa.errors(FULL) == [3036, 3013]
