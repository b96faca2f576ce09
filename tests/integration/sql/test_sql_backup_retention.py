from __future__ import annotations

import dataclasses

import pytest
from prs_lab.windows.errors import WinError
from prs_lab.windows.filesystem import FileView

from .conftest import SYSTEM, Failed, mark


@pytest.fixture
def folder(sql_a, name):
    return f"D:\\Backup\\{name}"


@pytest.fixture
def taken(sql_a, database, folder):
    """Files of full 1, log 1, full 2, log 2, in this order; a marker row before each."""
    files = []
    for number, (file, kind) in enumerate(
        (("full1", "full"), ("log1", "log"), ("full2", "full"), ("log2", "log")), start=2
    ):
        mark(sql_a, database, number, file)
        files += sql_a.run("sql_backup", database=database, kind=kind, path=folder, file_name=f"{file}.bak")["backup"][
            "files"
        ]
    return files


def there(sql_a, folder):
    return sorted(name for name in sql_a.host.files(SYSTEM).list(folder))


def damage(sql_a, file):
    view = sql_a.host.files(SYSTEM)
    content = bytearray(view.read(file))
    content[len(content) // 2] ^= 0xFF
    view.write(file, bytes(content))


def test_what_no_rule_keeps_goes_and_the_rest_restores(sql_a, database, folder, taken, lab, only_queries):
    asked = {"database": database, "kind": "log", "path": folder, "file_name": "log3.bak", "retention": {"last": 1}}
    with only_queries:
        planned = sql_a.run("sql_backup", check=True, **asked)["retention"][0]
    assert (
        planned["folder"] == folder
        and sorted(planned["remove"]) == sorted(taken[:2])
        and len(there(sql_a, folder)) == 4
    )
    assert [(one["keep"], one["rule"]) for one in planned["decisions"]] == [(False, "none")] * 2 + [
        (True, "newest_chain")
    ] * 2
    since = lab[0].record.last
    result = sql_a.run("sql_backup", **asked)
    assert result["retention"][0]["remove"] == [taken[1], taken[0]]  # the log before the full that it needs
    assert there(sql_a, folder) == ["full2.bak", "log2.bak", "log3.bak"]
    texts = [entry["text"] for entry in lab[0].record.entries("sql", since=since)]
    read_back = [number for number, text in enumerate(texts) if text.startswith("RESTORE VERIFYONLY")]
    assert [name for number in read_back for name in ("full2", "log2", "log3") if name in texts[number]] == [
        "log3",
        "full2",
        "log2",
    ]
    assert max(read_back) < min(number for number, text in enumerate(texts) if "xp_delete_file" in text)
    sql_a.run("sql_restore", database=f"{database}_back", source={"folders": [folder], "database": database})
    assert sql_a.marks(f"{database}_back") == [1, 2, 3, 4, 5]


def test_a_newest_chain_that_cannot_be_read_back_keeps_the_one_before(sql_a, database, folder, taken):
    damage(sql_a, taken[2])
    asked = {"database": database, "kind": "log", "path": folder, "file_name": "log3.bak", "retention": {"last": 1}}
    assert sql_a.run("sql_backup", check=True, **asked)["retention"][0]["remove"]
    result = sql_a.run("sql_backup", **asked)
    assert "full2.bak) cannot be read back" in str(result["warnings"])
    assert {"full1.bak", "log1.bak", "log2.bak", "log3.bak"} <= set(there(sql_a, folder))
    sql_a.run("sql_restore", database=f"{database}_back", source={"folders": [folder], "database": database})
    assert sql_a.marks(f"{database}_back") == [1, 2, 3, 4, 5]


def test_other_things_in_the_folder_stay(sql_a, database, folder, taken):
    view = sql_a.host.files(SYSTEM)
    view.write(f"{folder}\\notes.bak", b"no backup")
    sql_a.run("sql_backup", database="master", path=folder, file_name="master.bak")
    sql_a.run(
        "sql_backup", database="master", path=folder, file_name="log1.bak"
    )  # appended: the file is no longer ours alone
    sql_a.run("sql_backup", database=database, path=folder, file_name="full3.bak", retention={"last": 1})
    assert there(sql_a, folder) == ["full3.bak", "log1.bak", "master.bak", "notes.bak"]


def test_a_folder_without_a_chain_loses_nothing(sql_a, database, folder, taken):
    view = sql_a.host.files(SYSTEM)
    for full in (taken[0], taken[2]):
        view.remove(full)
    result = sql_a.run(
        "sql_backup", database=database, kind="log", path=folder, file_name="log3.bak", retention={"last": 1}
    )
    assert result["retention"][0]["remove"] == [] and "Nothing was removed" in str(result["warnings"])
    assert there(sql_a, folder) == ["log1.bak", "log2.bak", "log3.bak"]


def test_a_file_that_cannot_be_removed_fails_the_task_but_not_the_backup(sql_a, database, folder, taken, monkeypatch):
    asked = {"database": database, "path": folder, "retention": {"last": 1}}

    def refuse(_view, path):
        raise WinError(5, path)

    with monkeypatch.context() as patched, pytest.raises(Failed, match="The backup is complete, but") as failed:
        patched.setattr(FileView, "remove", refuse)
        sql_a.run("sql_backup", **asked, file_name="full3.bak")
    assert (
        taken[1] in str(failed.value)
        and "Modify on the folder" in str(failed.value)
        and failed.value.result["backup"]["verified"] is True
    )
    sql_a.run("sql_backup", **asked, file_name="full4.bak")
    assert there(sql_a, folder) == ["full4.bak"]


def test_a_file_that_stays_in_silence_is_noticed(sql_a, database, folder, taken, monkeypatch):
    with monkeypatch.context() as patched, pytest.raises(Failed, match="did not remove"):
        patched.setattr(FileView, "remove", lambda _view, _path: None)
        sql_a.run("sql_backup", database=database, path=folder, file_name="full3.bak", retention={"last": 1})


def test_a_file_that_cannot_be_read_stays(sql_a, database, folder, taken):
    view = sql_a.host.files(SYSTEM)
    view.hold(taken[1], "a virus scanner")
    result = sql_a.run("sql_backup", database=database, path=folder, file_name="full3.bak", retention={"last": 1})
    view.release(taken[1], "a virus scanner")
    assert taken[1] not in result["retention"][0]["remove"] and there(sql_a, folder) == ["full3.bak", "log1.bak"]


def test_second_copies_have_rules_of_their_own(sql_a, database, folder, monkeypatch):
    developer = dataclasses.replace(sql_a.instance.settings, edition="Developer Edition (64-bit)")
    monkeypatch.setattr(sql_a.instance, "settings", developer)
    asked = {
        "database": database,
        "path": folder,
        "copy_to": f"{folder}_copy",
        "retention": {"last": 1},
        "copy_retention": {"last": 2},
    }
    for number in (1, 2, 3):
        sql_a.run("sql_backup", **asked, file_name=f"full{number}.bak")
    assert (there(sql_a, folder), there(sql_a, f"{folder}_copy")) == (["full3.bak"], ["full2.bak", "full3.bak"])
