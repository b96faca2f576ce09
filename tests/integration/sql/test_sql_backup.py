from __future__ import annotations

import contextlib
import json
import threading
import time

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._progress import ENVIRONMENT
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.locks import lock_name
from prs_lab.sqlserver.faults import Fault

from .conftest import SHARE, Failed, mark


def files_of(result):
    return result["backup"]["files"]


def test_a_full_backup_on_a_share(sql_a, database, share, only_queries):
    folder = f"{SHARE}\\sql\\{database}"
    with only_queries:
        planned = sql_a.run("sql_backup", check=True, database=database, path=folder)
    assert planned["changed"] is True and any(
        one.startswith(f"BACKUP DATABASE [{database}]") for one in planned["statements"]
    )
    result = sql_a.run("sql_backup", database=database, path=folder)
    backup = result["backup"]
    assert backup["verified"] is True and backup["kind"] == "full" and backup["copy_only"] is False
    assert backup["first_lsn"] < backup["last_lsn"] and len(backup["family_guid"]) == 36
    assert backup["finished_at"].endswith("+00:00")
    (file,) = files_of(result)
    assert share.is_file(file.replace(SHARE, "D:\\Shares\\backup"))
    assert sql_a.ask("SELECT COUNT(*) FROM msdb.dbo.backupset WHERE database_name = %s", database) == [(1,)]
    info = sql_a.run("sql_info", gather_subset=["databases"])
    assert next(one for one in info["databases"] if one["name"] == database)["last_full_backup"]


def test_differential_and_log_continue_the_full(sql_a, database):
    full = sql_a.run("sql_backup", database=database)["backup"]
    mark(sql_a, database, 2, "second")
    differential = sql_a.run("sql_backup", database=database, kind="differential")["backup"]
    log = sql_a.run("sql_backup", database=database, kind="log")["backup"]
    assert differential["sets"][0]["differential_base_guid"] == full["sets"][0]["guid"]
    assert log["first_lsn"] <= full["last_lsn"] <= log["last_lsn"]
    assert {one["family_guid"] for one in (full, differential, log)} == {full["family_guid"]}


def test_stripes_copy_only_description_and_manifest(sql_a, database, tmp_path):
    manifest = tmp_path / "backup.json"
    options = {
        "stripes": 3,
        "copy_only": True,
        "description": "before it's changed",
        "compression": "never",
        "manifest": str(manifest),
    }
    result = sql_a.run("sql_backup", database=database, **options)
    assert [file[-8:] for file in files_of(result)] == ["1of3.bak", "2of3.bak", "3of3.bak"]
    assert result["backup"]["sets"][0]["copy_only"] is True
    assert json.loads(manifest.read_text()) == result["backup"]
    assert sql_a.ask("SELECT description, is_copy_only FROM msdb.dbo.backupset WHERE database_name = %s", database) == [
        ("before it's changed", True)
    ]
    assert "NO_COMPRESSION" in result["statements"][-1]


def test_a_file_is_appended_to_or_overwritten(sql_a, database):
    same = {"database": database, "file_name": "{database}.bak"}
    positions = [
        sql_a.run("sql_backup", **same, **more)["backup"]["sets"][0]["position"]
        for more in ({}, {}, {"overwrite": True})
    ]
    assert positions == [1, 2, 1]


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"path": "\\\\files\\nothing\\here"}, ["\\\\files\\nothing\\here", "operating system error 67", "share"]),
        ({"path": "\\\\nobody\\backup"}, ["operating system error 53", "445"]),
        ({"path": "Z:\\backup"}, ["Z:\\backup", "error 3", "drive letters"]),
        ({"kind": "log", "database": "master"}, ["SIMPLE"]),
        ({"database": "nothing"}, ["There is no database nothing"]),
    ],
)
def test_what_goes_wrong_says_what_to_do(sql_a, database, options, parts):
    with pytest.raises(Failed) as failed:
        sql_a.run("sql_backup", **{"database": database, **options})
    for part in parts:
        assert part in failed.value.result["msg"]


