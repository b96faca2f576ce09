"""What sql_backup_info tells of backups that are there, gone, elsewhere, incomplete or damaged."""

from __future__ import annotations

import datetime as dt

import pytest
import yaml
from ansible_collections.prs.recovery.plugins.modules import sql_backup_info
from prs_lab.estate import faults

from .conftest import PASSWORD, SHARE, SYSTEM, Failed, mark

THERE = "D:\\Shares\\backup"
"""The share's folder on its own server."""


@pytest.fixture
def folder(database):
    return f"{SHARE}\\info\\{database}"


def back_up(server, database, folder, *kinds, **options):
    """One backup of each kind, minutes apart; the sets' GUIDs and the first set's files."""
    taken = []
    for kind in kinds:
        mark(server, database, len(taken) + 2, kind)
        taken.append(server.run("sql_backup", database=database, kind=kind, path=folder, **options)["backup"])
        server.host.clock_offset += dt.timedelta(minutes=1)
    return [one["sets"][0]["guid"] for one in taken], [one["files"] for one in taken]


def told(result, guid):
    return next(one for one in result["sets"] if one["guid"] == guid)


def whereabouts(result):
    return [(one["in_history"], one["in_files"]) for one in result["sets"]]


def test_files_that_are_gone_and_files_that_msdb_does_not_know(sql_a, sql_b, database, folder, share, only_queries):
    guids, files = back_up(sql_a, database, folder, "full", "log", "log", "log")
    share.remove(files[2][0].replace(SHARE, THERE))
    with only_queries:
        result = sql_a.run("sql_backup_info", database=database, folders=[folder], history=True)
    assert (
        whereabouts(result) == [(True, True), (True, True), (True, False), (True, True)] and result["unreadable"] == []
    )
    (health,) = result["databases"]
    assert [one["guid"] for one in health["lost"]] == [guids[2]] and health["unusable"] == []
    assert (
        health["lost"][0]["reason"] == "msdb knows it, but no such file was found"
        and health["lost"][0]["files"] == files[2]
    )
    assert health["counts"] == {"usable": 3, "unusable": 0, "lost": 1}
    assert health["chain"] == guids[:2]
    (gap,) = health["gaps"]
    before, after = told(result, guids[1]), told(result, guids[3])
    assert (gap["from_lsn"], gap["until_lsn"]) == (before["last_lsn"], after["first_lsn"])
    elsewhere = sql_b.run("sql_backup_info", database=database, folders=[folder], history=True)
    assert whereabouts(elsewhere) == [(False, True)] * 3
    assert whereabouts(sql_a.run("sql_backup_info", database=database)) == [(True, None)] * 4
    assert whereabouts(sql_a.run("sql_backup_info", folders=[folder])) == [(None, True)] * 3


def test_the_history_alone_can_be_held_against_its_files(sql_a, database, folder, share):
    guids, files = back_up(sql_a, database, folder, "full", "log")
    other = sql_a.run("sql_backup", database=database, path=folder, copy_only=True)["backup"]
    place = files[1][0].replace(SHARE, THERE)
    share.write(place, share.read(other["files"][0].replace(SHARE, THERE)))
    (believed,) = sql_a.run("sql_backup_info", database=database)["databases"]
    assert believed["counts"]["lost"] == 0
    result = sql_a.run("sql_backup_info", database=database, crosscheck=True)
    (health,) = result["databases"]
    assert [one["guid"] for one in health["lost"]] == [guids[1]] and health["counts"]["usable"] == 2
    share.remove(place)
    share.remove(files[0][0].replace(SHARE, THERE))
    share.remove(other["files"][0].replace(SHARE, THERE))
    (health,) = sql_a.run("sql_backup_info", database=database, crosscheck=True, recovery_point_objective=9999)[
        "databases"
    ]
    assert (health["recovery_point"], health["within_objective"], health["counts"]["lost"]) == (None, False, 3)
    share.remove_tree(folder.replace(SHARE, THERE))
    result = sql_a.run("sql_backup_info", database=database, crosscheck=True)
    assert result["databases"][0]["counts"]["lost"] == 3 and result["unreadable"] == []


