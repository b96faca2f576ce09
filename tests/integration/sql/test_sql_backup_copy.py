from __future__ import annotations

import dataclasses

import pytest

from .conftest import SHARE, SYSTEM, Failed


@pytest.fixture
def developer(sql_a, monkeypatch):
    """sql-a as a Developer edition, which can do what Enterprise can."""
    monkeypatch.setattr(
        sql_a.instance, "settings", dataclasses.replace(sql_a.instance.settings, edition="Developer Edition (64-bit)")
    )


@pytest.fixture
def asked(database):
    return {
        "database": database,
        "stripes": 2,
        "file_name": "{database}_{stripe}.bak",
        "copy_to": f"{SHARE}\\copies\\{database}",
    }


def test_a_second_copy_is_as_good_as_the_first(sql_a, database, asked, developer, only_queries):
    with only_queries:
        planned = sql_a.run("sql_backup", check=True, **asked)
    assert " MIRROR TO " in planned["statements"][-1] and planned["backup"]["copy_files"] == [
        f"{asked['copy_to']}\\{database}_{n}.bak" for n in (1, 2)
    ]
    backup = sql_a.run("sql_backup", **asked)["backup"]
    assert (
        backup["copy_files"] == planned["backup"]["copy_files"]
        and backup["verified"] is True
        and backup["sets"][0]["files"] == backup["files"]
    )
    for file in backup["files"]:
        sql_a.host.files(SYSTEM).remove(file)
    back = sql_a.run(
        "sql_restore", database=f"{database}_copy", source={"folders": [asked["copy_to"]], "database": database}
    )
    assert back["changed"] is True and sql_a.marks(f"{database}_copy") == [1]


def test_a_file_that_is_there_is_kept(sql_a, database, asked, developer):
    first = sql_a.run("sql_backup", **asked)["backup"]
    sql_a.host.files(SYSTEM).remove(first["files"][0])
    for check in (True, False):
        with pytest.raises(Failed, match="already"):
            sql_a.run("sql_backup", check=check, **asked)
    assert sql_a.run("sql_backup", overwrite=True, **asked)["backup"]["verified"] is True


def test_a_damaged_copy_fails_the_task(sql_a, database, asked, developer, share, monkeypatch):
    from ansible_collections.prs.recovery.plugins.module_utils._sql.backup import statements as backups

    original = backups.confirmed

    def damage_copy(connection, *, mirror, **more):
        place = mirror[1].replace(SHARE, "D:\\Shares\\backup")
        content = bytearray(share.read(place))
        content[len(content) // 2] ^= 0xFF
        share.write(place, bytes(content))
        return original(connection, mirror=mirror, **more)

    monkeypatch.setattr(backups, "confirmed", damage_copy)
    with pytest.raises(Failed, match=r"copies.*cannot be read back"):
        sql_a.run("sql_backup", **asked)


@pytest.mark.parametrize("check", [True, False])
def test_an_edition_that_cannot(sql_a, database, asked, check):
    with pytest.raises(Failed, match="only Enterprise and Developer") as failed:
        sql_a.run("sql_backup", check=check, **asked)
    assert "over WinRM" in failed.value.result["msg"]