def test_a_folder_without_rights_names_the_account(sql_a, database):
    with pytest.raises(Failed) as failed:
        sql_a.run("sql_backup", database=database, path="\\\\files\\media")
    message = failed.value.result["msg"]
    assert "error 5" in message and "NT SERVICE\\MSSQLSERVER" in message and "Modify" in message


OWN_ADVICE = {
    2: "The file does not exist for",
    3: "create it, or correct the path",
    5: "give it Modify",
    53: "port 445",
    112: "free space there",
    1326: "(DOMAIN\\SERVER$)",
}


OF_A_DEVICE = ("Operating system error {}(text).", "Betriebssystemfehler {}(Text).")
OF_A_FOLDER = ("FindFirstFile() returned error {}, 'text'", "FindFirstFile() gab Fehler {}, 'Text', zur\u00fcck")
LANGUAGES = ("English", "German")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("at", "number", "cause"),
    [
        *(("xp_subdirs", 22006, cause) for cause in (5, 53, 1326)),
        *(("BACKUP DATABASE", 3201, cause) for cause in OWN_ADVICE),
        ("BACKUP DATABASE", 3202, 112),
    ],
)
def test_each_error_of_windows_has_advice_of_its_own(sql_a, database, at, number, cause, language):
    """Before the backup, while the folder is looked at, and in the backup itself; whatever language the server speaks."""
    folder, faults = f"{SHARE}\\sql\\{database}", sql_a.instance.faults
    said = (OF_A_FOLDER if number == 22006 else OF_A_DEVICE)[LANGUAGES.index(language)]
    faults.add(
        Fault(
            action="error",
            pattern=at,
            times=0,
            number=number,
            text=f"Cannot open backup device '{folder}\\x.bak'. {said.format(cause)}",
        )
    )
    try:
        with pytest.raises(Failed) as failed:
            sql_a.run("sql_backup", database=database, path=folder)
    finally:
        faults.clear()
    message = failed.value.result["msg"]
    assert [known for known, advice in OWN_ADVICE.items() if advice in message] == [cause]
    assert ("stage_path" in message) == (cause in (5, 1326))
    assert "NT SERVICE\\MSSQLSERVER" in message or cause in (53, 112)
    assert failed.value.result["sql_error"]["os_error"] == cause


def test_how_often_a_log_backup_asks_its_server(lab, sql_a, database):
    """Every 15 minutes, so a limit: what there is; the lock, and what that protects; the backup, msdb's word, its
    reading.
    """
    made, _ca_file = lab
    sql_a.run("sql_backup", database=database, path=SHARE)
    since = made.record.last
    sql_a.run("sql_backup", database=database, path=SHARE, kind="log")
    asked = [entry["text"] for entry in made.record.entries("sql", since=since)]
    of_the_driver = [text for text in asked if "sp_datatype_info" in text]
    assert len(asked) - len(of_the_driver) == 5, asked


def test_a_log_without_a_full_backup(sql_a, database):
    with pytest.raises(Failed, match="4214") as failed:
        sql_a.run("sql_backup", database=database, kind="log")
    assert "kind: full" in failed.value.result["msg"]


def locked(server, database):
    """A session of another run that works on a database, and its number."""
    holder = server.client()
    with holder.cursor() as cursor:
        cursor.execute(
            f"EXEC sys.sp_getapplock @Resource = N'{lock_name(database)}', @LockMode = N'Exclusive', @LockOwner = "
            "N'Session'"
        )
        cursor.execute("SELECT @@SPID")
        return holder, cursor.fetchone()[0]


def test_two_runs_exclude_each_other_and_the_loser_says_who(sql_a, database):
    holder, number = locked(sql_a, database)
    with pytest.raises(Failed, match="Another run works on database") as failed:
        sql_a.run("sql_backup", database=database)
    assert f"as prs_recovery, session {number} since" in failed.value.result["msg"]
    holder.close()
    assert sql_a.run("sql_backup", database=database)["changed"] is True