def test_a_share_that_cannot_be_looked_into_is_no_loss(lab, sql_a, database, folder):
    made, _ca_file = lab
    guids, _files = back_up(sql_a, database, folder, "full")
    near = sql_a.run("sql_backup", database=database, kind="log")["backup"]["sets"][0]["guid"]
    access = {"host": "files", "share": "backup"}
    faults.apply(made, "share-gone", access)
    try:
        result = sql_a.run("sql_backup_info", database=database, crosscheck=True)
    finally:
        faults.undo(made, "share-gone", access)
    (health,) = result["databases"]
    assert {one["guid"]: one["in_files"] for one in result["sets"]} == {guids[0]: None, near: True}
    assert health["lost"] == [] and health["recovery_point"] is None
    assert (
        "cannot use the folder" in health["unusable"][0]["reason"]
        and "only msdb tells" in health["unusable"][0]["reason"]
    )


def test_a_missing_stripe(sql_a, database, folder, share):
    _guids, (files,) = back_up(sql_a, database, folder, "full", stripes=3)
    share.remove(files[1].replace(SHARE, THERE))
    for options in ({"folders": [folder]}, {"folders": [folder], "history": True}):
        (health,) = sql_a.run("sql_backup_info", database=database, **options)["databases"]
        assert [one["reason"] for one in health["unusable"]] == ["stripe 2 of 3 is missing"] and health[
            "recovery_point"
        ] is None


def test_damage_that_no_header_tells(sql_a, database, folder, share):
    """Verified down to the best chain that is whole; what it does not need is read only when all is asked for."""
    guids, files = back_up(sql_a, database, folder, "full", "log", "full", "log")
    asked = {"database": database, "folders": [folder]}
    assert [one["verified"] for one in sql_a.run("sql_backup_info", verify="chain", **asked)["sets"]] == [
        False,
        False,
        True,
        True,
    ]
    place = files[2][0].replace(SHARE, THERE)
    content = bytearray(share.read(place))
    content[len(content) // 2] ^= 0xFF
    share.write(place, bytes(content))
    (health,) = sql_a.run("sql_backup_info", **asked)["databases"]
    assert health["chain"] == guids[2:] and health["unusable"] == []
    result = sql_a.run("sql_backup_info", verify="chain", **asked)
    (health,) = result["databases"]
    assert [one["guid"] for one in health["unusable"]] == [guids[2]] and "cannot be read to its end" in health[
        "unusable"
    ][0]["reason"]
    assert health["chain"] == [guids[0], guids[1], guids[3]]
    assert {one["guid"]: one["verified"] for one in result["sets"]} == {
        guids[0]: True,
        guids[1]: True,
        guids[2]: False,
        guids[3]: True,
    }
    share.remove(files[3][0].replace(SHARE, THERE))
    result = sql_a.run("sql_backup_info", verify="all", **asked)
    assert [one["verified"] for one in result["sets"]] == [True, True, False]


@pytest.fixture
def certificate(sql_a):
    """A certificate of sql-a for encrypted backups; its files on the share."""
    if not sql_a.ask("SELECT 1 FROM sys.symmetric_keys WHERE name = '##MS_DatabaseMasterKey##'"):
        sql_a.do(f"CREATE MASTER KEY ENCRYPTION BY PASSWORD = '{PASSWORD}'")
    sql_a.do("CREATE CERTIFICATE [Info] WITH SUBJECT = 'Info'")
    sql_a.do(
        f"BACKUP CERTIFICATE [Info] TO FILE = N'{SHARE}\\info.cer' "
        f"WITH PRIVATE KEY (FILE = N'{SHARE}\\info.pvk', ENCRYPTION BY PASSWORD = N'{PASSWORD}')"
    )
    yield sql_a.ask("SELECT thumbprint FROM sys.certificates WHERE name = 'Info'")[0][0].hex().upper()
    sql_a.do("DROP CERTIFICATE [Info]")


def test_certificates_that_the_target_lacks(sql_a, sql_b, database, folder, share, certificate):
    sql_a.run("sql_backup", database=database, path=folder, encryption={"certificate": "Info"})

    def missing(server):
        (health,) = server.run("sql_backup_info", folders=[folder])["databases"]
        assert health["certificates"] == [certificate]
        return health["certificates_missing"]

    assert (missing(sql_a), missing(sql_b)) == ([], [certificate])
    sql_b.do(f"CREATE CERTIFICATE [Info] FROM FILE = N'{SHARE}\\info.cer'")
    try:
        assert missing(sql_b) == [certificate], "without its private key it does not decrypt"
    finally:
        sql_b.do("DROP CERTIFICATE [Info]")
        for name in ("info.cer", "info.pvk"):
            share.remove(f"{THERE}\\{name}")


def test_a_database_is_known_by_its_family_whatever_it_is_called(sql_a, database, folder, name):
    guids, _files = back_up(sql_a, database, folder, "full")
    sql_a.do(f"ALTER DATABASE [{database}] MODIFY NAME = [{database}_new]")
    later, _files = back_up(sql_a, f"{database}_new", folder, "differential")
    family = sql_a.run("sql_backup_info", folders=[folder])["databases"][0]["family_guid"]
    stranger = f"{name}_stranger"
    sql_a.run("sql_database", name=stranger, recovery_model="FULL")
    sql_a.run("sql_backup", database=stranger, path=folder)
    for where in ({"folders": [folder]}, {}):
        for wanted in (
            {"database": database},
            {"database": f"{database}_new"},
            {"family_guid": f"{{{family.upper()}}}"},
        ):
            result = sql_a.run("sql_backup_info", **where, **wanted)
            assert [one["guid"] for one in result["sets"]] == [*guids, *later]
            (health,) = result["databases"]
            assert (
                health["database"] == f"{database}_new"
                and health["unusable"] == []
                and health["chain"] == [*guids, *later]
            )
    assert len(sql_a.run("sql_backup_info", folders=[folder])["databases"]) == 2


def test_for_monitoring(sql_a, database, folder):
    back_up(sql_a, database, folder, "full", "log")
    asked = {"database": database, "folders": [folder], "time_zone": "UTC"}
    assert "prometheus" not in sql_a.run("sql_backup_info", **asked)
    result = sql_a.run("sql_backup_info", prometheus=True, recovery_point_objective=60, **asked)
    (health,) = result["databases"]
    labels = f'database="{database}",family="{health["family_guid"]}",server="SQL-A"'
    point = dt.datetime.fromisoformat(health["recovery_point"]).timestamp()
    lines = result["prometheus"].split("\n")
    for line in (
        f"prs_backup_recovery_point_timestamp_seconds{{{labels}}} {point}",
        f"prs_backup_recoverable{{{labels}}} 1",
        f"prs_backup_recovery_point_objective_seconds{{{labels}}} 60",
        f'prs_backup_sets{{{labels},state="usable"}} 2',
        f"prs_backup_gaps{{{labels}}} 0",
        f"prs_backup_certificates_missing{{{labels}}} 0",
        'prs_backup_unreadable_files{server="SQL-A"} 0',
        "# TYPE prs_backup_gaps gauge",
    ):
        assert line in lines


def test_times_without_a_zone_are_warned_of(sql_a, database, folder):
    back_up(sql_a, database, folder, "full")
    asked = {"database": database, "folders": [folder]}
    assert "not tell the time zone" in str(sql_a.run("sql_backup_info", **asked)["warnings"])
    for more in (
        {"folders": [folder], "time_zone": "UTC"},
        {"folders": [folder], "history": True},
        {},
        {"crosscheck": True},
    ):
        assert "warnings" not in sql_a.run("sql_backup_info", database=database, **more)


def test_what_is_returned_is_what_is_documented(sql_a, database, folder):
    back_up(sql_a, database, folder, "full")
    documented = yaml.safe_load(sql_backup_info.RETURN)
    result = sql_a.run("sql_backup_info", database=database, folders=[folder], history=True, prometheus=True)
    elsewhere = {"answered_by", "error_code"}  # with a failover partner alone, and where the task fails
    assert set(result) - {"changed", "invocation", "warnings"} == set(documented) - elsewhere
    assert set(result["databases"][0]) == set(documented["databases"]["contains"])
    assert set(result["sets"][0]) >= set(documented["sets"]["contains"])


def test_a_folder_that_cannot_be_read_fails(sql_a):
    with pytest.raises(Failed, match="cannot use the folder"):
        sql_a.run("sql_backup_info", folders=["\\\\nowhere\\backup"])
    assert sql_a.host.files(SYSTEM).exists("D:\\Backup")