def test_databases_whose_names_begin_alike_are_told_apart(sql_a, name):
    """The server shows no more than the beginning of a lock's name, and a drill's database is called like the one that
    it tries.
    """
    names = [f"PasswordResetServer{name}{tail}" for tail in ("_drill", "", "_tail")]
    sql_a.run("sql_database", name=names[1])
    holders = {one: locked(sql_a, one) for one in names}
    with pytest.raises(Failed, match=f"session {holders[names[1]][1]} since"):
        sql_a.run("sql_backup", database=names[1])
    holders[names[1]][0].close()
    assert sql_a.run("sql_backup", database=names[1])["changed"] is True
    for holder, _number in holders.values():
        holder.close()


def test_a_login_that_may_not_see_sessions_is_still_told_that_there_is_another_run(sql_a, database, name):
    login = {"login_user": f"{name}_operator", "login_password": "0perator-Passw0rd"}
    role = {"name": database, "roles": ["db_backupoperator"]}
    sql_a.run(
        "sql_login", name=login["login_user"], password=login["login_password"], check_policy=False, databases=[role]
    )
    with (
        contextlib.closing(locked(sql_a, database)[0]),
        pytest.raises(Failed, match=r"Another run works on database .*may not see who") as failed,
    ):
        sql_a.run("sql_backup", database=database, **login)
    assert "VIEW SERVER STATE" in failed.value.result["msg"]


def test_how_far_it_is_is_shown_while_it_runs(sql_a, sql_b, database, slow, tmp_path, monkeypatch):
    shown, folder = tmp_path / "progress", f"{SHARE}\\sql\\{database}"
    monkeypatch.setenv(ENVIRONMENT, str(shown))

    def watched(server, what, command, name, **options):
        """Run a module until it has shown some percent, while the server says that it is at it; then let it end."""
        shown.write_text("")
        slow(20.0)
        worker = threading.Thread(target=lambda: server.run(name, database=database, **options))
        worker.start()
        ends = time.monotonic() + 60
        while f"{what}: 10 %" not in shown.read_text():
            assert worker.is_alive() and time.monotonic() < ends, shown.read_text()
            time.sleep(0.05)
        ((percent,),) = server.ask("SELECT percent_complete FROM sys.dm_exec_requests WHERE command = %s", command)
        slow(0.0)
        worker.join()
        assert 5 <= percent < 60, "it was shown long after it was so"
        return shown.read_text()

    assert "verification: 100 %" in watched(
        sql_a, f"backup of {database}", "BACKUP DATABASE", "sql_backup", path=folder
    )
    watched(
        sql_b, f"restore of {database}, step 1 of 2", "RESTORE DATABASE", "sql_restore", source={"folders": [folder]}
    )
    assert sql_b.marks(database) == [1]


def test_a_damaged_backup_fails_its_verification(sql_a, database, monkeypatch):
    from ansible_collections.prs.recovery.plugins.module_utils._sql.backup import run as backups

    original = backups.verify

    def damage_first(connection, *, files, **more):
        view = sql_a.host.files("NT AUTHORITY\\SYSTEM")
        content = bytearray(view.read(files[0]))
        content[len(content) // 2] ^= 0xFF
        view.write(files[0], bytes(content))
        original(connection, files=files, **more)

    monkeypatch.setattr(backups, "verify", damage_first)
    with pytest.raises(Failed, match="was written but cannot be read back"):
        sql_a.run("sql_backup", database=database)


def test_a_full_disk(sql_a, database, monkeypatch):
    drive = sql_a.host.drives.volumes["D"]
    free = sql_a.host.files("NT AUTHORITY\\SYSTEM").free_bytes("D:\\")
    monkeypatch.setattr(drive, "capacity", drive.capacity - free + 4096)
    with pytest.raises(Failed) as failed:
        sql_a.run("sql_backup", database=database)
    assert "112" in failed.value.result["msg"] and "disk is full" in failed.value.result["msg"].lower()
    assert sql_a.ask("SELECT COUNT(*) FROM msdb.dbo.backupset WHERE database_name = %s", database) == [(0,)]
